"""The rows of a made-up district as its generator gives them, with what each mart is counted from."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from oneroster_sample.district import District

Row = dict[str, Any]
FAR = "9999-12-31"
LETTERS = {"A": 95, "B": 84.5, "C": 74.5, "D": 64.5, "F": 29.5}
"""Middles of the spans of the sample's scale."""
RACES = {
    "americanIndianOrAlaskaNative": "american_indian",
    "asian": "asian",
    "blackOrAfricanAmerican": "black",
    "nativeHawaiianOrOtherPacificIslander": "pacific_islander",
    "white": "white",
}
SEXES = {"male": "male", "female": "female", "other": "other"}


def later(day: str, days: int) -> str:
    """A day some days later."""
    return str(date.fromisoformat(day) + timedelta(days))


def monday(day: str) -> str:
    """The Monday of a day's week."""
    return later(day, -date.fromisoformat(day).weekday())


def between(first: str, last: str) -> int:
    """Days from one to another."""
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


class Rows:
    """The rows of a district on a day, with what the marts count; what other systems know stands in a folder (write_inputs).

    Args:
        district: The district on the night that is described.
        version: Version of the standard in which it was landed.
        folder: The folder with the inputs and truth.json.
        before: The same district on the night that was landed before; rows that are gone since ended today.
        by: csv or rest, as it was landed.
    """

    def __init__(
        self, district: District, version: str, folder: Path, before: District | None = None, by: str = "csv"
    ) -> None:
        self._district, self._version, self._folder, self._before, self._by = district, version, folder, before, by
        self.known = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        self.today: str = self.known["usage"]["today"]

    def table(self, name: str, *, with_lost: bool = False) -> dict[str, Row]:
        """The active rows of a file by id; on request with those that only the night before had."""
        found = {row["sourcedId"]: row for row in self._district.active(name, self._version)}
        if with_lost and self._before:
            lost = {row["sourcedId"]: row for row in self._before.active(name, self._version)}
            return {key: row | {"is_lost": key not in found} for key, row in (lost | found).items()}
        return found

    def input(self, name: str) -> list[Row]:
        """The rows of an input, as text."""
        with (self._folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    # --- what the marts are counted from

    @cached_property
    def sessions(self) -> dict[str, Row]:
        return self.table("academicSessions")

    @cached_property
    def classes(self) -> dict[str, Row]:
        return self.table("classes", with_lost=True)

    @cached_property
    def grades(self) -> dict[str, str]:
        return {key: (row["grades"] or ["not stated"])[0] for key, row in self.table("users", with_lost=True).items()}

    @cached_property
    def enrollments(self) -> list[Row]:
        found = []
        for row in self.table("enrollments", with_lost=True).values():
            place = self.classes[row["classSourcedId"]]
            ends = [
                row["endDate"] or max((self.sessions[its]["endDate"] for its in place["termSourcedIds"]), default=FAR)
            ]
            ends += [self.today] if row.get("is_lost") or place.get("is_lost") else []
            found.append(
                {
                    "user": row["userSourcedId"],
                    "role": row["role"],
                    "class": row["classSourcedId"],
                    "school": row["schoolSourcedId"],
                    "begin": row["beginDate"],
                    "end": min(ends),
                    "is_homeroom": place["classType"] == "homeroom",
                }
            )
        return found

    @cached_property
    def students(self) -> list[Row]:
        return [its for its in self.enrollments if its["role"] == "student"]

    @cached_property
    def items(self) -> dict[str, Row]:
        return self.table("lineItems") if self._district.gradebook else {}

    @cached_property
    def results(self) -> list[Row]:
        """Results with what their line items say, and whether the student was in the class when the work was due."""
        spans: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for its in self.students:
            spans[its["user"], its["class"]].append(its)
        found = []
        for row in self.table("results").values() if self._district.gradebook else ():
            item = self.items[row["lineItemSourcedId"]]
            due, status = item["dueDate"], row["scoreStatus"]
            points = None
            if status == "fully graded" and row["score"] is not None:
                points = (row["score"], item["resultValueMax"])
            elif status == "fully graded":
                points = (LETTERS[row["textScore"]], 100)
            found.append(
                {
                    "user": row["studentSourcedId"],
                    "class": item["classSourcedId"],
                    "term": self.term(item),
                    "due": due,
                    "scored": row["scoreDate"],
                    "points": points,
                    "is_graded": status == "fully graded",
                    "is_exempt": status == "exempt",
                    "is_unsubmitted": status == "not submitted",
                    "is_in_class": any(
                        its["begin"] <= due < its["end"]
                        for its in spans[row["studentSourcedId"], item["classSourcedId"]]
                    ),
                }
            )
        return found

    def term(self, item: Row) -> str:
        """The term of the class in which the session of a line item lies."""
        session = item["academicSessionSourcedId"]
        while session not in self.classes[item["classSourcedId"]]["termSourcedIds"]:
            session = self.sessions[session]["parentSourcedId"]
        return str(session)

    @staticmethod
    def percent(results: Iterable[Row]) -> float | None:
        """The percent of all points, of three results or more."""
        points = [its["points"] for its in results if its["points"]]
        return 100 * sum(n for n, _ in points) / sum(n for _, n in points) if len(points) >= 3 else None

    def values(self, student: str) -> list[tuple[str, str]]:
        """The demographics under which a student is counted."""
        its = self._demographics.get(student, {})
        races = [race for name, race in RACES.items() if its.get(name)]
        is_several = its.get("demographicRaceTwoOrMoreRaces") or len(races) > 1
        race = "two_or_more" if is_several else [*races, "not stated"][0]
        if its.get("hispanicOrLatinoEthnicity"):
            race = "hispanic"
        return [("all", "all"), ("sex", SEXES.get(its.get("sex") or "", "not stated")), ("race_ethnicity", race)]

    @cached_property
    def _demographics(self) -> dict[str, Row]:
        return self.table("demographics")

    def on(self, day: str, rows: Iterable[Row] | None = None) -> list[Row]:
        """The enrollments of students, or others, on a day."""
        return [its for its in (self.students if rows is None else rows) if its["begin"] <= day < its["end"]]

    def class_terms(self) -> list[tuple[str, str, str]]:
        """Classes that are there and are no homerooms, each with a term and the day as of which it is described."""
        found = []
        for class_id, place in self.classes.items():
            if place["classType"] == "homeroom" or place.get("is_lost"):
                continue
            for term in place["termSourcedIds"]:
                span = self.sessions[term]
                day = max(span["startDate"], min(self.today, later(span["endDate"], -1)))
                found.append((class_id, term, day))
        return found
