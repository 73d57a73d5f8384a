"""Sanity: rows that a registrar would want to look at, whether or not they are new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..warehouse import sql
from ..words import ALL, Cell, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..warehouse import Warehouse

FILE_OF = {
    "students": "users",
    "classes": "classes",
    "courses": "courses",
    "two": "users",
    "large": "classes",
    "many": "users",
}


def sanity_rows() -> str:
    """Return a query of check, school and id at $load."""
    return sql("checks/sanity.sql")


def sanity(warehouse: Warehouse, baseline: int | None, load: int, *, is_quiet: bool) -> Iterator[Finding]:
    """Yield a finding for each check and school. `is_quiet`: nothing changed since the baseline."""
    if not warehouse.has("enrollments"):
        return
    counted = f"SELECT check_id, school, count(*) FROM ({sanity_rows()}) GROUP BY ALL ORDER BY ALL"
    now = {(check, school): rows for check, school, rows in warehouse.run(counted, load=load)}
    was: dict[tuple[str, str], int] = {}
    if is_quiet:
        was = now
    elif now and baseline is not None:
        was = {(check, school): rows for check, school, rows in warehouse.run(counted, load=baseline)}
    for (check, school), rows in now.items():
        file = FILE_OF[check.removeprefix("sanity.").partition("-")[0]]
        before = None if baseline is None else was.get((check, school), 0)
        yield Finding(check, Severity.WARN, Cell(file, school, ALL, ALL), before=before, now=rows, count=rows)
