"""Results by cohort and demographics, and completion of courses: as counted by hand, and the same from 1.1."""

from __future__ import annotations

import json
from collections import defaultdict
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_sample.district import District
from oneroster_sample.usage import write_usage

from .warehouses import TODAY, Desk, duckdb_desk, load_sample

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = {"A": 95, "B": 84.5, "C": 74.5, "D": 64.5, "F": 29.5}
"""Middles of the spans of the sample's scale."""
RACES = {
    "americanIndianOrAlaskaNative": "american_indian",
    "asian": "asian",
    "blackOrAfricanAmerican": "black",
    "nativeHawaiianOrOtherPacificIslander": "pacific_islander",
    "white": "white",
}
Row = dict[str, Any]


class Counted:
    """The sample's gradebook, read without the project."""

    def __init__(self, path: Path) -> None:
        with duckdb.connect(str(path), read_only=True) as connection:
            self._connection = connection
            self.sessions = self._table("academicSessions")
            self.classes = self._table("classes")
            self.items = self._table("lineItems")
            self.users = self._table("users")
            self.demographics = self._table("demographics")
            self.results = list(self._table("results").values())
            self.enrollments = [its for its in self._table("enrollments").values() if its["role"] == "student"]
        self.spans: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        for its in self.enrollments:
            self.spans[its["userSourcedId"], its["classSourcedId"]].append((its["beginDate"], its["endDate"] or "9999"))
        self.results = [its for its in self.results if self.is_in_class(its)]

    def _table(self, name: str) -> dict[str, Row]:
        answer = self._connection.execute(f'select * from oneroster."{name}"')
        names = [column[0] for column in answer.description]
        rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        dates = ("beginDate", "endDate", "startDate", "dueDate")
        return {row["sourcedId"]: row | {name: str(row[name]) for name in dates if row.get(name)} for row in rows}

    def is_in_class(self, result: Row) -> bool:
        item = self.items[result["lineItemSourcedId"]]
        spans = self.spans[result["studentSourcedId"], item["classSourcedId"]]
        return any(begin <= item["dueDate"] < end for begin, end in spans)

    def term(self, item: Row) -> str:
        session = item["academicSessionSourcedId"]
        while session not in self.classes[item["classSourcedId"]]["termSourcedIds"]:
            session = self.sessions[session]["parentSourcedId"]
        return str(session)

    def percent(self, results: list[Row]) -> float | None:
        """The percent of all points, of three results or more."""
        points = []
        for its in results:
            item = self.items[its["lineItemSourcedId"]]
            if its["scoreStatus"] == "fully graded" and its["score"] is not None:
                points.append((its["score"], item["resultValueMax"]))
            elif its["scoreStatus"] == "fully graded":
                points.append((LETTERS[its["textScore"]], 100))
        return 100 * sum(n for n, _ in points) / sum(n for _, n in points) if len(points) >= 3 else None

    def missing(self, results: list[Row]) -> list[bool]:
        """Whether each result that is not exempt is missing."""
        return [
            its["scoreStatus"] == "not submitted" and self.items[its["lineItemSourcedId"]]["dueDate"] < TODAY
            for its in results
            if its["scoreStatus"] != "exempt"
        ]

    def values(self, student: str) -> list[tuple[str, str]]:
        its = self.demographics.get(student, {})
        races = [race for name, race in RACES.items() if its.get(name)]
        race = (
            "two_or_more" if its.get("demographicRaceTwoOrMoreRaces") or len(races) > 1 else [*races, "not stated"][0]
        )
        if its.get("hispanicOrLatinoEthnicity"):
            race = "hispanic"
        sex = its.get("sex") or "not stated"
        sex = "not stated" if sex == "unspecified" else sex
        return [("all", "all"), ("sex", sex), ("race_ethnicity", race)]

    def cohorts(self) -> dict[tuple[str, ...], tuple[Any, ...]]:
        own: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
        for its in self.enrollments:
            place = self.classes[its["classSourcedId"]]
            for term in place["termSourcedIds"]:
                span = self.sessions[term]
                overlaps = its["beginDate"] < span["endDate"] and (its["endDate"] or "9999") > span["startDate"]
                if overlaps and place["classType"] != "homeroom":
                    _ = own[its["userSourcedId"], place["schoolSourcedId"], place["courseSourcedId"], term]
        for its in self.results:
            item = self.items[its["lineItemSourcedId"]]
            place = self.classes[item["classSourcedId"]]
            own[its["studentSourcedId"], place["schoolSourcedId"], place["courseSourcedId"], self.term(item)].append(
                its
            )
        cells: defaultdict[tuple[str, ...], list[list[Row]]] = defaultdict(list)
        for (student, school, course, term), results in own.items():
            for demographic, value in self.values(student):
                cells[school, self.users[student]["grades"][0], course, term, demographic, value].append(results)
        return {key: self._cohort(members) for key, members in cells.items()}

    def _cohort(self, members: list[list[Row]]) -> tuple[Any, ...]:
        percents = [percent for results in members if (percent := self.percent(results)) is not None]
        missing = [is_missing for results in members for is_missing in self.missing(results)]
        return (
            len(members),
            len(percents),
            round(mean(percents), 6) if percents else None,
            round(median(percents), 6) if percents else None,
            round(100 * mean(missing), 6) if missing else None,
        )

    def demographic(self) -> dict[tuple[str, ...], tuple[Any, ...]]:
        today: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for its in self.enrollments:
            if its["beginDate"] <= TODAY < (its["endDate"] or "9999"):
                today[its["userSourcedId"], its["schoolSourcedId"]].add(its["classSourcedId"])
        by_class: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for its in self.results:
            item = self.items[its["lineItemSourcedId"]]
            if item["dueDate"] <= TODAY:
                by_class[its["studentSourcedId"], item["classSourcedId"]].append(its)
        cells: defaultdict[tuple[str, ...], list[tuple[float | None, list[bool]]]] = defaultdict(list)
        for (student, school), classes in today.items():
            found = [self.percent(by_class[student, class_id]) for class_id in sorted(classes)]
            percents = [percent for percent in found if percent is not None]
            missing = [word for class_id in classes for word in self.missing(by_class[student, class_id])]
            for demographic, value in self.values(student):
                grade = self.users[student]["grades"][0]
                cells[school, grade, demographic, value].append((mean(percents) if percents else None, missing))
        counted: dict[tuple[str, ...], tuple[Any, ...]] = {}
        for key, members in cells.items():
            means = [percent for percent, _ in members if percent is not None]
            missing = [word for _, words in members for word in words]
            counted[key] = (
                len(members),
                len(means),
                round(mean(means), 6) if means else None,
                round(100 - 100 * mean(missing), 6) if missing else None,
            )
        return counted


