"""DuckDB as the engine for sorting, joining and merging: on disk, within a memory limit, without network access."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import duckdb

PATIENCE_SECONDS = 30.0
MEMORY = "140MB"
"""The limit of the engine's memory, if nothing else is set."""
_BUSY = ("set lock", "file handle conflict", "already attached", "different configuration")
_T = TypeVar("_T")


def quoted(name: str) -> str:
    """Return a name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a trusted text (a path, a word of the model) as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def count_distinct(keys: Iterable[str]) -> str:
    """Return SQL that counts keys by their hashes, a quarter faster than by their values.

    The count may be too low, never too high: if it equals the number of rows, no key is repeated.
    """
    return f"count(DISTINCT hash({', '.join(map(quoted, keys))}))"


def read_csv(
    path: Path,
    columns: Mapping[str, str] | Iterable[str],
    delim: str = ",",
    quote: str = '"',
    escape: str = "",
    **options: Any,
) -> str:
    """Return a FROM clause of a CSV file; columns without a type are text, and no cell is null.

    `escape` stands before a quotation mark in a quoted cell; by default it is the quotation mark itself.
    """
    types = columns if isinstance(columns, Mapping) else dict.fromkeys(columns, "VARCHAR")
    spec = ", ".join(f"{literal(name)}: '{kind}'" for name, kind in types.items())
    more = "".join(f", {name} = {value}" for name, value in options.items())
    return (
        f"read_csv({literal(str(path))}, columns = {{{spec}}}, auto_detect = false, delim = '{delim}', "
        f"quote = '{quote}', escape = '{escape or quote}', nullstr = '\x01'{more})"
    )


def connect(database: str, folder: Path, memory: str) -> duckdb.DuckDBPyConnection:
    """Open a database with one thread and no network that preserves row order and spills to `folder` beyond `memory`."""
    return duckdb.connect(
        database,
        config={
            "memory_limit": memory,
            "threads": 1,
            "temp_directory": str(folder / "spill"),
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_file_cache": False,
        },
    )


def is_busy(words: str) -> bool:
    """True if the engine's message, without the path, says that a database file is open elsewhere."""
    return any(word in words for word in _BUSY)


def when_free(path: Path, attempt: Callable[[], _T], fault: Callable[[str], Exception]) -> _T:
    """Return what `attempt` returns, which opens a database file; wait some seconds while the file is open elsewhere.

    If it cannot be opened, raise what `fault` returns for the engine's message without the path.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return attempt()
        except duckdb.Error as error:
            words = str(error).replace(str(path), "")
            if not is_busy(words) or time.monotonic() >= end:
                raise fault(words) from None
        time.sleep(0.5)


class Engine:
    """The tables of one run, used by one thread."""

    def __init__(self, folder: Path, *, large: bool = False, memory: str = MEMORY) -> None:
        # A database in memory that spills to the folder beyond its limit is twice as fast. Large data would not fit
        # even so, and use a database file.
        self._connection = connect(str(folder / "staging.duckdb") if large else ":memory:", folder, memory)
        # The text of one cell, quoted if RFC 4180 requires it.
        self.run(
            """CREATE MACRO cell(x) AS CASE WHEN contains(x, '"') THEN '"' || replace(x, '"', '""') || '"'
               WHEN contains(x, ',') THEN '"' || x || '"' ELSE x END"""
        )

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        return self._connection.execute(sql, list(parameters)).fetchall()

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Return the single number that a query selects, or the number of rows that a statement changed."""
        rows = self.run(sql, parameters)
        return int(rows[0][0] or 0)

    def count(self, table: str, where: str = "true") -> int:
        """Return the number of rows of a table that match a condition; 0 if there is no such table."""
        try:
            return self.one(f"SELECT count(*) FROM {quoted(table)} WHERE {where}")
        except duckdb.CatalogException:
            if self.has(table):  # the condition names a table that does not exist
                raise
            return 0

    def has(self, table: str) -> bool:
        """True if there is a table of that name."""
        try:
            self.run(f"SELECT 1 FROM {quoted(table)} LIMIT 0")
        except duckdb.CatalogException:
            return False
        return True

    def replace(self, table: str, select: str) -> None:
        """Replace a table by the result of a query."""
        self.run(f"CREATE TABLE {quoted(table + ' new')} AS {select}")
        self.run(f"DROP TABLE IF EXISTS {quoted(table)}")
        self.run(f"ALTER TABLE {quoted(table + ' new')} RENAME TO {quoted(table)}")

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns, in order."""
        description = self._connection.execute(f"SELECT * FROM {quoted(table)} LIMIT 0").description or []
        return [str(column[0]) for column in description]

    def make(self, table: str, columns: Iterable[str]) -> None:
        """Create an empty table of text columns."""
        names = ", ".join(f"{quoted(name)} VARCHAR" for name in columns)
        self.run(f"CREATE TABLE {quoted(table)} ({names})")

    def insert(self, table: str, columns: Collection[str], rows: str) -> int:
        """Add the rows of a FROM clause, which has these columns; other columns stay blank. Return the number of rows."""
        values = [quoted(name) if name in columns else "''" for name in self.columns(table)]
        return self.one(f"INSERT INTO {quoted(table)} SELECT {', '.join(values)} FROM {rows}")

    def in_order(self, table: str) -> bool:
        """True if the ids of a table strictly increase from row to row, so that none occurs twice."""
        return not self.one(
            f'SELECT count(*) FROM (SELECT "sourcedId" AS id, lag("sourcedId") OVER () AS before FROM {quoted(table)})'
            " WHERE before >= id"
        )

    def close(self) -> None:
        """Close the database and free its memory and spilled files."""
        self._connection.close()
