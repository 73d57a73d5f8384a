"""Random schools for the marts of next steps, of courses and of teachers, and what these publish of them.

The attacker knows the roster: who is in which grade and course, and of which sex and race. What is hidden is how many of them are on the
worklist, have a percent or attendance, left the school, and how many teachers have how much. attack_use.py says what can be computed.
"""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import duckdb

from .attack import RACES, SEXES, build
from .attack_use import Cell, spanned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

WEEKS = ("2026-11-09", "2026-11-16")
MODELS = (
    ("restricted", "core", "demographic_cell"),
    ("restricted", "core", "demographic_group"),
    ("restricted", "core", "related_demographic_group"),
    ("restricted", "core", "hidden_demographic_cell"),
    ("restricted", "core", "equity_shown"),
    ("restricted", "core", "cockpit_shown"),
    ("restricted", "core", "completion_cell"),
    ("shared", "shared", "shared_demographic_results"),
    ("shared", "shared", "shared_worklist_equity"),
    ("shared", "shared", "shared_school_cockpit"),
    ("shared", "shared", "shared_course_completion"),
    ("shared", "shared", "shared_teacher_load_distribution"),
    ("shared", "shared", "shared_transfer_count"),
)
TABLES = {
    "person_demographic": "select k4 as person_id, k2 as demographic, k3 as value from rows where kind = 'person'",
    "fct_enrollment": "select distinct k4 as person_id, school_id, 'student' as role from rows where kind = 'person'",
    "cohort_results": "select '' school_id, '' grade, '' course_id, '' term_id, '' demographic, '' value, 0 students, 0 n where false",
    "demographic_results": "select school_id, k1 as grade, k2 as demographic, k3 as value, n1 as students, n2 as n, 50::double mean_percent,"
    " 50::double engagement, false suppressed from rows where kind = 'group'",
    "equity_cell": "select school_id, k1 as grade, k2 as demographic, k3 as value, n1 as students, n3 as flagged, n4 as not_judged"
    " from rows where kind = 'group'",
    "cockpit_cell": "select school_id, k1 as grade, k2::date as week, n1 as enrolled, n2 as with_percent, n3 as on_worklist,"
    " n4 as with_attendance, n2 as with_work_due, 50::double as attendance_rate, 50::double as mean_percent, 50::double as missing_rate"
    " from rows where kind = 'week'",
    "course_completion": "select school_id, k1 as course_id, k2 as term_id, n1 as started, n1 - n2 - n3 as completed, n3 as dropped,"
    " n2 as \"left\", 0 as in_progress, 0 as graded, 0 as passed, null::double as pass_rate from rows where kind = 'course'",
    "teacher_load_distribution": "select school_id, k1 as term_id, k2 as measure, k3::double as bin_from, k3::double + 1 as bin_to,"
    " n1 as teachers, false as suppressed from rows where kind = 'bin'",
    "transfer_count": "select k1::date as week, school_id as from_school_id, k2 as to_school_id, 'transfer' as kind, n1 as students,"
    " false as suppressed from rows where kind = 'move'",
    "input_attendance": "select 1 as one where false",
}
COLUMNS = ("kind", "school_id", "k1", "k2", "k3", "k4", "n1", "n2", "n3", "n4")
SHOWN = {
    "flagged": "select school_id, grade, demographic, value from shared_file.shared.worklist_equity where flagged_rate is not null",
    "not_judged": "select school_id, grade, demographic, value from shared_file.shared.worklist_equity where cannot_say_rate is not null",
    "percent": "select school_id, grade, demographic, value from shared_file.shared.demographic_results where not suppressed",
    "left": 'select school_id, course_id, term_id from shared_file.shared.course_completion where "left" is not null'
    " or completed + dropped + in_progress is not null",
    "teachers": "select school_id, term_id, measure, cast(cast(bin_from as integer) as varchar)"
    " from shared_file.shared.teacher_load_distribution where not suppressed",
    "moves": "select from_school_id, cast(week as varchar), to_school_id from shared_file.shared.transfer_count where students is not null",
}
KNOWN = ("flagged", "flagged before", "not_judged", "left")
"""Measures of which the attacker knows whom a cell may count."""
LEAST = 10
WEEKLY = {"flagged": "on_worklist", "percent": "mean_percent", "attendance": "attendance_rate"}
"""Measures of the cockpit: of today's week those of the other marts are the same."""

