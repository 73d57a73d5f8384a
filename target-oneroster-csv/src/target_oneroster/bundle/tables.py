"""Staged text to tables: one a file, sorted by sourcedId, one row for each id."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from .._core.model import File, Kind
from .._core.sql import Engine, literal, quoted
from ..records.copies import CONFLICT, UNITED, copies, strongest, united
from .staging import LINE_LIMIT, SEPARATOR, FileStage

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["GONE", "USERS_UNITED", "count_copies", "load", "set_tombstones_apart", "staged_rows"]

GONE = "gone"
"""Table of the rows a source has marked `tobedeleted`: file and sourcedId."""
USERS_UNITED = "users united"
"""Table of the roles of persons who came in several rows."""

_SORTED_AT_ONCE = 4_000_000


def staged_rows(stage: FileStage) -> str:
    """The staged file as a FROM clause; every cell is text and none is null."""
    columns = {"row number": "BIGINT"} | {field.name: "VARCHAR" for field in stage.fields}
    spec = ", ".join(f"{literal(name)}: '{kind}'" for name, kind in columns.items())
    return (
        f"read_csv({literal(str(stage.path))}, columns = {{{spec}}}, auto_detect = false, header = false, "
        f"delim = '{SEPARATOR}', quote = '', escape = '', new_line = '\\n', nullstr = '\x01', parallel = false, "
        f"max_line_size = {LINE_LIMIT}, buffer_size = {LINE_LIMIT * 2})"
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

    Where ids rose from row to row there is nothing to sort, and no id came more than once.
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
        _settle(engine, stage, everything, neighbours)
        engine.run(f"DROP TABLE {everything}")
    else:
        engine.run(f'ALTER TABLE {everything} DROP "row number"')
        engine.run(f"ALTER TABLE {everything} RENAME TO {quoted(name)}")
    return stage.records - repeated


def _settle(engine: Engine, stage: FileStage, everything: str, neighbours: str) -> None:
    """Make the table of a file some of whose ids came more than once.

    `<file> copies` says what was decided of these ids, `<file> conflicting` holds the rows of which nothing
    tells which counts, and `users united` the roles of persons who came in several rows.
    """
    name, columns = stage.file.name, [field.name for field in stage.fields]
    repeated, verdicts = quoted(f"{name} repeated"), quoted(f"{name} copies")
    engine.run(
        f'CREATE TABLE {repeated} AS SELECT * FROM {everything} WHERE "sourcedId" IN '
        f'(SELECT "sourcedId" FROM ({neighbours}) WHERE "next id" = "sourcedId")'
    )
    terms = {"modified": "nullif(\"dateLastModified\", '')", "number": '"row number"'}
    engine.run(f"CREATE TABLE {verdicts} AS {copies(stage.file, repeated, columns, **terms)}")
    engine.run(
        f'CREATE TABLE {quoted(name)} AS SELECT * EXCLUDE ("row number") FROM {everything} WHERE "row number" NOT IN '
        f'(SELECT "row number" FROM {repeated} WHERE "row number" NOT IN (SELECT kept FROM {verdicts}))'
    )
    found = dict(engine.run(f"SELECT verdict, count(*) FROM {verdicts} GROUP BY 1"))
    if CONFLICT in found:
        engine.run(
            f'CREATE TABLE {quoted(name + " conflicting")} AS SELECT r.* EXCLUDE ("row number") FROM {repeated} r '
            f'SEMI JOIN {verdicts} v ON v."sourcedId" = r."sourcedId" AND v.verdict = {literal(CONFLICT)}'
        )
    if UNITED in found:
        orgs = "string_split(s.\"orgSourcedIds\", ',')"
        engine.run(f'CREATE TABLE "{USERS_UNITED}" AS {united(repeated, verdicts, columns, orgs=orgs, **terms)}')
        engine.run(
            'UPDATE users SET "role" = u.role, "orgSourcedIds" = u.orgs FROM (SELECT "sourcedId" AS id, '
            f"arg_min(role, {strongest('role')}) AS role, string_agg(org, ',' ORDER BY first, org) AS orgs FROM "
            f'(SELECT "sourcedId", org, arg_min(role, {strongest("role")}) AS role, min(place) AS first '
            f'FROM "{USERS_UNITED}" GROUP BY 1, 2) GROUP BY 1) u WHERE u.id = users."sourcedId"'
        )


def count_copies(engine: Engine, names: Iterable[str]) -> Counter[str]:
    """Return how many rows were left out or united because their id came more than once, by rule."""
    counts: Counter[str] = Counter()
    for name in names:
        if engine.has(f"{name} copies"):
            for verdict, rows in engine.run(
                f"SELECT verdict, sum(copies - 1)::BIGINT FROM {quoted(name + ' copies')} "
                f"WHERE verdict <> {literal(CONFLICT)} GROUP BY 1 ORDER BY 1"
            ):
                counts[f"{name}: {verdict}"] = rows
    return counts


def set_tombstones_apart(engine: Engine, files: list[File]) -> None:
    """Move rows that are to be deleted out of the tables, into `gone`."""
    engine.run(f"CREATE TABLE IF NOT EXISTS {GONE} (file VARCHAR, id VARCHAR)")
    for kind in files:
        if not engine.has(kind.name):
            continue
        table = quoted(kind.name)
        marked = "\"status\" = 'tobedeleted'"
        if engine.has(f"{kind.name} conflicting"):  # nothing says that these are gone
            marked += f' AND "sourcedId" NOT IN (SELECT "sourcedId" FROM {quoted(kind.name + " conflicting")})'
        if engine.one(f"SELECT count(*) FROM {table} WHERE {marked}"):
            engine.run(f'INSERT INTO {GONE} SELECT {literal(kind.name)}, "sourcedId" FROM {table} WHERE {marked}')
            engine.run(f"DELETE FROM {table} WHERE {marked}")
