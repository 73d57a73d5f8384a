"""What is in a store after a load: rows in the words of the model, whatever the loader made of them.

What `rows` has to do to get there is what a reader of such a store has to do, too.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import duckdb
from oneroster_core.model import FILES, Kind

from .pipe import defaults

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from . import snowflake
    from .postgres import Database

Row = dict[str, Any]
SCHEMA = "oneroster"
FIELDS = {file.name: {field.name: field for field in file.fields} for file in FILES}
NESTED = {
    Kind.REFS,
    Kind.STRINGS,
    Kind.WORDS,
    Kind.USER_IDS,
    Kind.SCALE_VALUES,
    Kind.OBJECTIVES,
    Kind.OBJECTIVE_SCORES,
    Kind.OBJECT,
}


def utc(moment: datetime) -> str:
    """A moment as the tap writes it; one without a zone is UTC."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """A place into which a loader writes."""

    loader: str

    def __init__(self, executable: Path, place: Any, settings: dict[str, Any]) -> None:
        self.executable = executable
        self.place = place
        self.settings = {**defaults(self.loader), **self.where(), **settings}

    def where(self) -> dict[str, Any]:
        """The settings that name the place."""
        raise NotImplementedError

    def raw(self, stream: str) -> Iterable[Row]:
        """All rows of a stream as they lie there, oldest first."""
        raise NotImplementedError

    def value(self, kind: Kind, value: Any) -> Any:
        """A value as the tap wrote it."""
        return value

    def rows(self, stream: str) -> list[Row]:
        """The last version of each row, without what the loader added."""
        its = FIELDS[stream]
        last = {row["sourcedId"]: row for row in self.named(stream) if not row.get("_sdc_deleted_at")}
        return [
            {name: None if row[name] is None else self.value(field.kind, row[name]) for name, field in its.items()}
            for row in last.values()
        ]

    def named(self, stream: str) -> list[Row]:
        """Rows under the names of the model; what the model has and the store lacks is a password."""
        names = {name.lower(): name for name in FIELDS[stream]}
        blank = {field.name: None for field in FIELDS[stream].values() if field.secret}
        return [{**blank, **{names.get(n.lower(), n): v for n, v in row.items()}} for row in self.raw(stream)]

    def active(self, stream: str) -> list[Row]:
        """What a query for the present sees."""
        return [row for row in self.rows(stream) if row["status"] == "active"]


class JsonLines(Store):
    """target-jsonl: a file a stream, to which each run adds lines."""

    loader = "target-jsonl"

    def where(self) -> dict[str, Any]:
        self.place.mkdir(exist_ok=True)  # the loader does not
        return {"destination_path": str(self.place)}

    def raw(self, stream: str) -> Iterable[Row]:
        path = self.place / f"{stream}.jsonl"
        lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
        return [json.loads(line) for line in lines if line]


class CsvFiles(Store):
    """MeltanoLabs' target-csv: a file a stream and run; nested values as Python writes them."""

    loader = "target-csv"

    def where(self) -> dict[str, Any]:
        return {"output_path": str(self.place)}

    def raw(self, stream: str) -> Iterable[Row]:
        rows: list[Row] = []
        for path in sorted(self.place.glob(f"{stream}-*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                rows += [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
        return rows

    def value(self, kind: Kind, value: Any) -> Any:
        if kind in NESTED or kind == Kind.TRUE_FALSE:
            return ast.literal_eval(re.sub(r"Decimal\('([^']*)'\)", r"\1", value))
        if kind in {Kind.NUMBER, Kind.INTEGER}:
            return float(value)
        return utc(datetime.fromisoformat(value)) if kind == Kind.DATETIME else value


class DuckDB(Store):
    """target-duckdb: tables by key, names in lower case, nested values as JSON."""

    loader = "target-duckdb"

    def where(self) -> dict[str, Any]:
        return {"filepath": str(self.place), "default_target_schema": SCHEMA}

    def raw(self, stream: str) -> Iterable[Row]:
        return self.query(f'select * from {SCHEMA}."{stream.lower()}"')

    def query(self, text: str) -> list[Row]:
        """Rows of a query."""
        with duckdb.connect(self.place, read_only=True) as database:
            answer = database.execute(text)
            names = [column[0] for column in answer.description]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def value(self, kind: Kind, value: Any) -> Any:
        if kind in NESTED:
            return json.loads(value)
        if isinstance(value, datetime):
            return utc(value)
        return value.isoformat() if isinstance(value, date) else value


class Warehouse(DuckDB):
    """Our own: tables by key, names as they are, types of the model; nested values as lists and structs."""

    loader = "target-oneroster-duckdb"

    def where(self) -> dict[str, Any]:
        return {"filepath": str(self.place)}

    def raw(self, stream: str) -> Iterable[Row]:
        return self.query(f'select * from {SCHEMA}."{stream}"')

    def value(self, kind: Kind, value: Any) -> Any:
        return value if kind in NESTED and kind != Kind.OBJECT else super().value(kind, value)


class Postgres(Store):
    """MeltanoLabs' target-postgres: tables by key, names as they are, arrays and jsonb."""

    loader = "target-postgres"
    place: Database

    def where(self) -> dict[str, Any]:
        url = self.place.url.replace("postgresql://", "postgresql+psycopg://")
        return {"sqlalchemy_url": url, "default_target_schema": SCHEMA}

    def raw(self, stream: str) -> Iterable[Row]:
        return self.place.rows(f'{SCHEMA}."{stream}"')

    def value(self, kind: Kind, value: Any) -> Any:
        return utc(datetime.fromisoformat(value)) if kind == Kind.DATETIME else value


class Snowflake(Store):
    """MeltanoLabs' target-snowflake: tables by key, names in upper case, nested values as VARIANT."""

    loader = "target-snowflake"
    place: snowflake.Database

    def where(self) -> dict[str, Any]:
        login = {"account": "none", "user": "loader", "password": "none", "warehouse": "none"}
        return {**login, "database": self.place.name, "default_target_schema": SCHEMA.upper()}

    def raw(self, stream: str) -> Iterable[Row]:
        return [{name.lower(): value for name, value in row.items()} for row in self.place.rows(f"{SCHEMA}.{stream}")]

    def value(self, kind: Kind, value: Any) -> Any:
        return utc(datetime.fromisoformat(value)) if kind == Kind.DATETIME else value


STORES: dict[str, type[Store]] = {
    kind.loader: kind for kind in (JsonLines, CsvFiles, DuckDB, Warehouse, Postgres, Snowflake)
}