Counts = defaultdict[tuple[str, str, str], Counter[str]]


class Schools:
    """Random schools of two to four grades, with courses and teachers.

    Attributes:
        persons: The persons whom a cell counts; its mart is the measure, its vendor the school.
        roster: The persons whom it may count.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.persons: defaultdict[Cell, set[int]] = defaultdict(set)
        self.roster: defaultdict[Cell, set[int]] = defaultdict(set)
        self._rows: list[tuple[Any, ...]] = []
        self._draw = random.Random(seed)
        self._persons = 0
        for number in range(count):
            self._school(f"school {number}")

    def _new(self, most: int, least: int = 0) -> range:
        first, self._persons = self._persons, self._persons + self._draw.randint(least, most)
        return range(first, self._persons)

    def _school(self, school: str) -> None:
        draw = self._draw
        weights = [draw.choice((0, 0.02, 0.1, 0.3, 1)) + 0.001 for _ in RACES]
        cells: Counts = defaultdict(Counter)
        weekly: Counts = defaultdict(Counter)
        everybody: set[int] = set()
        for grade in ("06", "07", "08", "09")[: draw.randint(2, 4)]:
            everybody |= self._grade(school, grade, weights, cells, weekly)
        for (grade, demographic, value), n in cells.items():
            numbers = (n["students"], n["percent"], n["flagged"], n["not_judged"])
            self._rows.append(("group", school, grade, demographic, value, "", *numbers))
        for (grade, week, _), n in weekly.items():
            numbers = (n["students"], n["percent"], n["flagged"], n["attendance"])
            self._rows.append(("week", school, grade, week, "", "", *numbers))
        self._courses(school, everybody)
        self._teachers(school)
        for other in range(draw.randint(1, 6)):
            movers = self._new(14, 1)
            self.persons[Cell("moves", school, (WEEKS[0], f"school {other}"))].update(movers)
            self._rows.append(("move", school, WEEKS[0], f"school {other}", "", "", len(movers), 0, 0, 0))

    def _grade(self, school: str, grade: str, weights: list[float], cells: Counts, weekly: Counts) -> set[int]:
        draw = self._draw
        rates = {name: draw.choice((0, 0.1, 0.3, 0.5, 0.8, 1)) for name in (*WEEKLY, "not_judged")}
        people = self._new(draw.choice((8, 12, 30, 90, 200, 300)), 2)
        for person in people:
            says = {"students"} | {name for name in WEEKLY if draw.random() < rates[name]}
            if "flagged" not in says and draw.random() < rates["not_judged"]:
                says.add("not_judged")
            sex, race = draw.choices(SEXES, (1, 1, 0.04))[0], draw.choices(RACES, weights)[0]
            for demographic, value in (("all", "all"), ("sex", sex), ("race_ethnicity", race)):
                cells[grade, demographic, value].update(says)
                self._rows.append(("person", school, grade, demographic, value, person, 0, 0, 0, 0))
                for name in ("flagged", "not_judged", "percent"):
                    self._count(Cell(name, school, (grade, demographic, value)), person, name in says)
            for week in WEEKS[person == people[0] :]:  # one more today than a week ago
                for its in (grade, "all"):
                    weekly[its, week, ""].update(says)
                    for name in WEEKLY:
                        self._count(_of_week(name, school, its, week), person, name in says)
        return set(people)

    def _count(self, cell: Cell, person: int, is_counted: bool) -> None:
        self.roster[cell].add(person)
        if is_counted:
            self.persons[cell].add(person)

    def _courses(self, school: str, everybody: set[int]) -> None:
        draw = self._draw
        share = draw.choice((0.05, 0.1, 0.5, 0.95))
        spanish = {person for person in everybody if draw.random() < share}
        club = {person for person in everybody if draw.random() < 0.2}
        leavers = {person for person in everybody if draw.random() < 0.3}
        courses = {
            "math": everybody,
            "reading": everybody,
            "club": club,
            "spanish": spanish,
            "french": everybody - spanish,
        }
        for course, members in courses.items():
            dropped = {person for person in members - leavers if draw.random() < 0.1}
            for person in members:
                self._count(Cell("left", school, (course, "t")), person, person in leavers)
            if members:
                numbers = (len(members), len(members & leavers), len(dropped), 0)
                self._rows.append(("course", school, course, "t", "", "", *numbers))

    def _teachers(self, school: str) -> None:
        people = self._new(60, 5)
        for measure in ("sections", "preps"):
            bins: defaultdict[int, set[int]] = defaultdict(set)
            for person in people:
                bins[self._draw.choice((1, 2, 5, 5, 5, 6, 6, 7))].add(person)
            for its, own in bins.items():
                self.persons[Cell("teachers", school, ("t", measure, str(its)))] = own
                self._rows.append(("bin", school, "t", measure, its, "", len(own), 0, 0, 0))

    def publish(self, folder: Path, compiled: Path, change: Callable[[str], str] = lambda sql: sql) -> set[Cell]:
        """Run the project's own SQL over the schools, and return the cells that are shown."""
        path = folder / "next.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *self._rows])
        with duckdb.connect() as connection:
            connection.execute(f"create temp table rows as from read_csv('{path}', all_varchar = true, nullstr = '-')")
            for name in COLUMNS[-4:]:
                connection.execute(f"alter table rows alter {name} type bigint")
            build(connection, TABLES, MODELS, compiled, change)
            shown = {
                Cell(name, row[0], row[1:])
                for name, query in SHOWN.items()
                for row in connection.execute(query).fetchall()
            }
            for name, column in WEEKLY.items():
                query = f"select school_id, grade, cast(week as varchar) from shared_file.shared.school_cockpit where {column} is not null"
                for school, grade, week in connection.execute(query).fetchall():
                    shown.add(_of_week(name, school, grade, week))
        return shown

    def told(self, shown: set[Cell]) -> list[Cell]:
        """Cells of few that are shown, or that are sums and differences of those that are, or that a total tells of together.

        Whom a cell of the worklist or of a course may count is known; not who has attendance or a percent, or how much a teacher has.
        """
        found = [cell for cell in shown if self._is_few(cell.mart, [cell])]
        for name in sorted({cell.mart for cell in self.persons}):
            of = self.roster if name in KNOWN else self.persons
            cells = {cell: persons for cell, persons in of.items() if cell.mart == name}
            parts = self._parts(cells)
            known = shown | {total for total, _ in parts if name == "teachers"}
            cells |= {total: set().union(*(of[cell] for cell in own)) for total, own in parts if name == "teachers"}
            found += [cell for cell in spanned(cells, known) if self._is_few(name, [cell])]
            for total, own in parts:
                hidden = [cell for cell in own if cell not in known]
                if total in known and 0 < len(hidden) < len(own) and self._is_few(name, hidden):
                    found.append(total)
        return found

    def _is_few(self, measure: str, cells: Iterable[Cell]) -> bool:
        """Whether cells together count few; of the worklist also whether they count all but few, and of courses whether few are in them."""
        cells = list(cells)
        count = len(set().union(*(self.persons[cell] for cell in cells)))
        of = len(set().union(*(self.roster[cell] for cell in cells)))
        if measure == "left":
            return of < LEAST
        return min(count, of - count) < LEAST if measure in KNOWN else 0 < count < LEAST

    @staticmethod
    def _parts(cells: Iterable[Cell]) -> list[tuple[Cell, list[Cell]]]:
        """The cells that make up each total: values of a demographic a grade, grades the school, bins all teachers."""
        found: defaultdict[tuple[Cell, str], list[Cell]] = defaultdict(list)
        for cell in cells:
            keys = cell.keys
            if cell.mart in ("left", "moves") or keys[0] == "all":
                continue
            if cell.mart == "teachers":
                found[cell._replace(keys=("t", keys[1], "all")), ""].append(cell)
            elif keys[1] == "all":
                found[cell._replace(keys=("all", *keys[1:])), ""].append(cell)
            else:
                found[cell._replace(keys=(keys[0], "all", "all")), keys[1]].append(cell)
        return [(total, own) for (total, _), own in found.items()]


def _of_week(measure: str, school: str, grade: str, week: str) -> Cell:
    """A cell of the cockpit: today's is one with those of other marts; a week ago other numbers are counted of the same students."""
    return Cell(measure if week == WEEKS[-1] else f"{measure} before", school, (grade, "all", "all"))
