"""The sample district in warehouses, and a desk at which the commands of the marts are run."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from oneroster_marts.__main__ import command
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.provider import Provider
from oneroster_sample.usage import FILES, write_usage
from tap_oneroster import TapOneRoster

from tests.loaders.postgres import Database, Server

__all__ = [
    "TODAY",
    "Desk",
    "Server",
    "duckdb_desk",
    "load_events",
    "load_from_service",
    "load_sample",
    "postgres_desk",
    "write_inputs",
]

TODAY = "2026-11-16"
"""A Monday in the sample's first semester."""


@dataclass
class Desk:
    """A working folder with settings."""

    folder: Path
    settings: dict[str, Any]
    database: Database | None = None
    snowflake: Any = None
    out: str = ""
    err: str = ""
    _files: dict[str, str] = field(default_factory=dict)

    def __call__(self, name: str, *arguments: str, **changes: Any) -> int:
        """Run a command in this process, with changed settings, and return its exit code."""
        config = self.folder / "marts.json"
        config.write_text(json.dumps(self.settings | changes), encoding="utf-8")
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = command([name, "--config", str(config), *arguments])
        self.out, self.err = out.getvalue(), err.getvalue()
        return code

    def rows(self, table: str, columns: str = "*", where: str = "true") -> list[dict[str, Any]]:
        """Rows of a table, schema.table, in the order of their text."""
        query = f"select {columns} from {{table}} where {where}"
        if self.snowflake:
            cursor = self.snowflake.cursor()
            cursor.execute(query.format(table=table))
            names = [column.name.lower() for column in cursor.description]
            found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        elif self.database:
            text = f"select row_to_json(its.*) from ({query.format(table=table)}) its"
            found = [json.loads(line) for line in self.database.execute(text)]
        else:
            schema = table.split(".", maxsplit=1)[0]
            path = self.settings["marts_path" if schema == "shared" else "restricted_path"]
            with duckdb.connect() as connection:
                connection.execute(f"attach '{path}' as its (read_only)")
                connection.execute(f"attach '{self.settings['filepath']}' as warehouse_file (read_only)")  # for views
                answer = connection.execute(query.format(table=f"its.{table}"))
                names = [column[0] for column in answer.description]
                found = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        plain = [{name: plain_value(value) for name, value in row.items()} for row in found]
        return sorted(plain, key=str)

    def columns(self, table: str) -> list[str]:
        """The columns of a table, in their order."""
        schema, name = table.split(".")
        query = (
            "select column_name from information_schema.columns"
            f" where table_schema = '{schema}' and table_name = '{name}' order by ordinal_position"
        )
        if self.database:
            return self.database.execute(query)
        path = self.settings["marts_path" if schema == "shared" else "restricted_path"]
        with duckdb.connect(str(path), read_only=True) as connection:
            return [column for (column,) in connection.execute(query).fetchall()]


def plain_value(value: Any) -> Any:
    """A value as JSON has it; computed numbers are rounded to six digits."""
    if isinstance(value, float):
        return round(value, 6)
    return value if value is None or isinstance(value, str | int | bool | list | dict) else str(value)


SAMPLE = District(seed=5, schools=3, students_per_school=60, weekly=True)


def write_inputs(folder: Path, district: District | None = None, version: str = "1.2") -> dict[str, str]:
    """Write what other systems know of a district, and its truth.json; return the setting `inputs` for it."""
    write_usage(district or SAMPLE, folder, version)
    return {name: str(folder / f"{name}.csv") for name in FILES}


def load_sample(folder: Path, district: District | None = None, **bundle: Any) -> Path:
    """Write a bundle with work of every week, load all of it, and return the warehouse's file."""
    write_bundle(district or SAMPLE, folder / "district.zip", **bundle)
    return load(folder, "--catalog", str(everything(folder)))


def load_from_service(folder: Path, district: District, version: str = "1.2") -> Path:
    """Load all of a district from a service, into the warehouse that is there or a new one, and return its file."""
    with Provider(district, version=version) as provider:
        settings = {
            "base_url": provider.base_url,
            "token_url": provider.token_url,
            "client_id": provider.client_id,
            "client_secret": provider.client_secret,
            "oneroster_version": version,
        }
        return load(folder, "--catalog", str(everything(folder, settings)), settings=settings)


def everything(folder: Path, settings: dict[str, Any] | None = None) -> Path:
    """Write a catalog that selects demographics, too."""
    catalog = TapOneRoster(config=settings or _of_bundle(folder)).catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = True
    (folder / "catalog.json").write_text(json.dumps(catalog))
    return folder / "catalog.json"


