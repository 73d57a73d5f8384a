"""Columns: what share of a column is filled, in the file and in each school, and which words a vocabulary column holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._core.model import Kind
from .._core.sql import quoted
from ..diff import compared, placed
from ..words import ALL, Cell, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._core.model import Field, File
    from ..warehouse import Warehouse

POINTS, ROWS = 0.10, 20
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Filled:
    """How many rows of a file there are, and in how many each column has a value; of a school, or of all (`*`)."""

    rows: int
    present: dict[str, int]


def is_blank(field: Field) -> str:
    """Return the SQL condition that a column of `x` has no value."""
    name = f"x.{quoted(field.name)}"
    if field.kind.is_list:
        return f"coalesce(len({name}), 0) = 0"
    return (
        f"coalesce({name}, '') = ''" if field.kind in (Kind.STRING, Kind.REF, Kind.ID, Kind.WORD) else f"{name} IS NULL"
    )


def filled(warehouse: Warehouse, of: File, load: int) -> dict[str, Filled]:
    """Count the values of each column of a file, by school."""
    columns = compared(warehouse, of)
    if not columns:
        return {}
    counts = ", ".join(f"count(*) FILTER (NOT ({is_blank(of.field(column))}))" for column in columns)
    rows, parts, places = placed(of, "$load")
    total = f"SELECT '{ALL}', count(*), {counts} FROM {quoted(of.name + '_at')}($load) x"
    query = total
    if of.name == "users":
        inner = f"SELECT x.*, {parts} FROM {rows}"
        schools = f"unnest(list_distinct(list_transform({places}, lambda p: p[1])))"
        query = f"{total} UNION ALL SELECT school, count(*), {counts} FROM (SELECT *, {schools} AS school FROM ({inner})) x GROUP BY 1"
    elif of.school:
        school = f"coalesce(x.{quoted(of.school)}, '')"
        query = (
            f"{total} UNION ALL SELECT {school}, count(*), {counts} FROM {quoted(of.name + '_at')}($load) x GROUP BY 1"
        )
    answer = warehouse.run(query, load=load)
    return {school: Filled(n, dict(zip(columns, present, strict=True))) for school, n, *present in answer}


def blank(of: File, was: Mapping[str, Filled], now: Mapping[str, Filled]) -> Iterator[Finding]:
    """Yield the columns whose share of filled values fell by more than 10 points and 20 rows (pure)."""
    for column in now[ALL].present if ALL in now else ():
        found = {s: f for s in now if s in was and (f := _fell(of, column, s, was[s], now[s]))}
        total = found.pop(ALL, None)
        if total:
            rest = [_without(side, set(found), column) for side in (was, now)]
            if found and not _fell(of, column, ALL, *rest):
                total.root = max(found.values(), key=lambda f: f.count).id
            else:
                for finding in found.values():
                    finding.root = total.id
            yield total
        yield from found.values()


def _fell(of: File, column: str, school: str, was: Filled, now: Filled) -> Finding | None:
    if not was.rows or not now.rows or column not in was.present:
        return None
    before, after = was.present[column] / was.rows, now.present[column] / now.rows
    if before - after <= POINTS or (before - after) * now.rows <= ROWS:
        return None
    severity = Severity.HOLD if of.field(column).refers_to else Severity.WARN
    return Finding(
        "columns.blank",
        severity,
        Cell(of.name, school, ALL, ALL),
        column,
        before=was.present[column],
        now=now.present[column],
        count=now.rows - now.present[column],
        share=before - after,
    )


def _without(side: Mapping[str, Filled], schools: set[str], column: str) -> Filled:
    rows = side[ALL].rows - sum(side[s].rows for s in schools if s in side)
    present = side[ALL].present.get(column, 0) - sum(side[s].present.get(column, 0) for s in schools if s in side)
    return Filled(max(rows, 0), {column: max(present, 0)})


def words(warehouse: Warehouse, of: File, load: int) -> dict[str, dict[str, int]]:
    """Count the words of each vocabulary column. A word that the standard does not have counts as `other`."""
    found: dict[str, dict[str, int]] = {}
    there = set(warehouse.columns(of.name))
    for field in of.fields:
        if field.words and field.name in there and field.name != "status":
            value = f"unnest(x.{quoted(field.name)})" if field.kind.is_list else f"x.{quoted(field.name)}"
            counted: dict[str, int] = {}
            known = {*field.words.words, *field.words.added}
            for word, rows in warehouse.run(
                f"SELECT w, count(*) FROM (SELECT {value} AS w FROM {quoted(of.name + '_at')}($load) x) "
                "WHERE w IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1",
                load=load,
            ):
                shown = word if word in known else "other"
                counted[shown] = counted.get(shown, 0) + rows
            found[field.name] = counted
    return found


def words_changed(
    of: File, was: Mapping[str, Mapping[str, int]], now: Mapping[str, Mapping[str, int]]
) -> Iterator[Finding]:
    """Yield the vocabulary columns in which a word is new or gone (pure)."""
    for column, counted in now.items():
        before = was.get(column, {})
        new, gone = set(counted) - set(before), set(before) - set(counted)
        if before and (new or gone):
            yield Finding("columns.words", Severity.NOTE, Cell(of.name, ALL, ALL, ALL), column, len(gone), len(new))


def described(counted: Mapping[str, int]) -> str:
    """Return the most frequent words with their numbers."""
    return ", ".join(f"{word} {rows}" for word, rows in list(counted.items())[:SHOWN])


def column_rows(
    of: File, load: int, found: Mapping[str, Filled], vocabulary: Mapping[str, Mapping[str, int]]
) -> list[dict[str, Any]]:
    """Return the rows of the store's table `columns`."""
    total = found.get(ALL)
    if total is None:
        return []
    return [
        {
            "load": load,
            "file": of.name,
            "column_name": column,
            "present": present,
            "share": present / total.rows if total.rows else None,
            "words": described(vocabulary[column]) if column in vocabulary else None,
        }
        for column, present in total.present.items()
    ]
