"""Staged text to tables: one a file, sorted by sourcedId, the last row of each id."""

from __future__ import annotations

from itertools import pairwise

from .._core.model import File, Kind
from .._core.sql import Engine, literal, quoted
from .staging import SEPARATOR, FileStage

__all__ = ["GONE", "load", "set_tombstones_apart", "staged_rows"]

GONE = "gone"
"""Table of the rows a source has marked `tobedeleted`: file and sourcedId."""

_SORTED_AT_ONCE = 4_000_000
_LINE_LIMIT = 2_500_000


def staged_rows(stage: FileStage) -> str:
    """The staged file as a FROM clause; every cell is text and none is null."""
    columns = {"row number": "BIGINT"} | {field.name: "VARCHAR" for field in stage.fields}
    spec = ", ".join(f"{literal(name)}: '{kind}'" for name, kind in columns.items())
    return (
        f"read_csv({literal(str(stage.path))}, columns = {{{spec}}}, auto_detect = false, header = false, "
        f"delim = '{SEPARATOR}', quote = '', escape = '', new_line = '\\n', nullstr = '\x01', parallel = false, "
        f"max_line_size = {_LINE_LIMIT}, buffer_size = {_LINE_LIMIT * 2})"
    )


def _selection(stage: FileStage) -> str:
    """Columns of the table; a date that came with a time keeps the day as it was written."""
    return ", ".join(
        f"CASE WHEN strlen({quoted(f.name)}) > 10 AND substr({quoted(f.name)}, 11, 1) IN ('T', ' ') THEN left({quoted(f.name)}, 10) "
        f"ELSE {quoted(f.name)} END AS {quoted(f.name)}"
        if f.kind == Kind.DATE
        else quoted(f.name)
        for f in stage.fields
    )


def _ranges(stage: FileStage) -> list[tuple[str, list[str]]]:
    """Ranges of ids, each small enough to be sorted within the memory limit, with the bounds as parameters."""
    parts = -(-stage.records // _SORTED_AT_ONCE)
    sample = sorted(stage.sample)
    bounds = sorted({sample[len(sample) * part // parts] for part in range(1, parts)})
    if not bounds:
        return [("true", [])]
    inner = [('"sourcedId" >= ? AND "sourcedId" < ?', [low, high]) for low, high in pairwise(bounds)]
    return [('"sourcedId" < ?', bounds[:1]), *inner, ('"sourcedId" >= ?', bounds[-1:])]


def load(engine: Engine, stage: FileStage) -> int:
    """Make the table of a staged file and return how many different ids came.

    Where ids rose from row to row there is nothing to sort. Else the last row of an id counts;
    its earlier ones stay in `<file> repeated` for those who must compare them.
    """
    name = stage.file.name
    source, columns = staged_rows(stage), _selection(stage)
    if stage.in_order:
        engine.run(f"CREATE TABLE {quoted(name)} AS SELECT {columns} FROM {source}")
        return stage.records
    everything = quoted(f"{name} all")
    into = f"CREATE TABLE {everything} AS"
    for condition, bounds in _ranges(stage):
        engine.run(
            f'{into} SELECT {columns}, "row number" FROM {source} WHERE {condition} ORDER BY "sourcedId", "row number"',
            bounds,
        )
        into = f"INSERT INTO {everything}"
    neighbours = f'SELECT *, lead("sourcedId") OVER () AS "next id" FROM {everything}'
    repeated = engine.one(f'SELECT count(*) FROM ({neighbours}) WHERE "next id" = "sourcedId"')
    if repeated:
        engine.run(
            f'CREATE TABLE {quoted(name)} AS SELECT * EXCLUDE ("row number", "next id") FROM ({neighbours}) '
            f'WHERE "next id" IS DISTINCT FROM "sourcedId"'
        )
        engine.run(
            f'CREATE TABLE {quoted(name + " repeated")} AS SELECT * FROM {everything} WHERE "sourcedId" IN '
            f'(SELECT "sourcedId" FROM ({neighbours}) WHERE "next id" = "sourcedId")'
        )
        engine.run(f"DROP TABLE {everything}")
    else:
        engine.run(f'ALTER TABLE {everything} DROP "row number"')
        engine.run(f"ALTER TABLE {everything} RENAME TO {quoted(name)}")
    return stage.records - repeated


def set_tombstones_apart(engine: Engine, files: list[File]) -> None:
    """Move rows that are to be deleted out of the tables, into `gone`."""
    engine.run(f"CREATE TABLE IF NOT EXISTS {GONE} (file VARCHAR, id VARCHAR)")
    for kind in files:
        if not engine.has(kind.name):
            continue
        table = quoted(kind.name)
        marked = "\"status\" = 'tobedeleted'"
        if engine.one(f"SELECT count(*) FROM {table} WHERE {marked}"):
            engine.run(f'INSERT INTO {GONE} SELECT {literal(kind.name)}, "sourcedId" FROM {table} WHERE {marked}')
            engine.run(f"DELETE FROM {table} WHERE {marked}")
