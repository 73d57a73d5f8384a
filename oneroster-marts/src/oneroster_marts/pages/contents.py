"""What pages are made of: what holds for the whole district, and the rows of one school after another."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .words import grade_order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from ..reader import Reader, Row

DAYS = 45
"""How far back the line of enrollment goes."""
WEEKS = 20


@dataclass
class Contents:
    """What holds for all pages."""

    today: date
    small: int
    is_restricted: bool
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    spans: dict[str, dict[str, tuple[date | None, date | None]]] = field(default_factory=dict)
    not_given: list[str] = field(default_factory=list)
    inputs: list[Row] = field(default_factory=list)
    feed: list[Row] = field(default_factory=list)

    @property
    def schema(self) -> str:
        """The schema of which numbers may be hidden."""
        return "restricted" if self.is_restricted else "shared"

    @property
    def monday(self) -> date:
        """Monday of the week that is described."""
        return self.today - timedelta(self.today.weekday())

    def name(self, dimension: str, key: str | None) -> str:
        """Return the name of a school, course, term or contract; the id where there is none."""
        return self.names.get(dimension, {}).get(key or "", key or "none")

    def is_current(self, term: str) -> bool:
        """Return true for a term that goes on today, and for what has no term."""
        begin, end = self.spans.get("term", {}).get(term, (None, None))
        return (begin is None or begin <= self.today) and (end is None or self.today < end)


def read(reader: Reader, small: int, *, restricted: bool) -> Contents:
    """Read what holds for all pages."""
    of = Contents(reader.today(), small, restricted)
    for row in reader.rows(f"select * from {reader.table('shared.label')}"):
        of.names.setdefault(row["dimension"], {})[row["id"]] = row["name"]
        of.spans.setdefault(row["dimension"], {})[row["id"]] = (row["begin_date"], row["end_date"])
    of.inputs = sorted(
        reader.rows(f"select * from {reader.table('shared.input_status')}"), key=lambda row: str(row["input"])
    )
    of.not_given = [row["input"] for row in of.inputs if not row["given"]]
    feed = reader.table("shared.feed_health")
    of.feed = list(reader.rows(f"select * from {feed} where day = (select max(day) from {feed}) order by collection"))
    return of


@dataclass
class School:
    """The rows of a school."""

    id: str
    name: str
    of: Contents
    rows: dict[str, list[Row]]

    def week(self, back: int = 0, grade: str = "all") -> Row:
        """Return the row of the cockpit for a week, by default this one; empty if there is none."""
        monday = self.of.monday - timedelta(7 * back)
        return next((row for row in self.rows["cockpit"] if row["week"] == monday and row["grade"] == grade), {})

    def weeks(self, measure: str, grade: str = "all") -> list[tuple[date, Any]]:
        """Return the measure of each week that has one, the oldest first."""
        found = [
            (r["week"], r[measure]) for r in self.rows["cockpit"] if r["grade"] == grade and r[measure] is not None
        ]
        return sorted(found)[-WEEKS:]

    @property
    def grades(self) -> list[str]:
        """The grades that have students today."""
        return sorted({row["grade"] for row in self.today() if row["grade"] != "all"}, key=grade_order)

    def today(self) -> list[Row]:
        """Return the counts of today, a row a grade."""
        return [row for row in self.rows["enrollment"] if row["day"] == self.of.today]

    def count(self, grade: str = "all") -> Row:
        """Return the counts of today of a grade."""
        return next((row for row in self.today() if row["grade"] == grade), {})

    def days(self, grade: str) -> list[float]:
        """Return the students of a grade on each day of a load, the oldest first."""
        found = sorted((row["day"], row["students"]) for row in self.rows["enrollment"] if row["grade"] == grade)
        return [students for _, students in found]

    def first_day(self, grade: str) -> date | None:
        """Return the first of these days."""
        return min((row["day"] for row in self.rows["enrollment"] if row["grade"] == grade), default=None)

    def value(self, measure: str, back: int = 0) -> float | None:
        """Return one of the five numbers of a week; none if it is hidden or not known."""
        row = self.week(back)
        if measure == "enrolled" and back == 0 and row.get("enrolled") is None:
            return self.count().get("students")
        found: float | None = row.get(measure)
        return found


def schools(reader: Reader, of: Contents) -> Iterator[School]:
    """Yield each school with what its page shows, in the order of ids."""
    shared, own = "shared", of.schema
    since = (of.today - timedelta(DAYS)).isoformat()
    week = (of.monday - timedelta(7 * WEEKS)).isoformat()
    t = reader.table
    moves = t(f"{own}.transfer_count", "week", "from_school_id", "to_school_id", "kind", "students")
    loads, gaps = t(f"{shared}.class_load", "class_id", "school_id"), t(f"{own}.lms_membership_gap", "members", "kind")
    found = {
        "enrollment": f"select day, school_id, grade, students, seats, classes, mean_class_size, p90_class_size"
        f" from {t(f'{shared}.enrollment_count')} where class_type = 'all' and day >= date '{since}' and day <= date '{of.today}'",
        "classes": f"select school_id, course_id, term_id, students, teachers, course_median_students from {loads}",
        "cockpit": f"select * from {t(f'{own}.school_cockpit')} where week >= date '{week}' and week <= date '{of.today}'",
        "courses": f"select school_id, course_id, term_id, started, dropped, in_progress, graded, passed, pass_rate, suppressed"
        f" from {t(f'{own}.course_completion')}",
        "moves": f"select from_school_id as school_id, 'out' as direction, week, kind, students, suppressed from {moves}"
        f" union all select to_school_id as school_id, 'in' as direction, week, kind, students, suppressed from {moves}",
        "teachers": f"select * from {t(f'{own}.teacher_load_distribution')}",
        "lms": f"select its.school_id, gaps.lms, gaps.kind, count(*) as classes, sum(gaps.members) as members,"
        f" sum(case when gaps.suppressed then 1 else 0 end) as hidden from {gaps} as gaps"
        f" inner join (select distinct class_id, school_id from {loads}) as its on gaps.class_id = its.class_id"
        f" group by its.school_id, gaps.lms, gaps.kind",
    }
    for school, rows in reader.by_school(found):
        yield School(school, of.name("school", school), of, _current(of, rows))


def _current(of: Contents, rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Return rows of terms that go on; where there are none, of the last ones before today, or of all."""
    for name in ("classes", "courses", "teachers"):
        terms: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows[name]:
            terms[row["term_id"]].append(row)
        now = {term for term in terms if of.is_current(term)}
        rows[name] = [row for term in sorted(now or _last(of, set(terms))) for row in terms[term]]
    return rows


def _last(of: Contents, terms: set[str]) -> set[str]:
    ends = {term: of.spans.get("term", {}).get(term, (None, None))[1] for term in terms}
    over = {term: end for term, end in ends.items() if end is not None and end <= of.today}
    return {term for term, end in over.items() if end == max(over.values())} or terms
