"""Schedule: classes of a school that opened, closed or moved, and how many persons that touches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..warehouse import sql
from ..words import ALL, Cell, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from ..cells import Counts
    from ..warehouse import Warehouse

MOVES = ("period", "room", "teacher", "term", "course")
WARN_SHARE = 0.1


def prepare(warehouse: Warehouse) -> None:
    """Make the table `schedule` of the session, empty: a row for each class that opened, closed, moved or has a new id."""
    warehouse.run(
        "CREATE OR REPLACE TEMP TABLE schedule (baseline BIGINT, class_id VARCHAR, school_id VARCHAR, old_id VARCHAR, what VARCHAR, "
        + ", ".join(f"{move} BOOLEAN" for move in MOVES)
        + ", teachers_out VARCHAR[], teachers_in VARCHAR[], students_in BIGINT, students_out BIGINT)"
    )


def build(warehouse: Warehouse, baseline: int, load: int, today: date) -> None:
    """Add what became of the classes since a load. `prepare` and the crosswalk go before."""
    warehouse.run(
        f"INSERT INTO schedule BY NAME {sql('checks/schedule.sql')}", baseline=baseline, load=load, today=today
    )


def summary(warehouse: Warehouse, baseline: int, load: int) -> list[dict[str, Any]]:
    """Return for each school how many classes did what, and how many students and teachers that touches."""
    moved = ", ".join(f"count(*) FILTER ({move}) AS {move}" for move in MOVES)
    names = ("school_id", "opened", "closed", "new_ids", "classes", *MOVES, "students", "teachers")
    rows = warehouse.run(
        f"WITH persons AS ({sql('checks/schedule_persons.sql')}), touched AS ("
        "SELECT school_id, count(DISTINCT person) FILTER (role = 'student') AS students, "
        "count(DISTINCT person) FILTER (role = 'teacher') AS teachers FROM persons GROUP BY 1), classes AS ("
        "SELECT school_id, count(*) FILTER (what = 'opened') AS opened, count(*) FILTER (what = 'closed') AS closed, "
        f"count(*) FILTER (old_id IS NOT NULL) AS new_ids, count(*) FILTER (what <> 'new id') AS classes, {moved} "
        "FROM schedule WHERE baseline = $baseline GROUP BY 1) "
        "SELECT c.*, coalesce(t.students, 0), coalesce(t.teachers, 0) FROM classes c LEFT JOIN touched t USING (school_id) ORDER BY 1",
        baseline=baseline,
        load=load,
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def schedule(
    rows: Iterable[Mapping[str, Any]], counts: Mapping[Cell, Counts], *, expects_new_classes: bool
) -> Iterator[Finding]:
    """Yield the schools with classes that opened, closed or moved: a note, and a warning above a tenth (pure).

    While classes are built anew for a new year, it is a note at any size.
    """
    for row in rows:
        if not row["classes"]:
            continue
        cell = Cell("classes", row["school_id"], ALL, ALL)
        count = counts.get(cell)
        before, now = (count.before, count.now) if count else (0, 0)
        share = row["classes"] / before if before else None
        is_much = share is not None and share > WARN_SHARE and not expects_new_classes
        severity = Severity.WARN if is_much else Severity.NOTE
        yield Finding("schedule.moved", severity, cell, before=before, now=now, count=row["classes"], share=share)


def schedule_rows() -> str:
    """Return a query of school and id of the classes that opened, closed or moved since $baseline."""
    return "SELECT school_id AS school, class_id AS id FROM schedule WHERE baseline = $baseline AND what <> 'new id'"