@pytest.fixture(scope="module")
def counted(sample: Path) -> Counted:
    return Counted(sample)


def test_cohorts_are_those_of_a_count_by_hand(duckdb_desk: Desk, counted: Counted) -> None:
    expected = counted.cohorts()
    rows = duckdb_desk.rows("restricted.cohort_results")
    measures = ("students", "n", "mean_percent", "median_percent", "missing_rate")
    keys = ("school_id", "grade", "course_id", "term_id", "demographic", "value")
    assert {tuple(row[key] for key in keys): tuple(row[name] for name in measures) for row in rows} == expected
    assert sum(row["n"] for row in rows) > 1_000
    assert {row["basis"] for row in rows} == {"points", "mixed", None}


def test_demographics_are_those_of_a_count_by_hand(duckdb_desk: Desk, counted: Counted) -> None:
    expected = counted.demographic()
    rows = duckdb_desk.rows("restricted.demographic_results")
    measures = ("students", "n", "mean_percent", "engagement")
    keys = ("school_id", "grade", "demographic", "value")
    assert {tuple(row[key] for key in keys): tuple(row[name] for name in measures) for row in rows} == expected
    assert {row["value"] for row in rows} > {"hispanic", "two_or_more", "not stated", "other", "all"}


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, list[Row]]:
    """The same district from 1.1, with final grades; the truth of these."""
    folder = tmp_path_factory.mktemp("old")
    district = District(seed=5, schools=3, students_per_school=60, weekly=True)
    warehouse = load_sample(folder, district, version="1.1")
    write_usage(district, folder, "1.1")
    desk = duckdb_desk(folder, warehouse, today=TODAY, inputs={"final_grades": str(folder / "final_grades.csv")})
    wanted = ("+cohort_results", "+demographic_results", "+shared_course_completion")
    assert desk("build", *(word for model in wanted for word in ("--select", model))) == 0, desk.err
    return desk, json.loads((folder / "truth.json").read_text(encoding="utf-8"))["usage"]["final_grades"]


def test_what_both_versions_carry_gives_the_same_numbers(duckdb_desk: Desk, old: tuple[Desk, list[Row]]) -> None:
    """Work in letters and two words for a sex are not in 1.1."""
    both = "demographic <> 'sex' and course_id not like '%ELA%'"
    rows = old[0].rows("restricted.cohort_results", where=both)
    assert len(rows) > 100
    assert rows == duckdb_desk.rows("restricted.cohort_results", where=both)
    columns, where = "school_id, grade, value, students, engagement", "demographic <> 'sex'"
    rows = old[0].rows("restricted.demographic_results", columns, where)
    assert rows == duckdb_desk.rows("restricted.demographic_results", columns, where)
    columns = 'school_id, course_id, term_id, started, completed, dropped, "left", in_progress'
    rows = old[0].rows("restricted.course_completion", columns)
    assert rows == duckdb_desk.rows("restricted.course_completion", columns)
    assert all(row["started"] == row["completed"] + row["dropped"] + row["left"] + row["in_progress"] for row in rows)


def test_final_grades_are_those_of_the_truth(old: tuple[Desk, list[Row]]) -> None:
    """The truth has whole years only, and they have the same grade in a term."""
    desk, truth = old
    rows = {
        (row["school_id"], row["course_id"]): row
        for row in desk.rows("restricted.course_completion", where="term_id = '2027-S1'")
    }
    for its in truth:
        row = rows[its["school"], its["course"]]
        assert (row["graded"], row["passed"]) == (its["graded"], its["passed"])
        assert row["pass_rate"] == round(100 * its["passed"] / its["graded"], 6)
    assert len(truth) > 50
    shown = [row for row in desk.rows("shared.course_completion") if row["pass_rate"] in (5, 95)]
    assert all(row["passed"] is None and not row["suppressed"] for row in shown)


def test_few_students_are_not_shown(duckdb_desk: Desk) -> None:
    for name, counts in {
        "cohort_results": ("students", "n"),
        "demographic_results": ("students", "n"),
        "course_completion": ("started",),
    }.items():
        rows = duckdb_desk.rows(f"shared.{name}")
        assert {row["suppressed"] for row in rows} == {True, False}
        keys = {"school_id", "grade", "course_id", "term_id", "demographic", "value", "suppressed"}
        for row in rows:
            measures = {value for key, value in row.items() if key not in keys}
            assert measures == {None} if row["suppressed"] else all(not 0 < row[count] < 10 for count in counts)
