"""Keys: references without a row, required references that are empty, ids that name another person or class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model import Kind
from .._core.sql import quoted
from ..warehouse import sql
from ..words import ALL, Cell, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._core.model import Field, File
    from ..warehouse import Warehouse

__all__ = ["keys", "missing_rows", "orphan_rows", "reused", "reused_rows"]

MANY = 0.01
"""Share of a file from which orphans hold."""


def orphan_rows(of: File, field: Field) -> str:
    """Return a query of the rows at $load whose reference names a row that is not there."""
    target = quoted(f"{field.refers_to}_at")
    school = _school(of)
    value = f"unnest(x.{quoted(field.name)})" if field.kind == Kind.REFS else f"x.{quoted(field.name)}"
    return (
        f'SELECT DISTINCT school, id FROM (SELECT {school} AS school, x."sourcedId" AS id, {value} AS ref '
        f"FROM {quoted(of.name + '_at')}($load) x) WHERE ref IS NOT NULL "
        f'AND NOT EXISTS (SELECT 1 FROM {target}($load) t WHERE t."sourcedId" = ref)'
    )


def missing_rows(of: File, field: Field) -> str:
    """Return a query of the rows at $load whose required reference is empty."""
    return (
        f'SELECT {_school(of)} AS school, x."sourcedId" AS id FROM {quoted(of.name + "_at")}($load) x '
        f"WHERE x.{quoted(field.name)} IS NULL"
    )


def _school(of: File) -> str:
    """Return the school of a row `x`; users have several, and their references are judged for the file."""
    return f"coalesce(x.{quoted(of.school)}, '')" if of.school and of.name != "users" else f"'{ALL}'"


def keys(warehouse: Warehouse, of: File, baseline: int | None, load: int, rows: int) -> Iterator[Finding]:
    """Yield what is new since the baseline; on a first night, what is there. `rows`: how many the file has."""
    for field in of.fields:
        if field.name not in warehouse.columns(of.name) or not field.refers_to:
            continue
        word = field.name.removesuffix("s").removesuffix("SourcedId")
        if warehouse.has(field.refers_to):
            check = f"keys.orphan-{'user' if word == 'sourcedId' else word}"
            found = list(_new(warehouse, check, of, field, orphan_rows(of, field), baseline, load))
            if baseline is not None and sum(f.count for f in found) > rows * MANY:
                for finding in found:
                    finding.severity = Severity.HOLD
            yield from found
        if field.required and field.kind == Kind.REF:
            yield from _new(warehouse, "keys.missing", of, field, missing_rows(of, field), baseline, load)


def _new(
    warehouse: Warehouse, check: str, of: File, field: Field, query: str, baseline: int | None, load: int
) -> Iterator[Finding]:
    counted = f"SELECT school, count(*) FROM ({query}) GROUP BY 1 ORDER BY 1"
    now = dict(warehouse.run(counted, load=load))
    was = dict(warehouse.run(counted, load=baseline)) if now and baseline is not None else {}
    for school, count in now.items():
        if count > was.get(school, 0):
            cell = Cell(of.name, school, ALL, ALL)
            yield Finding(check, Severity.WARN, cell, field.name, was.get(school, 0), count, count)


def reused_rows(name: str) -> str:
    """Return a query of the ids that name another person, or another class, at $load than at $baseline."""
    return sql(f"checks/reused_{name}.sql")


def reused(warehouse: Warehouse, baseline: int, load: int) -> Iterator[Finding]:
    """Yield ids that were given to another person or class between two loads."""
    for name in ("users", "classes"):
        if not warehouse.has(name):
            continue
        for school, count in warehouse.run(
            f"SELECT school, count(DISTINCT id) FROM ({reused_rows(name)}) GROUP BY 1 ORDER BY 1", baseline=baseline, load=load
        ):
            yield Finding("keys.reused", Severity.HOLD, Cell(name, school, ALL, ALL), now=count, count=count)
