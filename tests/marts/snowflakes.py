"""A desk at a replacement for Snowflake, with the tables as target-snowflake makes them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import duckdb
import snowflake.connector
from fakesnow import server  # a module of this name takes its place in fakesnow once it was called

from .warehouses import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TYPES = {
    "VARCHAR": "varchar",
    "DATE": "date",
    "BIGINT": "bigint",
    "DOUBLE": "float",
    "BOOLEAN": "boolean",
    "TIMESTAMP WITH TIME ZONE": "timestamp_ntz",
}


_NUMBERS = count(1)


def _literal(value: Any, kind: str) -> str:
    """A value as Snowflake's SQL has it."""
    if value is None:
        return "null"
    if kind not in TYPES:
        text = value if isinstance(value, str) else json.dumps(value)
        return f"parse_json({_literal(text, 'VARCHAR')})"
    if kind in {"BIGINT", "DOUBLE", "BOOLEAN"}:
        return str(value)
    text = value.strftime("%Y-%m-%d %H:%M:%S") if kind == "TIMESTAMP WITH TIME ZONE" else str(value)
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _copy(warehouse: Path, cursor: Any) -> None:
    """Make the loader's tables as target-snowflake does: names in upper case, lists and objects as VARIANT."""
    cursor.execute("create schema oneroster")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute(
            "select table_name, list((column_name, data_type) order by ordinal_position)"
            " from information_schema.columns join information_schema.tables using (table_schema, table_name)"
            " where table_schema = 'oneroster' and table_type = 'BASE TABLE' and table_name not like '%_history'"
            " and table_name not like '\\_%' escape '\\' group by all"
        ).fetchall()
        for table, columns in tables:
            spec = ", ".join(f'"{name.upper()}" {TYPES.get(kind, "variant")}' for name, kind in columns)
            cursor.execute(f"create table oneroster.{table} ({spec})")
            rows = connection.execute(f'select * from oneroster."{table}"').fetchall()
            for start in range(0, len(rows), 200):
                selects = (
                    "select " + ", ".join(_literal(value, kind) for value, (_, kind) in zip(row, columns, strict=True))
                    for row in rows[start : start + 200]
                )
                cursor.execute(f"insert into oneroster.{table} " + " union all ".join(selects))


@contextmanager
def snowflake_desk(folder: Path, warehouse: Path, **settings: Any) -> Iterator[Desk]:
    """A desk at a database that holds the tables of a DuckDB warehouse, for as long as the replacement runs."""
    name = f"DISTRICT{next(_NUMBERS)}"  # the replacement keeps its databases as long as the process lives
    with server() as how:
        with snowflake.connector.connect(**how) as connection:
            connection.cursor().execute(f"create database {name}")
        with snowflake.connector.connect(**how, database=name) as connection:
            _copy(warehouse, connection.cursor())
            reached = {key: how[key] for key in ("account", "user", "password", "host", "port")}
            own: dict[str, Any] = {"warehouse": "snowflake", "database": name, "snowflake_warehouse": "W"}
            own |= {
                "protocol": "http",
                "oneroster_schema": "ONEROSTER",
                "target_path": str(folder / "target"),
                "threads": 1,
            }
            yield Desk(folder, reached | own | settings, snowflake=connection)
