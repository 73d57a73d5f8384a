"""The database file: opened only while rows are committed; its tables follow the model."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from .._core.sql import is_busy, literal, quoted, when_free
from ..errors import Misconfigured, TargetError
from .loader import STAGED
from .schema import comment_on, comments

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from .schema import Table

_NAME = "warehouse"
DAMAGED = "{} is damaged. Put it back from a copy, together with its .wal if there is one."


def proven(path: Path) -> None:
    """Raise an error for a file that cannot be opened, before the tap starts its work."""
    if path.is_dir():
        raise Misconfigured(f"filepath is a folder: {path}. Name a file.")
    if path.is_symlink() and not path.exists():
        raise Misconfigured(
            f"filepath is a link to a file that is not there: {path}. Remove it, or name the file itself."
        )
    if path.exists() and not path.is_file():
        raise Misconfigured(f"filepath is neither a file nor a link to one: {path}. Name a file.")
    if path.exists():
        with duckdb.connect() as connection:
            _attach(connection, path, read_only=True)
            connection.execute(f"DETACH {_NAME}")


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool = False) -> None:
    options = " (READ_ONLY)" if read_only else ""
    statement = f"ATTACH {literal(str(path))} AS {_NAME}{options}"
    when_free(path, lambda: connection.execute(statement), lambda words: _fault(words, path))


def is_damaged(words: str) -> bool:
    """True if the engine's message says that a file is truncated or corrupt."""
    return any(word in words for word in ("orrupt", "checksum", "WAL", "ould not read"))


def _fault(words: str, path: Path) -> TargetError:
    """Return why a file cannot be opened, from the engine's message."""
    if is_busy(words):
        text = f"{path} is in use: another process has it open, for reading or for writing. Close that one, run again."
        return TargetError(text)
    if "version number" in words or "newer version" in words:
        text = f"{path} was made by a newer DuckDB than {duckdb.__version__}. Upgrade the package duckdb."
        return Misconfigured(text)
    if "not a valid DuckDB" in words:
        return Misconfigured(f"{path} is not a DuckDB database. Move it away, or name another filepath.")
    if is_damaged(words):
        return TargetError(DAMAGED.format(path))
    text = f"{path} cannot be opened. See that its folder is there, and that both can be written."
    return TargetError(text)


class _Entry(NamedTuple):
    """What has a name in the file: a table or a view, and the types of its columns."""

    kind: str
    columns: dict[str, str]