def load_events(folder: Path, *nights: tuple[str, tuple[str, ...]]) -> Path:
    """Load a night of the same district for each day with its events; the truth of the last one is in truth.json."""
    for day, events in nights:
        options = [word for event in events for word in ("--event", event)]
        size = ("--schools", "6", "--students-per-school", "80", "--no-gradebook")
        command: tuple[str | Path, ...] = (
            PROGRAMS / "oneroster-sample",
            "bundle",
            folder / "district.zip",
            *size,
            "--day",
            day,
            *options,
        )
        subprocess.run(command, capture_output=True, check=True, cwd=folder)
        load(folder)
    return folder / "warehouse.duckdb"


PROGRAMS = Path(sys.executable).parent


def _of_bundle(folder: Path) -> dict[str, Any]:
    return {"mode": "csv", "csv_path": str(folder / "district.zip")}


def load(folder: Path, *options: str, settings: dict[str, Any] | None = None) -> Path:
    """Read district.zip, or what the tap's settings say, load it with target-oneroster-duckdb, and return the file."""
    warehouse = folder / "warehouse.duckdb"
    (folder / "tap.json").write_text(json.dumps(settings or _of_bundle(folder)))
    (folder / "target.json").write_text(json.dumps({"filepath": str(warehouse), "history": True}))
    tap: list[str | Path] = [PROGRAMS / "tap-oneroster", "--config", folder / "tap.json", *options]
    target: list[str | Path] = [PROGRAMS / "target-oneroster-duckdb", "--config", folder / "target.json"]
    read = subprocess.run(tap, capture_output=True, check=True, cwd=folder)
    subprocess.run(target, input=read.stdout, capture_output=True, check=True, cwd=folder)
    return warehouse


def duckdb_desk(folder: Path, warehouse: Path, **settings: Any) -> Desk:
    """A desk at a DuckDB warehouse."""
    paths = {name: str(folder / f"{name.partition('_')[0]}.duckdb") for name in ("marts_path", "restricted_path")}
    own = {"warehouse": "duckdb", "filepath": str(warehouse), **paths, "target_path": str(folder / "target")}
    return Desk(folder, own | settings)


def postgres_desk(folder: Path, server: Server, warehouse: Path, **settings: Any) -> Desk:
    """A desk at a PostgreSQL database that holds the tables of a DuckDB warehouse as target-postgres makes them."""
    database = server.database()
    copy_to_postgres(warehouse, database, folder)
    host, name = socket_of(database)
    own = {"warehouse": "postgres", "host": host, "user": "postgres", "database": name}
    return Desk(folder, own | {"target_path": str(folder / "target")} | settings, database)


def socket_of(database: Database) -> tuple[str, str]:
    """The folder of the server's socket, and the database's name, of a URL postgresql://postgres:@/NAME?host=FOLDER."""
    rest, _, host = database.url.partition("?host=")
    return host, rest.rpartition("/")[2]


TYPES = {
    "VARCHAR": "text",
    "DATE": "date",
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
    "BOOLEAN": "boolean",
    "JSON": "jsonb",
    "VARCHAR[]": "text[]",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}


def copy_to_postgres(warehouse: Path, database: Database, folder: Path) -> None:
    """Copy the loader's tables: text[] for lists, jsonb for objects, timestamps in UTC without a zone."""
    database.execute("create schema oneroster")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute(
            "select table_name, list(column_name order by ordinal_position), list(data_type order by ordinal_position)"
            " from information_schema.columns join information_schema.tables using (table_schema, table_name)"
            " where table_schema = 'oneroster' and table_type = 'BASE TABLE' and table_name not like '%_history'"
            " and table_name not like '\\_%' escape '\\' group by all"
        ).fetchall()
        for table, names, kinds in tables:
            spec = ", ".join(f'"{name}" {TYPES.get(kind, "jsonb")}' for name, kind in zip(names, kinds, strict=True))
            database.execute(f'create table oneroster."{table}" ({spec})')
            path = folder / "copy.csv"
            columns = ", ".join(_as_text(name, kind) for name, kind in zip(names, kinds, strict=True))
            connection.execute(f"copy (select {columns} from oneroster.\"{table}\") to '{path}' (header false)")
            database.execute(f"\\copy oneroster.\"{table}\" from '{path}' with (format csv)")
    database.execute("analyze")


def _as_text(name: str, kind: str) -> str:
    column = f'"{name}"'
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"cast({column} at time zone 'UTC' as varchar)"
    if kind == "VARCHAR[]":
        quoted = f"""list_transform({column}, lambda x: '"' || replace(replace(x, '\\', '\\\\'), '"', '\\"') || '"')"""
        return f"'{{' || array_to_string({quoted}, ',') || '}}'"
    return column if kind in TYPES else f"to_json({column})"
