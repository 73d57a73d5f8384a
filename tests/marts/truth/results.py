"""Marts of results, and of the completion of courses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import mean, median

from .rows import FAR, Row, Rows, later


class Results(Rows):
    """What is counted from line items, results and final grades."""

    def cohort_results(self) -> list[Row]:
        own: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
        for its in self.students:
            place = self.classes[its["class"]]
            for term in place["termSourcedIds"]:
                span = self.sessions[term]
                overlaps = (
                    its["begin"] < span["endDate"] and its["end"] > span["startDate"] and its["begin"] < its["end"]
                )
                if overlaps and not its["is_homeroom"]:
                    _ = own[its["user"], place["schoolSourcedId"], place["courseSourcedId"], term]
        for its in self.results:
            place = self.classes[its["class"]]
            if its["is_in_class"]:
                own[its["user"], place["schoolSourcedId"], place["courseSourcedId"], its["term"]].append(its)
        cells: defaultdict[tuple[str, ...], list[tuple[float | None, list[Row]]]] = defaultdict(list)
        for (student, school, course, term), results in own.items():
            for demographic, value in self.values(student):
                percent = self._course_percent(results)
                cells[school, self.grades[student], course, term, demographic, value].append((percent, results))
        names = ("school_id", "grade", "course_id", "term_id", "demographic", "value")
        rows = []
        for key, members in cells.items():
            percents = [percent for percent, _ in members if percent is not None]
            missing = [word for _, results in members for word in self._missing(results, self.today)]
            rows.append(
                dict(zip(names, key, strict=True))
                | {
                    "students": len(members),
                    "n": len(percents),
                    "mean_percent": mean(percents) if percents else None,
                    "median_percent": median(percents) if percents else None,
                    "missing_rate": 100 * mean(missing) if missing else None,
                }
            )
        return rows

    @staticmethod
    def _course_percent(results: list[Row]) -> float | None:
        """The percent of a course, the classes of a student who changed sections by their number of results."""
        by_class: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        for its in results:
            if its["points"]:
                by_class[its["class"]].append(its["points"])
        count = sum(len(points) for points in by_class.values())
        sums = [len(its) * 100 * sum(n for n, _ in its) / sum(n for _, n in its) for its in by_class.values()]
        return sum(sums) / count if count >= 3 else None

    @staticmethod
    def _missing(results: Iterable[Row], day: str) -> list[bool]:
        return [its["is_unsubmitted"] and its["due"] < day for its in results if not its["is_exempt"]]

    def _in_classes_of(self, day: str) -> dict[tuple[str, str], tuple[float | None, list[Row]]]:
        """Mean of the class percents to date, and the results due by then, of each student and school on a day."""
        results: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for its in self.results:
            if its["is_in_class"] and its["due"] <= day:
                results[its["user"], its["class"]].append(its)
        classes: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for its in self.on(day):
            classes[its["user"], its["school"]].add(its["class"])
        found = {}
        for (student, school), own in classes.items():
            percents = [self.percent(results[student, class_id]) for class_id in sorted(own)]
            numbers = [percent for percent in percents if percent is not None]
            due = [its for class_id in own for its in results[student, class_id]]
            found[student, school] = (mean(numbers) if numbers else None, due)
        return found

    def demographic_results(self) -> list[Row]:
        cells: defaultdict[tuple[str, ...], list[tuple[float | None, list[Row]]]] = defaultdict(list)
        for (student, school), its in self._in_classes_of(self.today).items():
            for demographic, value in self.values(student):
                cells[school, self.grades[student], demographic, value].append(its)
        rows = []
        for key, members in cells.items():
            percents = [percent for percent, _ in members if percent is not None]
            missing = [word for _, results in members for word in self._missing(results, self.today)]
            rows.append(
                dict(zip(("school_id", "grade", "demographic", "value"), key, strict=True))
                | {
                    "students": len(members),
                    "n": len(percents),
                    "mean_percent": mean(percents) if percents else None,
                    "engagement": 100 - 100 * mean(missing) if missing else None,
                }
            )
        return rows

    def course_completion(self) -> list[Row]:
        own: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
        at_school: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for its in self.students:
            at_school[its["user"], its["school"]].append(its)
            place = self.classes[its["class"]]
            for term in place["termSourcedIds"]:
                span = self.sessions[term]
                is_there = its["begin"] < min(its["end"], span["endDate"]) and its["end"] > span["startDate"]
                if is_there and max(its["begin"], span["startDate"]) <= self.today and not its["is_homeroom"]:
                    own[its["user"], place["schoolSourcedId"], place["courseSourcedId"], term].append(its)
        cells: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        passes = self._final_grades()
        for (student, school, course, term), spells in own.items():
            count = cells[school, course, term]
            end, term_end = max(its["end"] for its in spells), self.sessions[term]["endDate"]
            after = later(end, 7) if end < FAR else end
            stays = any(its["begin"] <= after < its["end"] for its in at_school[student, school])
            if end > self.today and term_end > self.today:
                count["in_progress"] += 1
            else:
                count["completed" if end >= term_end else "dropped" if stays else "left"] += 1
            count["started"] += 1
            grades = [passes[key] for its in spells if (key := (student, its["class"], term)) in passes]
            count["graded"] += bool(grades)
            count["passed"] += any(grades)
        measures = ("started", "completed", "dropped", "left", "in_progress", "graded", "passed")
        return [
            dict(zip(("school_id", "course_id", "term_id"), key, strict=True))
            | {name: count[name] for name in measures}
            | {"pass_rate": 100 * count["passed"] / count["graded"] if count["graded"] else None}
            for key, count in cells.items()
        ]

    def _final_grades(self) -> dict[tuple[str, str, str], bool]:
        """Whether a student passed a class in a term: that in which the grade's session lies, or that lies in it."""
        found = {}
        for row in self.input("final_grades"):
            for term in self.classes[row["class_id"]]["termSourcedIds"]:
                if term in self._above(row["session_id"]) or row["session_id"] in self._above(term):
                    found[row["student_id"], row["class_id"], term] = float(row["percent"]) >= 60
        return found

    def _above(self, session: str | None) -> list[str]:
        """A session, and those in which it lies."""
        found = []
        while session:
            found.append(session)
            session = self.sessions[session]["parentSourcedId"]
        return found
