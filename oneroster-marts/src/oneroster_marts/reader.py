"""Reads what a build made, on each warehouse alike, row by row: for pages, answers and lists."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

from .connection import Postgres, Snowflake, connected, literal
from .errors import Failed, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from .settings import Settings

Row = dict[str, Any]
_BATCH = 2_000


class _Warehouse(Protocol):
    """What the warehouses have in common: how they write names, and the order of texts."""

    is_upper: bool
    collation: str

    def run(self, sql: str, parameters: Sequence[Any]) -> Iterator[tuple[list[str], list[tuple[Any, ...]]]]:
        """Yield batches of rows with the names of their columns."""

    def close(self) -> None:
        """Let go of the warehouse."""


class Reader:
    """The tables of the schemas `shared` and, if it was asked for, `restricted`."""

    def __init__(self, warehouse: _Warehouse, settings: Settings) -> None:
        self._warehouse = warehouse
        self._settings = settings
        self._columns: dict[str, set[str]] = {}

    def table(self, name: str, *columns: str) -> str:
        """Return the name in SQL of a table, `schema.table`, that has these columns.

        Raises:
            Failed: It is not there.
        """
        schema, _, table = name.partition(".")
        if name not in self._columns:
            query = (
                "select column_name from information_schema.columns"
                " where lower(table_schema) = ? and lower(table_name) = ?"
            )
            place = self._place(schema)
            if place:
                query += f" and table_catalog = {literal(place.rstrip('.'))}"
            self._columns[name] = {row["column_name"].lower() for row in self.rows(query, schema, table)}
        if not self._columns[name]:
            what = f"mart {table}" if schema == "shared" else f"table {name}"
            raise Failed(f"{what} is not built here, or may not be read; run oneroster-marts build first")
        for column in columns:
            if column not in self._columns[name]:
                raise Failed(f"table {name} has no column {column}; it was built by another version, build it anew")
        return f"{self._place(schema)}{schema}.{table}"

    def has(self, name: str, column: str) -> bool:
        """Return true if a table that was built has the column."""
        self.table(name)
        return column in self._columns[name]

    def source(self, name: str) -> str:
        """Return the name in SQL of a table of the loader."""
        schema = self._settings.oneroster_schema
        place = "warehouse_file." if self._settings.warehouse == "duckdb" else ""
        return f"{place}{schema}.{self.quote(name)}"

    def _place(self, schema: str) -> str:
        return f"{schema}_file." if self._settings.warehouse == "duckdb" else ""

    def quote(self, name: str) -> str:
        """Return the name of a column or a table, quoted, in the case that the warehouse keeps."""
        return '"' + (name.upper() if self._warehouse.is_upper else name) + '"'

    def in_order(self, column: str) -> str:
        """Return an expression by which texts are ordered as Python orders them."""
        return f"{column}{self._warehouse.collation}"

    def rows(self, sql: str, *parameters: Any) -> Iterator[Row]:
        """Yield the rows of a query; `?` stands for a parameter."""
        for names, batch in self._warehouse.run(sql, parameters):
            lowered = [name.lower() for name in names]
            for row in batch:
                yield dict(zip(lowered, map(_plain, row), strict=True))

    def by_school(self, queries: Mapping[str, str]) -> Iterator[tuple[str, dict[str, list[Row]]]]:
        """Yield each school with its rows of each query. A query selects `school_id`, and has no order."""
        groups = {}
        for name, sql in queries.items():
            ordered = f"select * from ({sql}) as its where school_id is not null order by {self.in_order('school_id')}"
            groups[name] = groupby(self.rows(ordered), lambda row: row["school_id"])
        heads: dict[str, tuple[str, list[Row]]] = {}

        def advance(name: str) -> None:
            heads.pop(name, None)
            for school, rows in groups[name]:
                heads[name] = (school, list(rows))
                return

        for name in groups:
            advance(name)
        while heads:
            school = min(school for school, _ in heads.values())
            found = {name: rows for name, (its, rows) in heads.items() if its == school}
            yield school, {name: found.get(name, []) for name in groups}
            for name in found:
                advance(name)

    def today(self) -> date:
        """Return the day that is described: the newest of the builds."""
        for row in self.rows(f"select max(day) as day from {self.table('shared.enrollment_count')}"):
            if row["day"] is not None:
                found: date = row["day"]
                return found
        raise Failed("mart enrollment_count is empty: the roster has no school with students")


class OneAfterOther:
    """Rows of schools that are asked for in the order of their ids; a school without rows is empty."""

    def __init__(self, groups: Iterator[tuple[str, dict[str, list[Row]]]]) -> None:
        self._groups = groups
        self._head: tuple[str, dict[str, list[Row]]] | None = next(groups, None)

    def of(self, school: str) -> dict[str, list[Row]]:
        """Return the rows of a school, and forget those of the schools before it."""
        while self._head is not None and self._head[0] < school:
            self._head = next(self._groups, None)
        return self._head[1] if self._head is not None and self._head[0] == school else {}


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


@contextmanager
def open_reader(settings: Settings, *, restricted: bool = False) -> Iterator[Reader]:
    """Open what was built, to read it only; what holds persons is opened only with `restricted`.

    Raises:
        Failed: The warehouse is busy, or cannot be reached.
    """
    kinds: dict[str, Callable[[Settings], _Warehouse]]
    kinds = {"duckdb": partial(_DuckDB, restricted=restricted), "postgres": _Postgres, "snowflake": _Snowflake}
    warehouse = connected(settings, kinds[settings.warehouse])
    try:
        yield Reader(warehouse, settings)
    finally:
        warehouse.close()


class _DuckDB:
    is_upper = False
    collation = ""

    def __init__(self, settings: Settings, *, restricted: bool) -> None:
        import duckdb

        # What does not fit in memory holds persons, too: by default it would be written to the working folder, for all to read.
        self._spill = TemporaryDirectory(prefix="oneroster-marts-")
        self._connection: Any = duckdb.connect(
            config={
                "memory_limit": settings.memory_limit,
                "temp_directory": self._spill.name,
                "autoinstall_known_extensions": False,
            }
        )
        files = {"marts_path": "shared_file"}
        if restricted:
            files |= {"restricted_path": "restricted_file", "filepath": "warehouse_file"}
        try:
            for name, alias in files.items():
                self._attach(name, Path(getattr(settings, name)), alias)
        except Exception:
            self.close()
            raise

    def _attach(self, name: str, path: Path, alias: str) -> None:
        from ._core.sql import when_free

        if not path.is_file():
            raise Wrong(f"{name}: no such file; run oneroster-marts build first")
        when_free(
            path,
            lambda: self._connection.execute(f"attach {literal(str(path))} as {alias} (read_only)"),
            lambda words: Failed(f"{name}: {_one_line(words)}"),
        )

    def run(self, sql: str, parameters: Sequence[Any]) -> Iterator[tuple[list[str], list[tuple[Any, ...]]]]:
        cursor = self._connection.cursor()
        cursor.execute(sql, list(parameters))
        names = [column[0] for column in cursor.description]
        while batch := cursor.fetchmany(_BATCH):
            yield names, batch

    def close(self) -> None:
        self._connection.close()
        self._spill.cleanup()


def _one_line(words: str) -> str:
    import re

    from ._core.sql import is_busy

    if is_busy(words):
        return "is open in another program; run this again when that has ended"
    return re.sub(r"['\"][^'\"]*['\"]", "'…'", words.splitlines()[0])[:200]


class _Postgres(Postgres):
    is_upper = False
    collation = ' collate "C"'

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._connection.set_session(readonly=True)
        self._cursors = 0

    def run(self, sql: str, parameters: Sequence[Any]) -> Iterator[tuple[list[str], list[tuple[Any, ...]]]]:
        self._cursors += 1
        with self._connection.cursor(name=f"marts_{self._cursors}") as cursor:  # at the server: rows come in batches
            cursor.execute(_with_percent(sql), tuple(parameters))
            while batch := cursor.fetchmany(_BATCH):
                yield [column[0] for column in cursor.description], batch


class _Snowflake(Snowflake):
    is_upper = True
    collation = ""

    def run(self, sql: str, parameters: Sequence[Any]) -> Iterator[tuple[list[str], list[tuple[Any, ...]]]]:
        cursor = self._connection.cursor()
        cursor.execute(_with_percent(sql), tuple(parameters))
        names = [column[0] for column in cursor.description]
        while batch := cursor.fetchmany(_BATCH):
            yield names, batch


def _with_percent(sql: str) -> str:
    """Return a query with the places of parameters as psycopg2 and Snowflake's client write them."""
    return sql.replace("%", "%%").replace("?", "%s")
