"""A connection to the warehouse beside dbt's, for what dbt does not do: loading CSV files."""

from __future__ import annotations

import csv
import io
import tempfile
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .errors import Failed, MartsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .settings import Settings

SCHEMA = "restricted"
_FILE = "restricted_file"
_BATCH = 10_000
_T = TypeVar("_T")


class Connection(Protocol):
    """What the warehouses have in common."""

    def replace(self, table: str, columns: list[str], rows: Iterator[list[str]]) -> str:
        """Make a table of text columns in the schema of what holds persons, fill it, and return its name for dbt."""

    def commit(self) -> None:
        """Keep what was done."""

    def close(self) -> None:
        """Let go of the warehouse."""


@contextmanager
def connect(settings: Settings) -> Iterator[Connection]:
    """Open a connection, and commit when it was used without an error."""
    kinds: dict[str, Callable[[Settings], Connection]]
    kinds = {"duckdb": _DuckDB, "postgres": _Postgres, "snowflake": _Snowflake}
    connection = connected(settings, kinds[settings.warehouse])
    try:
        yield connection
        connection.commit()
    finally:
        connection.close()


def connected(settings: Settings, kind: Callable[[Settings], _T]) -> _T:
    """Return a connection of that kind.

    Raises:
        Failed: The warehouse cannot be reached.
    """
    try:
        return kind(settings)
    except MartsError:
        raise
    except Exception as error:  # each driver has its own
        raise Failed(f"{settings.warehouse}: no connection ({type(error).__name__})") from None


def _create(schema: str, table: str, columns: list[str], kind: str, drop: str = "") -> list[str]:
    return [
        f"create schema if not exists {schema}",
        f"drop table if exists {schema}.{table} {drop}".rstrip(),
        f"create table {schema}.{table} ({', '.join(f'{name} {kind}' for name in columns)})",
    ]


def literal(text: str) -> str:
    """Return a trusted text, such as a path of the settings, as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


class _DuckDB:
    def __init__(self, settings: Settings) -> None:
        import duckdb

        self._path = settings.restricted_path
        self._connection: Any = duckdb.connect()
        # Under a name of its own: in a file restricted.duckdb, `restricted.t` could be the file or the schema.
        self._connection.execute(f"attach {literal(self._path)} as {_FILE}")

    def replace(self, table: str, columns: list[str], rows: Iterator[list[str]]) -> str:
        for statement in _create(f"{_FILE}.{SCHEMA}", table, columns, "varchar"):
            self._connection.execute(statement)
        with tempfile.TemporaryDirectory(dir=Path(self._path).absolute().parent) as folder:  # of mode 0700
            copy = Path(folder) / "input.csv"
            with copy.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(rows)
            self._connection.execute(
                f"copy {_FILE}.{SCHEMA}.{table} from {literal(str(copy))} (header false, auto_detect false, "
                "delim ',', quote '\"', escape '\"', nullstr '', strict_mode false)"
            )
        return f"{_FILE}.{SCHEMA}.{table}"

    def commit(self) -> None:
        pass

    def close(self) -> None:
        self._connection.close()


class _Client:
    """A connection of a driver."""

    _connection: Any

    def commit(self) -> None:
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


class Postgres(_Client):
    """PostgreSQL's client, of what loads files and of what reads."""

    def __init__(self, settings: Settings) -> None:
        import psycopg2

        self._database = settings.database
        self._connection = psycopg2.connect(
            host=settings.host,
            port=settings.port or 5432,
            user=settings.user,
            password=settings.password or None,
            dbname=settings.database,
        )


class _Postgres(Postgres):
    def replace(self, table: str, columns: list[str], rows: Iterator[list[str]]) -> str:
        with self._connection.cursor() as cursor:
            if self._columns(cursor, table) == columns:  # the views on it stay
                cursor.execute(f"truncate {SCHEMA}.{table}")
            else:
                for statement in _create(SCHEMA, table, columns, "text", "cascade"):
                    cursor.execute(statement)
            while batch := list(islice(rows, _BATCH)):
                text = io.StringIO()
                csv.writer(text).writerows(batch)
                text.seek(0)
                cursor.copy_expert(f"copy {SCHEMA}.{table} from stdin (format csv)", text)
        return f"{self._database}.{SCHEMA}.{table}"

    @staticmethod
    def _columns(cursor: Any, table: str) -> list[str]:
        query = "select column_name from information_schema.columns where table_schema = %s and table_name = %s"
        cursor.execute(f"{query} order by ordinal_position", (SCHEMA, table))
        return [name for (name,) in cursor.fetchall()]


class Snowflake(_Client):
    """Snowflake's client, of what loads files and of what reads."""

    def __init__(self, settings: Settings) -> None:
        import snowflake.connector

        from .profile import snowflake_options

        self._database = settings.database
        self._connection = snowflake.connector.connect(**snowflake_options(settings))


class _Snowflake(Snowflake):
    def replace(self, table: str, columns: list[str], rows: Iterator[list[str]]) -> str:
        cursor = self._connection.cursor()
        for statement in _create(SCHEMA, table, columns, "varchar"):
            cursor.execute(statement)
        places = ", ".join(["%s"] * len(columns))
        while batch := list(islice(rows, _BATCH)):
            cursor.executemany(f"insert into {SCHEMA}.{table} values ({places})", batch)
        return f"{self._database}.{SCHEMA}.{table}"
