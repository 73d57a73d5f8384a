"""Different rows with the same id: if it is unknown which one is right, none is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._core.copies import CONFLICT
from ..._core.sql import quoted
from .findings import Severity

if TYPE_CHECKING:
    from .findings import Findings


def reject_conflicts(findings: Findings, file: str) -> None:
    """Reject all rows of ids that arrived with different rows."""
    engine, conflicting = findings.engine, f"{file} conflicting"
    if not engine.has(conflicting):
        return
    where = f'"sourcedId" IN (SELECT "sourcedId" FROM {quoted(conflicting)})'
    count = engine.one(f'SELECT count(DISTINCT "sourcedId") FROM {quoted(conflicting)}')
    findings.settle(Severity.ROW, file, "sourcedId", CONFLICT, where, count=count)
    findings.remove_rejected(file)
    # Replace the one row in the table by all rows that arrived.
    rejected = quoted(f"{file} rejected")
    engine.run(f"DELETE FROM {rejected} WHERE {where}")
    engine.run(f"INSERT INTO {rejected} BY NAME SELECT * FROM {quoted(conflicting)}")
