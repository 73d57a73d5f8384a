"""Keys: references without a row, required references that are empty, ids that name another person or class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model import Kind
from .._core.sql import literal, quoted
from ..warehouse import sql
from ..words import ALL, Cell, Finding, Severity
from .columns import is_blank

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._core.model import Field, File
    from ..warehouse import Warehouse
    from .columns import Filled

MANY = 0.01
"""Share of a file from which orphans hold."""


def orphan_rows(of: File, field: Field) -> str:
    """Return a query of the rows at $load whose reference names a row that is not there."""
    target, rows = quoted(f"{field.refers_to}_at"), quoted(f"{of.name}_at")
    is_list = field.kind == Kind.REFS
    value = f"unnest(x.{quoted(field.name)})" if is_list else f"x.{quoted(field.name)}"
    points = (
        f"list_has_any(x.{quoted(field.name)}, (SELECT list(ref) FROM gone))" if is_list else f"{value} IN (FROM gone)"
    )
    # The references that lead nowhere come first: they are few, and the rows need no hash table.
    return (
        f"WITH gone AS MATERIALIZED (SELECT DISTINCT {value} AS ref FROM {rows}($load) x WHERE x.{quoted(field.name)} IS NOT NULL "
        f'EXCEPT SELECT "sourcedId" FROM {target}($load)) '
        f'SELECT {_school(of)} AS school, x."sourcedId" AS id FROM {rows}($load) x WHERE {points}'
    )


def missing_rows(of: File, field: Field) -> str:
    """Return a query of the rows at $load whose required reference is empty."""
    return f'SELECT {_school(of)} AS school, x."sourcedId" AS id FROM {quoted(of.name + "_at")}($load) x WHERE {is_blank(field)}'


def _school(of: File) -> str:
    """Return the school of a row `x`; users have several, and their references are judged for the file."""
    return f"coalesce(x.{quoted(of.school)}, '')" if of.school and of.name != "users" else f"'{ALL}'"


def orphans(warehouse: Warehouse, of: File, baseline: int | None, load: int, rows: int) -> Iterator[Finding]:
    """Yield references without a row: those that are new since the baseline, or all on a first night.

    `rows`: how many the file has.
    """
    fields = [
        f for f in of.fields if f.refers_to and warehouse.has(f.refers_to) and f.name in warehouse.columns(of.name)
    ]
    if not fields:
        return
    counted = " UNION ALL ".join(
        f"SELECT {literal(f.name)}, school, count(*) FROM ({orphan_rows(of, f)}) GROUP BY ALL" for f in fields
    )
    now = {(name, school): count for name, school, count in warehouse.run(f"{counted} ORDER BY ALL", load=load)}
    was: dict[tuple[str, str], int] = {}
    if now and baseline is not None:
        was = {(name, school): count for name, school, count in warehouse.run(counted, load=baseline)}
    for field in fields:
        new = {s: n for (name, s), n in now.items() if name == field.name and n > was.get((name, s), 0)}
        is_hold = baseline is not None and sum(new.values()) > rows * MANY
        for school, count in new.items():
            severity = Severity.HOLD if is_hold else Severity.WARN
            cell = Cell(of.name, school, ALL, ALL)
            before = None if baseline is None else was.get((field.name, school), 0)
            yield Finding(_orphan(field), severity, cell, field.name, before, count, count)


def _orphan(field: Field) -> str:
    word = field.name.removesuffix("s").removesuffix("SourcedId")
    return f"keys.orphan-{'user' if word == 'sourcedId' else word}"


def missing(of: File, was: Mapping[str, Filled], now: Mapping[str, Filled]) -> Iterator[Finding]:
    """Yield required references that are empty in more rows than before (pure)."""
    for field in of.fields:
        if not field.required or field.kind != Kind.REF:
            continue
        for school, filled in now.items():
            is_shown = school != ALL if of.school and of.name != "users" else school == ALL
            empty = _empty(filled, field.name)
            before = _empty(was[school], field.name) if school in was else 0
            if is_shown and empty > before:
                cell = Cell(of.name, school, ALL, ALL)
                yield Finding("keys.missing", Severity.WARN, cell, field.name, before, empty, empty)


def _empty(filled: Filled, column: str) -> int:
    return filled.rows - filled.present.get(column, filled.rows)


def reused_rows(name: str) -> str:
    """Return a query of the ids that name another person, or another class, at $load than at $baseline."""
    return sql(f"checks/reused_{name}.sql")


def reused(warehouse: Warehouse, baseline: int, load: int) -> Iterator[Finding]:
    """Yield ids that were given to another person or class between two loads."""
    for name in ("users", "classes"):
        if not warehouse.has(name):
            continue
        for school, count in warehouse.run(
            f"SELECT school, count(DISTINCT id) FROM ({reused_rows(name)}) GROUP BY 1 ORDER BY 1",
            baseline=baseline,
            load=load,
        ):
            yield Finding("keys.reused", Severity.HOLD, Cell(name, school, ALL, ALL), now=count, count=count)
