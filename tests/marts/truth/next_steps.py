"""The worklist, the share that it flags, and the cockpit of schools."""

from __future__ import annotations

from collections import defaultdict
from statistics import mean
from typing import TYPE_CHECKING

from .results import Results
from .rows import Row, later, monday

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = {
    "course.slipping": "slipping",
    "course.failing": "failing",
    "work.missing": "missing",
    "attendance.chronic": "chronic",
    "attendance.drift": "drifting",
}
WINDOW = 28


class NextSteps(Results):
    """What the generator made slip, fail, stay away."""

    def flags(self) -> dict[tuple[str, str], set[str]]:
        """The rules that find a student, by student and school: work where the class is, attendance at each school of today."""
        found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        schools: defaultdict[str, set[str]] = defaultdict(set)
        for its in self.on(self.today):
            schools[its["user"]].add(its["school"])
        back = self._back()
        for rule, name in RULES.items():
            for student, class_id in self.known["results"].get(name, ()):
                if student not in back:
                    found[student, self.classes[class_id]["schoolSourcedId"]].add(rule)
            for student in self.known["usage"]["attendance"].get(name) or ():
                for school in schools[student]:
                    found[student, school].add(rule)
        for its in self.on(self.today):
            if its["user"] in back and not its["is_homeroom"]:
                found[its["user"], its["school"]].update(self._broken(its["user"], its["class"]))
        return {key: rules for key, rules in found.items() if rules}

    def _back(self) -> set[str]:
        """Students who were away for weeks and came back: the generator names what their work would be if they had been there."""
        events = (event for event in self.known["events"] if event["kind"] == "reentry")
        return {its["student"] for event in events for its in event["students"]}

    def _broken(self, student: str, class_id: str) -> Iterator[str]:
        """The rules of work that the results of a student in a class break, of the days on which the student was there."""
        own = [its for its in self.results if (its["user"], its["class"]) == (student, class_id) and its["is_in_class"]]
        own = [its for its in own if its["due"] <= self.today]
        since = later(self.today, -WINDOW)
        latest, before = (
            self.percent(its for its in own if (its["due"] > since) == is_latest) for is_latest in (True, False)
        )
        if latest is not None and before is not None and latest <= before - 10:
            yield "course.slipping"
        if (percent := self.percent(own)) is not None and percent < 60:
            yield "course.failing"
        missing = self._missing((its for its in own if its["due"] > since), self.today)
        if sum(missing) >= 3 or (len(missing) >= 4 and sum(missing) * 4 >= len(missing)):
            yield "work.missing"

    def worklist(self) -> list[Row]:
        """Who is found today: `flags` without those of further classes, sorted."""
        return [
            {"student_id": student, "school_id": school, "flags": ",".join(sorted(rules))}
            for (student, school), rules in self.flags().items()
        ]

    def worklist_equity(self) -> list[Row]:
        flagged = self.flags()
        cells: defaultdict[tuple[str, ...], list[bool]] = defaultdict(list)
        for student, school in {(its["user"], its["school"]) for its in self.on(self.today)}:
            for demographic, value in self.values(student):
                cells[school, self.grades[student], demographic, value].append((student, school) in flagged)
        names = ("school_id", "grade", "demographic", "value")
        return [
            dict(zip(names, key, strict=True)) | {"students": len(its), "flagged_rate": 100 * mean(its)}
            for key, its in cells.items()
        ]

    def school_cockpit(self) -> list[Row]:
        """All weeks of the year; of the worklist that of today is known only, so other weeks have no `on_worklist` here."""
        attendance: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)
        for row in self.input("attendance"):
            attendance[row["school_id"], monday(row["day"]), row["student_id"]].append(float(row["present"]))
        flagged = self.flags()
        rows = []
        week = max(monday(self._district.year.start), later(monday(self.today), -7 * 19))
        while week <= self.today:
            day = min(later(week, 6), self.today)
            cells: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
            work = self._in_classes_of(day)
            for student, school in work:
                for grade in (self.grades[student], "all"):
                    cells[school, grade].append(student)
            for (school, grade), students in cells.items():
                present = [its for student in students for its in attendance[school, week, student]]
                percents = [its for student in students if (its := work[student, school][0]) is not None]
                since = later(day, -WINDOW)
                missing = [
                    word
                    for student in students
                    for word in self._missing((its for its in work[student, school][1] if its["due"] > since), day)
                ]
                is_judged = present or percents or missing or any((its, school) in flagged for its in students)
                rows.append(
                    {
                        "school_id": school,
                        "grade": grade,
                        "week": week,
                        "enrolled": len(students),
                        "attendance_rate": 100 * mean(present) if present else None,
                        "mean_percent": mean(percents) if percents else None,
                        "missing_rate": 100 * mean(missing) if missing else None,
                        "attendance_given": True,
                    }
                    | (
                        {"on_worklist": sum((its, school) in flagged for its in students) if is_judged else None}
                        if day == self.today
                        else {}
                    )
                )
            week = later(week, 7)
        return rows
