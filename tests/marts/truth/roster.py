"""Marts of the roster: counts of enrollments, loads of classes and teachers, and the health of the feed."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from math import ceil, floor
from statistics import mean, median

from oneroster_sample._core.model import Version, csv_files

from .rows import Row, Rows, between

BINS = {"sections": 1, "sections_shared": 1, "preps": 1, "students": 25, "seats": 25}


def percentile(values: list[int], share: Fraction) -> float:
    """A percentile between the values, as percentile_cont has it."""
    place = share * (len(values) - 1)
    low, high = sorted(values)[floor(place)], sorted(values)[ceil(place)]
    return float(low + (high - low) * (place - floor(place)))


class Roster(Rows):
    """What is counted from classes and enrollments."""

    def enrollment_count(self) -> list[Row]:
        sizes: defaultdict[str, set[str]] = defaultdict(set)
        cells: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for its in self.on(self.today):
            sizes[its["class"]].add(its["user"])
            for grade in (self.grades[its["user"]], "all"):
                for kind in (self.classes[its["class"]]["classType"], "all"):
                    cells[its["school"], grade, kind].append(its)
        rows = []
        for (school, grade, kind), members in cells.items():
            seats = {(its["class"], its["user"]) for its in members if kind != "all" or not its["is_homeroom"]}
            own = [len(sizes[class_id]) for class_id in sorted({class_id for class_id, _ in seats})]
            rows.append(
                {
                    "day": self.today,
                    "school_id": school,
                    "grade": grade,
                    "class_type": kind,
                    "students": len({its["user"] for its in members}),
                    "seats": len(seats),
                    "classes": len(own),
                    "mean_class_size": mean(own) if own else None,
                    "p90_class_size": percentile(own, Fraction(9, 10)) if own else None,
                    "homeroom_students": len({its["user"] for its in members if its["is_homeroom"]}),
                }
            )
        return rows

    def class_load(self) -> list[Row]:
        members: defaultdict[str, list[Row]] = defaultdict(list)
        for its in self.enrollments:
            members[its["class"]].append(its)
        rows = []
        for class_id, term, day in self.class_terms():
            place, there = self.classes[class_id], self.on(day, members[class_id])
            count = {
                role: len({its["user"] for its in there if its["role"] == role}) for role in ("student", "teacher")
            }
            rows.append(
                {
                    "class_id": class_id,
                    "term_id": term,
                    "school_id": place["schoolSourcedId"],
                    "course_id": place["courseSourcedId"],
                    "students": count["student"],
                    "teachers": count["teacher"],
                    "co_teachers": max(count["teacher"] - 1, 0),
                }
            )
        sizes: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for row in rows:
            sizes[row["course_id"], row["term_id"]].append(row["students"])
        return [row | {"course_median_students": median(sizes[row["course_id"], row["term_id"]])} for row in rows]

    def teacher_load(self) -> list[Row]:
        members: defaultdict[str, list[Row]] = defaultdict(list)
        for its in self.enrollments:
            members[its["class"]].append(its)
        work: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for its in self.results:
            work[its["class"], its["term"]].append(its)
        loads: defaultdict[tuple[str, str, str], list[tuple[str, str, str, int]]] = defaultdict(list)
        for class_id, term, day in self.class_terms():
            there = [its for its in self.on(day, members[class_id]) if its["role"] == "teacher"]
            for teacher in {its["user"] for its in there}:
                begin = min(its["begin"] for its in there if its["user"] == teacher)
                of_them = len({its["user"] for its in there})
                loads[teacher, term, self.classes[class_id]["schoolSourcedId"]].append((class_id, day, begin, of_them))
        rows = []
        for (teacher, term, school), own in loads.items():
            seats = {
                (class_id, its["user"])
                for class_id, day, _, _ in own
                for its in self.on(day, members[class_id])
                if its["role"] == "student"
            }
            due = [
                its
                for class_id, _, begin, _ in own
                for its in work[class_id, term]
                if begin <= its["due"] <= self.today and not its["is_exempt"]
            ]
            graded = [between(its["due"], its["scored"]) for its in due if its["is_graded"]]
            rows.append(
                {
                    "teacher_id": teacher,
                    "term_id": term,
                    "school_id": school,
                    "sections": len(own),
                    "sections_shared": float(sum(Fraction(1, of_them) for *_, of_them in own)),
                    "preps": len({self.classes[class_id]["courseSourcedId"] for class_id, *_ in own}),
                    "students": len({user for _, user in seats}),
                    "seats": len(seats),
                    "gradable_results": len(due),
                    "results_graded": len(graded),
                    "median_days_to_grade": median(graded) if graded else None,
                    "fte": None,
                    "fte_given": False,
                }
            )
        return rows

    def teacher_load_distribution(self) -> list[Row]:
        bins: Counter[tuple[str, str, str, int]] = Counter()
        for row in self.teacher_load():
            for measure, width in BINS.items():
                bins[row["school_id"], row["term_id"], measure, floor(row[measure] / width) * width] += 1
        names = ("school_id", "term_id", "measure", "bin_from")
        return [
            dict(zip(names, key, strict=True)) | {"bin_to": key[3] + BINS[key[2]], "teachers": count}
            for key, count in bins.items()
        ]

    def feed_health(self) -> list[Row]:
        """Collections of which anything arrived at the last load: of a service with tombstones, of a bundle without."""
        rows = self._district.active if self._by == "csv" else self._district.rows
        files = {its.name for its in self._district.files(self._version)}
        if self._by == "csv":
            files &= {its.name for its in csv_files(Version(self._version))}
        counts = {name: sum(1 for _ in rows(name, self._version)) for name in files}
        if self._version == "1.1":  # where the tap makes roles of the orgs of users
            counts["roles"] = sum(len(row["orgSourcedIds"]) for row in rows("users", self._version))
        return [{"collection": name, "arrived": count, "complete": True} for name, count in counts.items() if count]
