"""Random districts for the marts that show demographics, and an attacker who subtracts what they publish."""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

RACES = (
    "white",
    "hispanic",
    "black",
    "asian",
    "two_or_more",
    "pacific_islander",
    "american_indian",
    "not stated",
)
SEXES = ("female", "male", "not stated")
MODELS = (
    ("restricted", "core", "demographic_cell"),
    ("restricted", "core", "demographic_group"),
    ("restricted", "core", "related_demographic_group"),
    ("restricted", "core", "hidden_demographic_cell"),
    ("shared", "shared", "shared_cohort_results"),
    ("shared", "shared", "shared_demographic_results"),
)
MEASURES = "null::double mean_percent, null::double median_percent, null::double missing_rate, null::varchar basis"
TABLES = {
    "person_demographic": "select person_id, demographic, value from rows where mart = 'person'",
    "fct_enrollment": "select distinct person_id, school_id, 'student' as role from rows where mart = 'person'",
    "cohort_results": f"select school_id, grade, course_id, term_id, demographic, value, students, n, {MEASURES}, false suppressed"
    " from rows where mart = 'cohort_results'",
    "demographic_results": "select school_id, grade, demographic, value, students, n, null::double mean_percent,"
    " null::double engagement, false suppressed from rows where mart = 'demographic_results'",
}
COLUMNS = ("mart", "school_id", "grade", "course_id", "term_id", "demographic", "value", "students", "n", "person_id")


class Group(NamedTuple):
    """Students whom a mart shows together, by one demographic."""

    mart: str
    school: str
    grade: str
    course: str
    term: str
    demographic: str


Published = dict[tuple[Group, str], bool]
"""Rows, by group and value: whether the row is shown."""


class Districts:
    """Random districts of one school each: courses that all take, courses of which each takes one, and a small one."""

    def __init__(self, count: int, seed: int) -> None:
        self.students: dict[Group, frozenset[int]] = {}
        self.values: dict[tuple[int, str], str] = {}
        self._rows: list[tuple[Any, ...]] = []
        self._draw = random.Random(seed)
        for number in range(count):
            for grade in ("07", "08")[: 1 + number % 2]:
                self._grade(f"district {number}", grade)

    def _grade(self, school: str, grade: str) -> None:
        draw = self._draw
        first = len(self.values) // 2
        everybody = range(first, first + draw.randint(12, 150))
        weights = [draw.choice((0, 0.02, 0.1, 0.3, 1)) for _ in RACES]
        for person in everybody:
            race = draw.choices(RACES, [weight + 0.001 for weight in weights])[0]
            sex = draw.choices(SEXES, (1, 1, 0.04))[0]
            for demographic, value in (("race_ethnicity", race), ("sex", sex)):
                self.values[person, demographic] = value
                self._rows.append(("person", school, grade, "", "", demographic, value, 0, 0, person))
        share = draw.random()
        spanish = frozenset(person for person in everybody if draw.random() < share)
        club = frozenset(person for person in everybody if draw.random() < 0.3)
        courses = {"math": frozenset(everybody), "reading": frozenset(everybody), "club": club}
        courses |= {"spanish": spanish, "french": frozenset(everybody) - spanish}
        graded = {course: draw.choice((0, 0.6, 1, 1)) for course in courses}
        for course, members in courses.items():
            for term in ("S1", "S2"):
                self._publish("cohort_results", school, grade, course, term, members, graded[course])
        self._publish("demographic_results", school, grade, "all", "all", frozenset(everybody), max(graded.values()))

    def _publish(
        self, mart: str, school: str, grade: str, course: str, term: str, members: frozenset[int], graded: float
    ) -> None:
        with_percent = {person for person in members if self._draw.random() < graded}
        for demographic in ("race_ethnicity", "sex", "all"):
            self.students[Group(mart, school, grade, course, term, demographic)] = members
            cells = Counter(self.values.get((person, demographic), "all") for person in members)
            n = Counter(self.values.get((person, demographic), "all") for person in with_percent)
            for value, count in cells.items():
                self._rows.append((mart, school, grade, course, term, demographic, value, count, n[value], ""))

    def publish(self, folder: Path, compiled: Path, change: Callable[[str], str] = lambda sql: sql) -> Published:
        """Run the project's own SQL over the districts, and return the rows that it gives: whether each is shown."""
        path = folder / "cells.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *self._rows])
        with duckdb.connect() as connection:
            connection.execute(f"create temp table rows as from read_csv('{path}', all_varchar = true)")
            connection.execute("alter table rows alter students type bigint; alter table rows alter n type bigint")
            build(connection, TABLES, MODELS, compiled, change)
            shown = connection.execute(
                "select 'cohort_results', school_id, grade, course_id, term_id, demographic, value, suppressed, students"
                " from shared_file.shared.cohort_results union all select 'demographic_results', school_id, grade, 'all', 'all',"
                " demographic, value, suppressed, students from shared_file.shared.demographic_results"
            ).fetchall()
        assert all(suppressed == (students is None) for *_, suppressed, students in shown)
        return {(Group(*row[:6]), row[6]): not row[7] for row in shown}


