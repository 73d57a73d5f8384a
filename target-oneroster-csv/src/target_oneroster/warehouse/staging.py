"""Staged rows of a warehouse: lines on disk, loaded into typed tables while the tap continues."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec

from .._core.copies import UNITED
from .._core.copies.tables import UNITED_USERS, left_out, settle
from .._core.model import file as file_named
from .._core.sql import count_distinct, quoted
from ..errors import TargetError
from ..singer.staging import Staging
from .loader import NUMBER, Loader, Segment
from .schema import ADDED, Table, without_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    import duckdb

    from .._core.model import File

_SEGMENT = 16 << 20
"""Size in bytes at which a file of lines is passed to the loader."""


@dataclass(frozen=True, slots=True)
class Came:
    """Counts of the rows that arrived of one stream."""

    records: int
    """Number of records of the last version."""
    distinct: int
    version: int | None
    first: int = 0
    """Row of the staged table at which the last version begins."""
    copies: Mapping[str, int] = field(default_factory=dict)
    """Number of rows with repeated keys, by the rule that decided."""


class Stage:
    """Rows of one table, in order of arrival."""

    def __init__(self, staging: WarehouseStaging, table: Table) -> None:
        self.table = table
        self.fields = table.fields
        self.zone = table.zone
        self.deviations: Counter[str] = Counter()
        """Rules that values of the rows broke, by field."""
        self.unreadable: Counter[str] = Counter()
        """Number of values of another type than their column, by column."""
        self.rows = 0
        self.places: list[tuple[int, int]] = []
        """For each run of lines, the number of its first row in this table, and among all rows."""
        self._staging = staging
        self._out: Any = None
        self._path: Path | None = None
        self._waiting = 0
        self._encoder = msgspec.json.Encoder()

    def add_lines(self, block: bytes, rows: int) -> None:
        """Stage record lines unchanged."""
        self._place(rows)
        self._write(block, rows)

    def add(self, row: dict[str, Any], version: int | None, extracted: Any) -> None:
        """Stage one row in the shape of the table."""
        line = {"record": row, "version": version, "time_extracted": extracted, "number": self._staging.take_numbers(1)}
        self._write(self._encoder.encode(line) + b"\n", 1)

    def add_parquet(self, path: Path, rows: int, columns: Iterable[str], version: int | None, *, keep: bool) -> None:
        """Stage a Parquet file whose columns have the table's names and types; `keep`: do not delete it."""
        self.flush()
        self._place(rows)
        self.rows += rows
        self._staging.loader.put(Segment(self.table, path, rows, version, frozenset(columns), keep))

    def takes(self, columns: Mapping[str, str]) -> bool:
        """True if a Parquet file has only columns of the table, and columns that every loader adds."""
        return set(columns) - set(ADDED) <= self.table.every_name and not any(
            "STRUCT" in kind and "STRUCT" not in self.table.content.get(name, "") for name, kind in columns.items()
        )

    def _place(self, rows: int) -> None:
        here = self._staging.take_numbers(rows)
        if not self.places or self.places[-1][1] - self.places[-1][0] != here - self.rows:
            self.places.append((self.rows, here))

    def _write(self, data: bytes, rows: int) -> None:
        if self._out is None:
            self._path = self._staging.new_path(self.table.name)
            self._out = self._path.open("wb")
            self._path.chmod(0o600)
        self._out.write(data)
        self._waiting += rows
        self.rows += rows
        if self._out.tell() >= _SEGMENT:
            self.flush()

    def flush(self) -> None:
        """Pass the rows written so far to the loader."""
        if self._out is not None and self._path is not None:
            self._out.close()
            self._staging.loader.put(Segment(self.table, self._path, self._waiting))
            self._out, self._path, self._waiting = None, None, 0

    def discard(self) -> None:
        """Close the file."""
        if self._out is not None:
            with suppress(OSError):  # on a full disk the buffer cannot be written
                self._out.close()
            self._out = None


