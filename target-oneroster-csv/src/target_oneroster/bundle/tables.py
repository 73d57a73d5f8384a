"""Load staged text into tables: one for each file, sorted by sourcedId, with one row for each id."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .._core.copies import CONFLICT, UNITED
from .._core.copies.tables import SEVERAL_ROLES, UNITED_USERS, copies_of, left_out, settle
from .._core.model import File, Kind
from .._core.sql import Engine, count_distinct, literal, quoted, read_csv
from .parquet_lane import file_rows
from .staging import LINE_LIMIT, STAGED_FORM, FileStage

if TYPE_CHECKING:
    from collections import Counter

GONE = "gone"
"""Table with file and sourcedId of the rows that a source marked `tobedeleted`."""

_SORTED_AT_ONCE = 4_000_000


def staged_rows(stage: FileStage) -> str:
    """Return the staged rows as a FROM clause; every cell is text and none is null."""
    columns = {"row number": "BIGINT"} | {field.name: "VARCHAR" for field in stage.fields}
    sizes: dict[str, Any] = {"parallel": False, "max_line_size": LINE_LIMIT, "buffer_size": LINE_LIMIT * 2}
    lines = read_csv(stage.path, columns, **STAGED_FORM, **sizes)
    if not stage.columns:
        return lines
    files = file_rows(stage.columns)
    if stage.path.stat().st_size:
        files.insert(0, f"SELECT * FROM {lines}")
    return f"({' UNION ALL '.join(files)})"


def _selection(stage: FileStage) -> str:
    """Return SQL for the columns of the table; a date that arrived with a time keeps its day as written."""
    return ", ".join(
        f"CASE WHEN strlen({quoted(f.name)}) > 10 AND substr({quoted(f.name)}, 11, 1) IN ('T', ' ') THEN left({quoted(f.name)}, 10) "
        f"ELSE {quoted(f.name)} END AS {quoted(f.name)}"
        if f.kind == Kind.DATE
        else quoted(f.name)
        for f in stage.fields
    )


def _ranges(stage: FileStage) -> list[tuple[str, list[str]]]:
    """Return conditions for ranges of ids with their parameters; each range can be sorted within the memory limit."""
    parts = -(-stage.records // _SORTED_AT_ONCE)
    sample = sorted(stage.sample)
    bounds = sorted({sample[len(sample) * part // parts] for part in range(1, parts)})
    if not bounds:
        return [("true", [])]
    inner = [('"sourcedId" >= ? AND "sourcedId" < ?', [low, high]) for low, high in pairwise(bounds)]
    return [('"sourcedId" < ?', bounds[:1]), *inner, ('"sourcedId" >= ?', bounds[-1:])]


def load(engine: Engine, stage: FileStage, counts: Counter[str], *, in_passes: bool = False) -> int:
    """Create the table of a staged file and return the number of distinct ids; count repeated ids by rule.

    Its rows are in the order of arrival if no id is repeated, else in that of the ids. `in_passes`: the last row of an id
    counts.
    """
    name = stage.file.name
    if not stage.records:
        engine.run(f"DROP TABLE IF EXISTS {quoted(name)}")  # of an earlier version of its records
        engine.make(name, [field.name for field in stage.fields])
        return 0
    source, columns = staged_rows(stage), _selection(stage)
    if stage.loaded == stage.records and engine.has(name):
        if _are_distinct(engine, name, stage.records):
            return stage.records
    elif stage.in_order or stage.records <= _SORTED_AT_ONCE:
        engine.run(f"CREATE OR REPLACE TABLE {quoted(name)} AS SELECT {columns} FROM {source}")
        # Whole rows are not sorted here: sorting what is written, once, takes less time and memory.
        if stage.in_order or _are_distinct(engine, name, stage.records):
            return stage.records
    engine.run(f"DROP TABLE IF EXISTS {quoted(name)}")
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
        found = _settle(engine, stage, everything, neighbours, in_passes=in_passes)
        counts.update({f"{name}: {rule}": n for rule, n in found.items()})
        engine.run(f"DROP TABLE {everything}")
    else:
        engine.run(f'ALTER TABLE {everything} DROP "row number"')
        engine.run(f"ALTER TABLE {everything} RENAME TO {quoted(name)}")
    return stage.records - repeated


def _are_distinct(engine: Engine, name: str, records: int) -> bool:
    return engine.one(f"SELECT {count_distinct(['sourcedId'])} FROM {quoted(name)}") == records


def _settle(engine: Engine, stage: FileStage, everything: str, neighbours: str, *, in_passes: bool) -> dict[str, int]:
    """Create the table of a file with repeated ids; return the number of rows by the rule that decided.

    `<file> conflicting` receives the rows for which it is unknown which one counts.
    """
    name, columns = stage.file.name, [field.name for field in stage.fields]
    repeated = quoted(f"{name} repeated")
    engine.run(
        f'CREATE TABLE {repeated} AS SELECT * FROM {everything} WHERE "sourcedId" IN '
        f'(SELECT "sourcedId" FROM ({neighbours}) WHERE "next id" = "sourcedId")'
    )
    found = settle(
        engine.run,
        stage.file,
        repeated,
        columns,
        number='"row number"',
        modified="nullif(\"dateLastModified\", '')",
        orgs="string_split(\"orgSourcedIds\", ',')",
        in_passes=in_passes,
    )
    engine.run(
        f'CREATE TABLE {quoted(name)} AS SELECT * EXCLUDE ("row number") FROM {everything} '
        f'WHERE "row number" NOT IN (SELECT number FROM {left_out(name)})'
    )
    if found.pop(CONFLICT, 0):
        engine.run(
            f'CREATE TABLE {quoted(name + " conflicting")} AS SELECT r.* EXCLUDE ("row number") FROM {repeated} r '
            f'SEMI JOIN {copies_of(name)} v ON v."sourcedId" = r."sourcedId" AND v.verdict = {literal(CONFLICT)}'
        )
    if UNITED in found:
        engine.run(
            'UPDATE users SET "role" = u.role, "orgSourcedIds" = array_to_string(u.orgs, \',\') '
            f'FROM {quoted(UNITED_USERS)} u WHERE u."sourcedId" = users."sourcedId"'
        )
    found.pop(SEVERAL_ROLES, None)
    return found


def set_tombstones_apart(engine: Engine, files: list[File]) -> None:
    """Move rows that mark a deletion from the tables into `gone`."""
    engine.run(f"CREATE TABLE IF NOT EXISTS {GONE} (file VARCHAR, id VARCHAR)")
    for kind in files:
        if not engine.has(kind.name):
            continue
        table = quoted(kind.name)
        marked = "\"status\" = 'tobedeleted'"
        if engine.has(f"{kind.name} conflicting"):  # for conflicting rows the deletion is not certain
            marked += f' AND "sourcedId" NOT IN (SELECT "sourcedId" FROM {quoted(kind.name + " conflicting")})'
        if engine.one(f'INSERT INTO {GONE} SELECT {literal(kind.name)}, "sourcedId" FROM {table} WHERE {marked}'):
            engine.run(f"DELETE FROM {table} WHERE {marked}")