def build(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, str],
    models: Iterable[tuple[str, str, str]],
    compiled: Path,
    change: Callable[[str], str],
) -> None:
    """Make the restricted tables from these queries, and then the project's own models, in two schemas as in a warehouse."""
    for schema in ("restricted", "shared"):
        connection.execute(f"attach ':memory:' as {schema}_file; create schema {schema}_file.{schema}")
    for name, query in tables.items():
        connection.execute(f"create table restricted_file.restricted.{name} as {query}")
    for schema, kind, name in models:
        sql = change((compiled / kind / f"{name}.sql").read_text(encoding="utf-8"))
        connection.execute(f"create table {schema}_file.{schema}.{name.removeprefix('shared_')} as {sql}")


Cell = tuple[frozenset[int], str]


def recovered(districts: Districts, published: Published) -> list[tuple[Group, str]]:
    """Cells that are not shown, and that one who knows the totals of all groups, and who is in them, can compute.

    The attacker knows of which groups the students are the same, and which two groups make up a third. Of a group without rows
    any value may be; of one with rows, all values are known. That a value has no student is no cell.
    """
    blocks: defaultdict[tuple[str, str, str], list[Group]] = defaultdict(list)
    for group in districts.students:
        if group.demographic != "all":
            blocks[group.school, group.grade, group.demographic].append(group)
    found: list[tuple[Group, str]] = []
    for groups in blocks.values():
        known: set[Cell] = set()
        unknown: dict[Cell, tuple[Group, str]] = {}
        for group in groups:
            students = districts.students[group]
            sizes = Counter(districts.values[person, group.demographic] for person in students)
            has_rows = any((group, value) in published for value in sizes)
            for value in RACES if group.demographic == "race_ethnicity" else SEXES:
                if published.get((group, value)) or (has_rows and not sizes[value]) or not students:
                    known.add((students, value))
                else:
                    unknown[students, value] = group, value
            hidden = sum(size for value, size in sizes.items() if published.get((group, value)) is False)
            if 0 < hidden < 10:
                found.append((group, "few"))
        solved = known | _solved(list(_equations(unknown, known)))
        found += [
            where
            for (students, value), where in unknown.items()
            if (students, value) in solved and any(districts.values[p, where[0].demographic] == value for p in students)
        ]
    return found


def _equations(unknown: dict[Cell, tuple[Group, str]], known: set[Cell]) -> Iterator[dict[Cell, Fraction]]:
    """Sums of unknown cells that the attacker knows, as coefficients."""
    values = {value for _, value in unknown.keys() | known}
    groups = {students for students, _ in unknown.keys() | known}
    for students in groups:
        yield {(students, value): Fraction(1) for value in values if (students, value) not in known}
        for part in groups:
            rest = students - part
            if part and part < students and rest in groups:
                for value in values:
                    terms = {(students, value): Fraction(1), (part, value): Fraction(-1), (rest, value): Fraction(-1)}
                    yield {cell: factor for cell, factor in terms.items() if cell not in known}


def _solved(equations: list[dict[Cell, Fraction]]) -> set[Cell]:
    """Unknowns that the equations determine: reduced rows with one of them."""
    rows: dict[Cell, dict[Cell, Fraction]] = {}
    for equation in equations:
        left = dict(equation)
        for pivot in [cell for cell in left if cell in rows]:
            _subtract(left, rows[pivot], left.get(pivot, Fraction(0)))
        if not left:
            continue
        pivot = next(iter(left))
        left = {cell: factor / left[pivot] for cell, factor in left.items()}
        for row in rows.values():
            _subtract(row, left, row.get(pivot, Fraction(0)))
        rows[pivot] = left
    return {pivot for pivot, row in rows.items() if len(row) == 1}


def _subtract(row: dict[Cell, Fraction], other: dict[Cell, Fraction], factor: Fraction) -> None:
    if factor:
        for cell, value in other.items():
            row[cell] = row.get(cell, Fraction(0)) - factor * value
            if not row[cell]:
                del row[cell]
