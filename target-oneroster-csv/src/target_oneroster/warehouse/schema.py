"""The tables of the warehouse, built from the model: columns, types, keys, and comments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .._core.model import RECEIPTS, Field, File, Version, derived_from
from .._core.model.describe import describe_field, describe_file
from .._core.model.schema import TENANT, TENANT_DESCRIPTION, json_schema, key_properties
from .._core.present_rows import DELETED
from .._core.sql import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["ADDED", "DELETED", "EXTRACTED", "RECEIVED", "VERSION", "Table", "comment_on", "comments", "without_key"]

EXTRACTED, RECEIVED, VERSION = "_sdc_extracted_at", "_sdc_received_at", "_sdc_table_version"
ADDED = {
    EXTRACTED: ("TIMESTAMPTZ", "When the tap read the row as it stands here."),
    VERSION: ("BIGINT", "Singer version of the read that brought the row as it stands here."),
    RECEIVED: ("TIMESTAMPTZ", "Start of the run that brought the row as it stands here; other runs brought the same."),
    DELETED: ("TIMESTAMPTZ", "Start of the run in which the row was found to be gone; empty while it is there."),
}
"""Columns that the loader adds, with Singer's names, types and meanings."""

# A moment is stored as an instant (TIMESTAMPTZ); a client shows it in the client's time zone.
_FORMATS = {"date": "DATE", "date-time": "TIMESTAMPTZ"}
_TYPES = {"string": "VARCHAR", "boolean": "BOOLEAN", "integer": "BIGINT", "number": "DOUBLE", "object": "JSON"}


def _sql_type(schema: Mapping[str, Any]) -> str:
    """Return the type of a column of values of that JSON Schema."""
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "array":
        return f"{_sql_type(schema['items'])}[]"
    if kind == "object" and "properties" in schema:
        inside = ", ".join(f"{quoted(name)} {_sql_type(of)}" for name, of in schema["properties"].items())
        return f"STRUCT({inside})"
    return _FORMATS.get(schema.get("format", ""), _TYPES[kind])


@dataclass(frozen=True)
class Table:
    """The table of one stream."""

    file: File
    tenant: bool = False
    secrets: bool = False
    zone: tzinfo = UTC
    """Zone of times without a zone."""

    @property
    def name(self) -> str:
        """Name of the table, which equals that of the stream."""
        return self.file.name

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Fields of the model that the table has."""
        return tuple(f for f in self.file.fields if self.secrets or not f.secret)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Columns that identify a row."""
        return key_properties(self.file, tenant=self.tenant)

    @cached_property
    def content(self) -> dict[str, str]:
        """Columns from the source, and their types."""
        properties = json_schema(self.file, tenant=self.tenant, secrets=self.secrets)["properties"]
        return {name: _sql_type(of) for name, of in properties.items()}

    @cached_property
    def every_name(self) -> set[str]:
        """Names of columns that a source in the model's shape may send, including passwords."""
        return {f.name for f in self.file.fields} | ({TENANT} if self.tenant else set())

    @cached_property
    def columns(self) -> dict[str, str]:
        """All columns and their types."""
        return self.content | {name: kind for name, (kind, _) in ADDED.items()}

    def match(self, left: str, right: str) -> str:
        """Return the SQL condition that two rows have the same key."""
        return " AND ".join(f"{left}.{quoted(key)} = {right}.{quoted(key)}" for key in self.keys)

    @property
    def has_family(self) -> bool:
        """True if its rows are derived from another table, or other rows from them."""
        return self.file.derived is not None or bool(derived_from(self.name))

    @property
    def has_status(self) -> bool:
        """True if rows can mark themselves as deleted."""
        return "status" in self.content

    @property
    def comment(self) -> str:
        """The comment on the table."""
        text = describe_file(self.file)
        if self.file.name != RECEIPTS.name:
            since = f" since {self.file.since.value}" if self.file.since != Version.V1_1 else ""
            text += f" OneRoster {self.file.service.value}{since}."
        if derived := self.file.derived:
            text += f" In REST these rows are {derived.rest} inside of {derived.parent}."
        return f"{text} Key: {', '.join(self.keys)}."

    def comments(self) -> dict[str, str]:
        """Return the comment on each column."""
        found = {f.name: describe_field(self.file, f) for f in self.fields}
        if self.tenant:
            found[TENANT] = TENANT_DESCRIPTION
        return found | {name: text for name, (_, text) in ADDED.items()}


def without_key(stream: str) -> str:
    """Return the message for a row without a key."""
    return f"Stream {stream}: a record lacks a key property. Every row needs its key."


def comments(table: Table, place: str, columns: Collection[str], extra: Mapping[str, str] | None = None) -> list[str]:
    """Return statements that add comments to a table and to these of its columns.

    `extra` are comments on columns that the model does not have; with it the table holds versions of rows.
    """
    about = table.comment if extra is None else f"Every version of the rows of {table.name}. {table.comment}"
    return comment_on(
        place, about, {n: text for n, text in (table.comments() | dict(extra or {})).items() if n in columns}
    )


def comment_on(place: str, about: str, columns: Mapping[str, str]) -> list[str]:
    """Return statements that add comments to a table and its columns."""
    return [
        f"COMMENT ON TABLE {place} IS {literal(about)}",
        *(f"COMMENT ON COLUMN {place}.{quoted(name)} IS {literal(text)}" for name, text in columns.items()),
    ]
