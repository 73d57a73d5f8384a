"""Rollover: by school, what of the new school year is there, and what needs a fix in the SIS. Asked in season only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..warehouse import sql
from ..words import ALL, Cell, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from ..warehouse import Warehouse

LINES = (
    "sessions",
    "courses",
    "no-term",
    "both-years",
    "still-open",
    "no-teacher",
    "no-students",
    "dates",
    "students",
    "grades",
    "org",
)
"""What is asked of each school, in the order of the page."""
FILE_OF = {"sessions": "academicSessions", "circle": "academicSessions", "courses": "courses", "dates": "enrollments",
           "students": "users", "grades": "users", "org": "orgs"}  # fmt: skip
"""The file of a line's rows; that of the other lines is classes."""
_AT_ONCE = ("no-term", "still-open", "org")
"""Lines that can be answered before the school has classes of the new year."""
FEWER, SAME = 0.2, 0.8
"""Shares: of courses that are not offered again, and of students whose grade is the same, from which a line needs a fix."""
LATE_DAYS, EXPECTED_BEFORE, EXPECTED_AFTER = 14, 30, 14


@dataclass(frozen=True, slots=True)
class Season:
    """The new school year and the one before it; both are the years in which they end."""

    year: int
    starts: date
    old_year: int
    old_ends: date | None

    def expects_new_classes(self, day: date) -> bool:
        """True from 30 days before the year until two weeks after its start: classes are built anew then."""
        return -EXPECTED_BEFORE <= (day - self.starts).days <= EXPECTED_AFTER


@dataclass(frozen=True, slots=True)
class Answers:
    """What the warehouse says."""

    counts: Mapping[tuple[str, str], int]
    """Rows by line and school."""
    begun: frozenset[str]
    """Schools that have classes of the new year."""
    courses: Mapping[str, int]
    """Courses of the old year, by school."""
    back: Mapping[str, int]
    """Students of the old year who are in classes of the new one, by school."""


def prepare(warehouse: Warehouse, load: int, today: date) -> Season | None:
    """Find the year of each session, and return the season; None if no new year is near."""
    warehouse.run(f"CREATE OR REPLACE TEMP TABLE rollover_sessions AS {sql('checks/rollover_sessions.sql')}", load=load)
    found = warehouse.run(sql("checks/rollover_season.sql"), today=today)
    return Season(*found[0]) if found else None


def rows(warehouse: Warehouse, season: Season, load: int, today: date) -> str:
    """Make what the lines are read from, and return a query of line, school and id. `prepare` goes before."""
    years = {"load": load, "new_year": season.year, "old_year": season.old_year, "old_end": season.old_ends}
    for name in ("classes", "pupils"):
        warehouse.run(f"CREATE OR REPLACE TEMP TABLE rollover_{name} AS {sql(f'checks/rollover_{name}.sql')}", **years)
    is_late = season.old_ends is not None and (today - season.old_ends).days > LATE_DAYS
    warehouse.run(
        f"CREATE OR REPLACE TEMP TABLE rollover_rows AS {sql('checks/rollover.sql')}", is_late=is_late, **years
    )
    return "SELECT line, school, id FROM rollover_rows"


def answers(warehouse: Warehouse, season: Season, load: int, today: date) -> Answers:
    """Count the rows of each line and school."""
    query = rows(warehouse, season, load, today)
    counts = {
        (line, school): n
        for line, school, n in warehouse.run(f"SELECT line, school, count(*) FROM ({query}) GROUP BY ALL")
    }
    begun = warehouse.run("SELECT DISTINCT school FROM rollover_classes WHERE is_there AND is_new")
    courses = warehouse.run("SELECT school, count(DISTINCT course) FROM rollover_classes WHERE is_old GROUP BY 1")
    back = warehouse.run("SELECT school, count(*) FROM rollover_pupils WHERE is_back GROUP BY 1")
    there = {
        org
        for (org,) in warehouse.run("""SELECT "sourcedId" FROM "orgs_at"($load) WHERE "type" = 'school'""", load=load)
    }
    counts |= {("org", school): 0 for school in there}
    return Answers(counts, frozenset(s for (s,) in begun), dict(courses), dict(back))


def lines(found: Answers, schools: Mapping[str, str]) -> Iterator[tuple[str, str, str, int]]:
    """Yield school, line, state and count (pure)."""
    for school in schools:
        for line in LINES:
            count = found.counts.get((line, school), 1 if line == "org" else 0)
            if line == "courses" and count <= FEWER * found.courses.get(school, 0):
                count = 0
            if line == "grades" and count <= SAME * found.back.get(school, 0):
                count = 0
            if school not in found.begun and line not in _AT_ONCE:
                yield school, line, "not begun", 0
            elif count:
                yield school, line, "fix", count
            else:
                yield school, line, "not begun" if school not in found.begun and line != "org" else "clean", 0


def findings(
    told: Iterable[tuple[str, str, str, int]], found: Answers, schools: Mapping[str, str], *, has_begun: bool
) -> Iterator[Finding]:
    """Yield what needs a fix, and once the year `has_begun`, the schools that have none of its classes (pure)."""
    for school, line, state, count in told:
        if state == "fix":
            cell = Cell(FILE_OF.get(line, "classes"), school, ALL, ALL)
            yield Finding(f"rollover.{line}", Severity.WARN, cell, now=count, count=count)
    for school in schools if has_begun else ():
        count = found.counts.get(("not-begun", school), 0)
        if school not in found.begun and count:
            cell = Cell("classes", school, ALL, ALL)
            yield Finding("rollover.not-begun", Severity.WARN, cell, now=count, count=count)


def circles(warehouse: Warehouse) -> Iterator[Finding]:
    """Yield the sessions that are their own ancestors, in season or not."""
    ((count,),) = warehouse.run("SELECT count(*) FROM rollover_sessions WHERE is_there AND is_circle")
    if count:
        cell = Cell(FILE_OF["circle"], "", ALL, ALL)
        yield Finding("rollover.circle", Severity.WARN, cell, now=count, count=count)
