"""Load files of lines into typed tables, in a thread beside the one that reads the tap."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec

from .._core.sql import connect, literal, quoted
from ..errors import TargetError
from ..singer.parquet_batch import read_parquet
from .record_mapping import WarehouseMapping
from .schema import ADDED, EXTRACTED, RECEIVED, VERSION, comments, without_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from .schema import Table

STAGED = "staged"
"""Name of the database of staged rows."""
NUMBER = "number"
"""Column with a row's number among all rows of the run, if the row was staged on its own."""
LOADER_MEMORY = "250MB"
"""The limit of the engine's memory, if nothing else is set."""
_LONGEST_LINE = 8 << 20
_AHEAD = 4
"""Number of files that may wait for the thread before the tap has to wait."""
_TOGETHER = 16
"""Number of files loaded in one transaction: a commit ends a row group early, so it should be rare."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A file of rows of one table: record lines or Parquet."""

    table: Table
    path: Path
    rows: int
    version: int | None = None
    columns: frozenset[str] = frozenset()
    """Columns of a Parquet file; empty for record lines."""
    keep: bool = False
    """True if the file belongs to the tap and must not be deleted."""

    @property
    def is_parquet(self) -> bool:
        """True if the file is Parquet."""
        return bool(self.columns)


class Loader:
    """The database of staged rows, and the thread that fills it."""

    def __init__(
        self,
        folder: Path,
        schema: str,
        now: datetime,
        *,
        is_new: bool,
        memory: str,
    ) -> None:
        """Create the database in the folder; `now` is the read time of rows that have none.

        With `is_new`, the database will become the warehouse itself.
        """
        self.path = folder / f"{STAGED}.duckdb"
        self._schema = schema
        self._now = f"{literal(now.isoformat())}::TIMESTAMPTZ"
        self._connection = connect(str(self.path), folder, memory)
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        self.unreadable: Counter[tuple[str, str]] = Counter()
        """Number of values of another type than their column, by table and column, of lines that DuckDB could not read."""
        self.deviations: Counter[tuple[str, str]] = Counter()
        """Rules broken by the values of these lines, by table."""
        self._is_new = is_new
        self._queue: queue.Queue[Segment | Table | None] = queue.Queue(_AHEAD)
        self._failure: Exception | None = None
        self._stopped = False
        self._together: list[Segment] = []
        """Files that are loaded but not committed."""
        self._thread = threading.Thread(target=self._work, name="loader", daemon=True)
        self._thread.start()

    def place(self, name: str) -> str:
        """Return a staged table's name for SQL."""
        return f"{STAGED}.{quoted(self._schema)}.{quoted(name)}"

    def put(self, task: Segment | Table | None) -> None:
        """Queue a table to be created, or a file to be loaded; None is the end.

        Raise the error of an earlier file, if the thread failed.
        """
        while not self._failure:
            with suppress(queue.Full):
                return self._queue.put(task, timeout=0.2)
        raise self._failure

    def finish(self) -> duckdb.DuckDBPyConnection:
        """Wait for the thread, and return the connection to the caller."""
        self.put(None)
        self._thread.join()
        if self._failure:
            raise self._failure
        return self._connection

    def stop(self) -> None:
        """Stop the thread without loading waiting files, and close the database."""
        if not self._stopped:
            self._stopped = True
            self._connection.interrupt()
            self._failure = self._failure or TargetError("The run was stopped.")
            self._thread.join(timeout=10)
            self._connection.close()

    def _work(self) -> None:
        while not self._stopped:
            try:
                task = self._queue.get(timeout=0.2)
            except queue.Empty:
                continue
            try:
                if isinstance(task, Segment):
                    self._load(task)
                    continue
                self._commit()
                if task is None:
                    return
                self._make(task)
            except Exception as error:
                self._failure = error
                return

    def _make(self, table: Table) -> None:
        columns = table.columns if self._is_new else table.content | {n: ADDED[n][0] for n in (EXTRACTED, VERSION)}
        if table.has_family:
            columns = columns | {NUMBER: "BIGINT"}
        must = dict.fromkeys(table.keys if self._is_new else (), " NOT NULL")
        spec = ", ".join(f"{quoted(name)} {kind}{must.get(name, '')}" for name, kind in columns.items())
        self._connection.execute("BEGIN TRANSACTION")  # a commit takes longer than a comment
        self._connection.execute(f"CREATE TABLE {self.place(table.name)} ({spec})")
        if self._is_new:
            for statement in comments(table, self.place(table.name), columns):
                self._connection.execute(statement)
        self._connection.execute("COMMIT")

    def _load(self, segment: Segment) -> None:
        if not self._together:
            self._connection.execute("BEGIN TRANSACTION")
        self._together.append(segment)
        try:
            self._insert(segment, self._select(segment))
        except (duckdb.InvalidInputException, duckdb.ConversionException):
            # DuckDB rolls back all files: load them one by one, and the bad one line by line.
            self._connection.execute("ROLLBACK")
            self._one_by_one()
        if len(self._together) >= _TOGETHER:
            self._commit()

    def _commit(self) -> None:
        if self._together:
            self._connection.execute("COMMIT")
            self._drop()

    def _drop(self) -> None:
        for segment in self._together:
            if not segment.keep:
                segment.path.unlink()
        self._together.clear()

    def _one_by_one(self) -> None:
        for segment in self._together:
            try:
                self._insert(segment, self._select(segment))
            except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
                if segment.is_parquet:
                    raise self._unread(segment, error) from None
                mended = Segment(segment.table, segment.path.with_suffix(".mended"), segment.rows)
                self._mend(segment, mended.path)
                try:
                    self._insert(mended, self._select(mended))
                except (duckdb.InvalidInputException, duckdb.ConversionException) as fault:
                    raise self._unread(mended, fault) from None
                mended.path.unlink()
        self._drop()

    def _unread(self, segment: Segment, error: duckdb.Error) -> TargetError:
        """Return an error that names the stream, and the property that cannot be read on its own either."""
        table = segment.table
        for name, kind in table.content.items():
            if segment.is_parquet and name not in segment.columns:
                continue
            value = f"CAST({quoted(name)} AS {kind})" if segment.is_parquet else "record"
            record = {"record": f"STRUCT({quoted(name)} {kind})"}
            rows = read_parquet(segment.path) if segment.is_parquet else _json(segment.path, record)
            try:
                self._connection.execute(f"SELECT count({value}) FROM {rows}").fetchall()
            except duckdb.Error:
                return TargetError(
                    f"Stream {table.name}, property {name}: a value cannot be read as {kind}. Nothing was loaded."
                )
        return TargetError(
            f"Stream {table.name}: time_extracted or version of a record cannot be read ({type(error).__name__})."
            " Nothing was loaded."
        )

    def _insert(self, segment: Segment, select: str) -> None:
        table = segment.table
        names = [*map(quoted, table.content), EXTRACTED, VERSION, *([NUMBER] if table.has_family else [])]
        if self._is_new:
            names.append(RECEIVED)
            select = f"SELECT *, {self._now} FROM ({select})"
        into = f"INSERT INTO {self.place(table.name)} ({', '.join(names)})"
        try:
            rows = self._connection.execute(f"{into} {select}").fetchall()[0][0]
        except duckdb.ConstraintException:
            raise TargetError(without_key(table.name)) from None
        if rows != segment.rows:
            raise TargetError(
                f"Stream {table.name}: {segment.rows} rows came, {rows} could be read. Nothing was loaded."
            )

    def _mend(self, segment: Segment, target: Path) -> None:
        table = segment.table
        records = WarehouseMapping(table, table.content)
        encode = msgspec.json.Encoder().encode
        with segment.path.open("rb") as lines, target.open("wb") as out:
            for line in lines:
                try:
                    message: Any = msgspec.json.decode(line)
                    row = records.row(message["record"])
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError, KeyError, AttributeError):
                    raise TargetError(
                        f"A line of stream {table.name} is not a record message. Nothing was loaded."
                    ) from None
                out.write(encode(message | {"record": row}) + b"\n")
        self.unreadable.update({(table.name, column): count for column, count in records.unreadable.items()})
        self.deviations.update({(table.name, rule): count for rule, count in records.deviations.items()})

    def _select(self, segment: Segment) -> str:
        content = segment.table.content
        return (
            self._columns(segment, content) if segment.is_parquet else self._lines(segment.table, segment.path, content)
        )

    def _lines(self, table: Table, path: Path, content: Mapping[str, str]) -> str:
        inside = ", ".join(f"{quoted(name)} {kind}" for name, kind in content.items())
        columns = {"record": f"STRUCT({inside})", "time_extracted": "TIMESTAMPTZ", "version": "BIGINT"}
        if table.has_family:
            columns["number"] = "BIGINT"
        values = [f"record.{quoted(name)}" for name in content]
        values += [f"coalesce(time_extracted, {self._now})", *list(columns)[2:]]
        return f"SELECT {', '.join(values)} FROM {_json(path, columns)}"

    def _columns(self, segment: Segment, content: Mapping[str, str]) -> str:
        values = [
            f"CAST({quoted(name)} AS {kind})" if name in segment.columns else "NULL" for name, kind in content.items()
        ]
        extracted = f"coalesce(CAST({EXTRACTED} AS TIMESTAMPTZ), {self._now})"
        values.append(extracted if EXTRACTED in segment.columns else self._now)
        values.append("NULL" if segment.version is None else str(segment.version))
        if segment.table.has_family:
            values.append("NULL")
        return f"SELECT {', '.join(values)} FROM {read_parquet(segment.path)}"


def _json(path: Path, columns: Mapping[str, str]) -> str:
    spec = ", ".join(f"{name}: {literal(kind)}" for name, kind in columns.items())
    return (
        f"read_json({literal(str(path))}, format = 'newline_delimited', columns = {{{spec}}}, "
        f"maximum_object_size = {_LONGEST_LINE})"
    )