class WarehouseStaging(Staging):
    """All rows of a run that have arrived so far, and the loader that fills tables with them."""

    def __init__(
        self,
        folder: Path,
        schema: str,
        now: datetime,
        *,
        is_new: bool,
        memory: str,
        **options: Any,
    ) -> None:
        super().__init__(folder, **options)
        self.stages: dict[str, Stage] = {}
        self.loader = Loader(folder, schema, now, is_new=is_new, memory=memory)
        self._files = 0

    def stage(self, file: File, *, tenant: bool = False) -> Stage:
        """Return the rows of that file; create them on first use."""
        if file.name not in self.stages:
            self.stages[file.name] = Stage(self, Table(file, tenant, self._secrets, self.zone))
            self.loader.put(self.stages[file.name].table)
        return self.stages[file.name]

    def inside(self, name: str, *, tenant: bool) -> Stage:
        """Return the rows of a derived file that are nested in their parents' records."""
        self.nested.add(name)
        return self.stage(file_named(name), tenant=tenant)

    def new_path(self, name: str) -> Path:
        """Return the path of a new file."""
        self._files += 1
        return self.folder / f"{name}.{self._files}.jsonl"

    def finish(self) -> duckdb.DuckDBPyConnection:
        """Wait until all rows are in tables, and return the connection that holds them."""
        for stage in self.stages.values():
            stage.flush()
        connection = self.loader.finish()
        counts = ", ".join(f"(SELECT count(*) FROM {self.loader.place(name)})" for name in self.stages)
        found = connection.execute(f"SELECT {counts}").fetchall()[0] if self.stages else ()
        for (name, stage), there in zip(self.stages.items(), found, strict=True):
            if there != stage.rows:
                raise TargetError(f"Stream {name}: {stage.rows} rows came, {there} were staged. Nothing was loaded.")
        return connection

    def came(self, connection: duckdb.DuckDBPyConnection, name: str, in_passes: Callable[[str, int], bool]) -> Came:
        """Count the rows that arrived. Raise TargetError for a row without a key, or if a version is lower than before.

        `in_passes`: return True if, for a stream with so many records, the last row of a key counts.
        """
        stage = self.stages[name]
        if not stage.rows:  # `finish` has counted them
            return Came(0, 0, None)
        table = self.loader.place(name)
        versions = connection.execute(
            f"SELECT _sdc_table_version, count(*), min(rowid), max(rowid) FROM {table} GROUP BY 1 ORDER BY 3"
        ).fetchall()
        before, end = None, -1
        for version, _, first, last in versions:
            if first < end or (before is not None and (version is None or version < before)):
                raise TargetError(f"Stream {name}: the version of its records went back. Start the tap again.")
            before, end = version, last
        version, records, first, _ = versions[-1]
        keys = [quoted(key) for key in stage.table.keys]
        empty = " OR ".join(f"{key} IS NULL OR {key} = ''" for key in keys)
        rows = f"{table} WHERE rowid >= {first}"
        distinct, without = connection.execute(
            f"SELECT {count_distinct(stage.table.keys)}, count(*) FILTER ({empty}) FROM {rows}"
        ).fetchall()[0]
        if without:
            raise TargetError(without_key(name))
        if records != distinct:  # keys are repeated, or two of them have the same hash
            what = keys[0] if len(keys) == 1 else f"({', '.join(keys)})"
            distinct = connection.execute(f"SELECT count(DISTINCT {what}) FROM {rows}").fetchall()[0][0]
        came = Came(records, distinct, version, first)
        if records == distinct:
            return came
        copies = self._settle(connection, stage.table, came, in_passes=in_passes(name, records))
        return replace(came, copies=copies)

    def _settle(
        self, connection: duckdb.DuckDBPyConnection, table: Table, came: Came, *, in_passes: bool
    ) -> dict[str, int]:
        """Decide which rows of repeated keys count."""
        keys, rows = ", ".join(map(quoted, table.keys)), self.rows(table.name, came)
        again = f"(SELECT {keys} FROM {rows} GROUP BY {keys} HAVING count(*) > 1)"
        return settle(
            lambda sql: connection.execute(sql).fetchall(),
            table.file,
            f"(SELECT * FROM {rows} SEMI JOIN {again} USING ({keys}))",
            list(table.content),
            number="row",
            orgs='"orgSourcedIds"',
            in_passes=in_passes,
        )

    def rows(self, name: str, came: Came, *, all_copies: bool = False) -> str:
        """Return a FROM clause of the rows that count, with their number in the table as `row`."""
        what, joined, where = "s.*", "", f"s.rowid >= {came.first}"
        if came.copies and not all_copies:
            where += f" AND s.rowid NOT IN (SELECT number FROM {left_out(name)})"
            if UNITED in came.copies:
                keys = ", ".join(map(quoted, self.stages[name].table.keys))
                joined = f" LEFT JOIN {quoted(UNITED_USERS)} u USING ({keys})"
                what += ' REPLACE (coalesce(u.orgs, s."orgSourcedIds") AS "orgSourcedIds", coalesce(u.role, s."role") AS "role")'
        return f"(SELECT {what}, s.rowid AS row FROM {self.loader.place(name)} s{joined} WHERE {where})"

    def number_rows(self, connection: duckdb.DuckDBPyConnection, name: str, came: Came) -> str:
        """Return a FROM clause of all rows of the last version, with their number among all rows of the run as `place`.

        It is valid until the next call.
        """
        connection.execute('CREATE OR REPLACE TEMP TABLE "places" (here BIGINT, everywhere BIGINT)')
        places = self.stages[name].places
        for start in range(0, len(places), 1000):
            values = ", ".join(f"({here}, {everywhere})" for here, everywhere in places[start : start + 1000])
            connection.execute(f'INSERT INTO "places" VALUES {values}')
        return (
            f"(SELECT s.*, coalesce(s.{NUMBER}, p.everywhere + s.row - p.here) AS place"
            f' FROM {self.rows(name, came, all_copies=True)} s ASOF LEFT JOIN "places" p ON s.row >= p.here)'
        )

    def discard(self) -> None:
        """Close all files and stop the loader; nothing more is loaded."""
        for stage in self.stages.values():
            stage.discard()
        self.loader.stop()
