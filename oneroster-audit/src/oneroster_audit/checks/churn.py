"""Churn: people and classes of a school that came back under other ids, and persons under two ids (pure, but for the counts)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..words import ALL, Cell, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..cells import Counts
    from ..warehouse import Warehouse

CHECK_OF = {"users": "churn.people", "classes": "churn.classes"}
MANY, FEW, PERCENT = 20, 5, 2
"""Rows from which a school is held, whatever its size; or fewer, if they are that share of it."""


_PLACED = (
    "SELECT file, old_id, verdict, unnest(CASE WHEN len(schools) = 0 THEN [''] ELSE schools END) AS school FROM crosswalk "
    "WHERE baseline = $baseline"
)


class Churn(NamedTuple):
    """How many rows of a school came back under other ids, by file and verdict of the proposal."""

    file: str
    school: str
    verdict: str
    rows: int


def counted(warehouse: Warehouse, baseline: int) -> list[Churn]:
    """Count the proposals; a person of two schools counts in each."""
    found = warehouse.run(
        f"SELECT file, school, verdict, count(*) FROM ({_PLACED}) GROUP BY ALL ORDER BY ALL", baseline=baseline
    )
    return [Churn(*row) for row in found]


def churn(
    found: Iterable[Churn], counts: Mapping[Cell, Counts], schools: Iterable[str], *, expects_new_classes: bool
) -> Iterator[Finding]:
    """Yield for each school what is proposed. It holds, but for classes while they are built anew for a new year.

    What belongs to an org that is no school holds every school, so it takes the larger number.
    """
    known = set(schools)
    for row in found:
        if row.file not in CHECK_OF or row.verdict != "proposed":
            continue
        cell = Cell(row.file, row.school, ALL, ALL)
        before = counts[cell].before if cell in counts else 0
        is_much = row.rows >= MANY or (row.school in known and row.rows >= FEW and row.rows * 100 >= before * PERCENT)
        severity = Severity.HOLD if is_much else Severity.NOTE
        if is_much and row.file == "classes" and expects_new_classes:
            severity = Severity.NOTE
        share = row.rows / before if before else None
        now = counts[cell].now if cell in counts else None
        yield Finding(CHECK_OF[row.file], severity, cell, before=before, now=now, count=row.rows, share=share)


def churn_rows(file: str) -> str:
    """Return a query of school and old id of what is proposed since $baseline."""
    return f"SELECT school, old_id AS id FROM ({_PLACED}) WHERE verdict = 'proposed' AND file = '{file}'"


def two_ids_counted(warehouse: Warehouse, baseline: int) -> list[tuple[str, int]]:
    """Count by school the users who are new, and stand for somebody who is still there."""
    query = "SELECT school, count(DISTINCT id) FROM two_ids WHERE baseline = $baseline GROUP BY 1 ORDER BY 1"
    return [(school, rows) for school, rows in warehouse.run(query, baseline=baseline)]


def two_ids(found: Iterable[tuple[str, int]]) -> Iterator[Finding]:
    """Yield a finding for each school."""
    for school, rows in found:
        yield Finding("keys.two-ids", Severity.WARN, Cell("users", school, ALL, ALL), now=rows, count=rows)