class WarehouseFile:
    """The open database, on the connection that holds the staged rows."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: str, path: Path | None = None) -> None:
        """Open the file at `path`; without one, use the connection's own database."""
        self._connection = connection
        self._name = _NAME if path else STAGED
        self.schema = schema
        self._catalogue: dict[tuple[str, str], _Entry] | None = None
        self._types: dict[str, str] = {}
        if path:
            _attach(connection, path)
        try:
            self.run(f"USE {self._name}")
            self.run(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        except BaseException:
            self.close()
            raise

    def run(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        return self._connection.execute(sql, list(parameters)).fetchall()

    def insert(self, name: str, columns: Mapping[str, tuple[str, str]], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows to a table of the loader's own, with values for all columns."""
        if rows:  # a list for each column: a parameter for each value would take ten times as long
            names = ", ".join(map(quoted, columns))
            values = ", ".join(f"unnest(?::{kind}[])" for kind, _ in columns.values())
            into = f"INSERT INTO {self.place(name)} ({names}) SELECT {values}"
            self.run(into, [list(column) for column in zip(*rows, strict=True)])

    def one(self, sql: str, parameters: Any = ()) -> int:
        """Return the single number that a query selects."""
        return int(self.run(sql, parameters)[0][0] or 0)

    def change(self, sql: str, table: str = "") -> None:
        """Run a statement that creates, changes or drops a table or a view of the file; `table` if it is only that one."""
        self.run(sql)
        if not table:
            self._catalogue = None
        elif self._catalogue is not None:
            columns = {name: kind for name, kind, *_ in self.run(f"DESCRIBE {self.place(table)}")}
            self._catalogue[self.schema, table] = _Entry("TABLE", columns)

    def place(self, name: str) -> str:
        """Return a table's name for SQL."""
        return f"{quoted(self.schema)}.{quoted(name)}"

    def columns(self, name: str) -> dict[str, str]:
        """Return the columns of a table and their types; empty if the table does not exist."""
        entry = self._there().get((self.schema, name))
        return entry.columns if entry else {}

    def tables(self) -> list[str]:
        """Return the names of all tables."""
        there = self._there()
        return sorted(name for (schema, name), of in there.items() if schema == self.schema and of.kind == "TABLE")

    def _there(self) -> dict[tuple[str, str], _Entry]:
        """Return the tables and views of the file by schema and name; they are read once, and again after a change."""
        if self._catalogue is None:
            kinds = self.run(
                "SELECT table_schema, table_name, CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END "
                "FROM information_schema.tables WHERE table_catalog = ?",
                [self._name],
            )
            found = {(schema, name): _Entry(kind, {}) for schema, name, kind in kinds}
            for schema, name, column, kind in self.run(
                "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
                "WHERE database_name = ? ORDER BY column_index",
                [self._name],
            ):
                if entry := found.get((schema, name)):
                    entry.columns[column] = kind
            self._catalogue = found
        return self._catalogue

    def ensure(self, table: Table, name: str | None = None, extra: dict[str, tuple[str, str]] | None = None) -> bool:
        """Create a table, or adapt it to the model; return True if it is new.

        `extra` are columns that replace those of the loader. Raise Misconfigured if the table has other keys or types.
        """
        name = name or table.name
        wanted = table.columns if extra is None else table.content | {n: kind for n, (kind, _) in extra.items()}
        there = self.columns(name)
        if there and ("tenant" in there) != table.tenant:
            had = "with" if "tenant" in there else "without"
            raise Misconfigured(
                f"Table {self.schema}.{name} was made {had} tenant, which is part of its key. "
                "Use another default_target_schema, or set tenant in the tap as before."
            )
        if self._adapt(name, wanted, table.keys):
            more = None if extra is None else {n: text for n, (_, text) in extra.items()}
            for statement in comments(table, self.place(name), self.columns(name), more):
                self.run(statement)
        return not there

    def keep(self, name: str, columns: Mapping[str, tuple[str, str]], about: str) -> None:
        """Create or adapt a table of the loader's own; `columns` are types and comments, `about` is its comment."""
        if self._adapt(name, {column: kind for column, (kind, _) in columns.items()}):
            self.run("BEGIN")  # a commit takes longer than a comment
            for statement in comment_on(self.place(name), about, {n: text for n, (_, text) in columns.items()}):
                self.run(statement)
            self.run("COMMIT")

    def _adapt(self, name: str, wanted: Mapping[str, str], keys: Collection[str] = ()) -> bool:
        """Create a table, or add the columns that it lacks; return True if it changed."""
        self.refuse_other_kind(name, "TABLE")
        there = self.columns(name)
        if not there:
            must = dict.fromkeys(keys, " NOT NULL")
            spec = ", ".join(f"{quoted(n)} {kind}{must.get(n, '')}" for n, kind in wanted.items())
            self.change(f"CREATE TABLE {self.place(name)} ({spec})", name)
        for column, kind in wanted.items():
            if there and column not in there:
                self.change(f"ALTER TABLE {self.place(name)} ADD COLUMN {quoted(column)} {kind}", name)
            elif there and not self._same(there[column], kind):
                raise Misconfigured(
                    f"Table {self.schema}.{name}, column {column} is of type {there[column]}, not {kind}: another loader "
                    "made it. Use another default_target_schema, or move the table away."
                )
        return not there or bool(set(wanted) - set(there))

    def refuse_other_kind(self, name: str, kind: str, schema: str | None = None) -> None:
        """Raise Misconfigured if there is a view where a table is needed, or a table where a view is needed."""
        entry = self._there().get((schema or self.schema, name))
        if entry and entry.kind != kind:
            raise Misconfigured(
                f"{schema or self.schema}.{name} is a {entry.kind.lower()}, and a {kind.lower()} of that name is to be made. "
                "Rename or drop it, or use another default_target_schema."
            )

    def _same(self, there: str, wanted: str) -> bool:
        if wanted not in self._types:
            ((self._types[wanted],),) = self.run(f"SELECT typeof(CAST(NULL AS {wanted}))")
        return there in {wanted, self._types[wanted]}

    def close(self) -> None:
        """Write all changes to the file, and release it for other processes."""
        with suppress(duckdb.Error):
            self.run("ROLLBACK")
        if self._name == _NAME:
            self.run(f"USE {STAGED}")
            with suppress(duckdb.Error):  # a full disk: the log stays, and the next run or reader replays it
                self.run(f"CHECKPOINT {_NAME}")
            self.run(f"DETACH {_NAME}")
