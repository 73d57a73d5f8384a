"""The Airbyte catalog, and the selection in the tap's catalog that follows from a configured catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_sdk import Stream


def airbyte_catalog(streams: Iterable[Stream]) -> dict[str, Any]:
    """Return all streams with their types, keys and cursors.

    The source defines the cursor: the service's dates for records, the content for bundles; receipts are always new.
    """
    return {"streams": [_entry(stream) for stream in streams]}


def _entry(stream: Stream) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": stream.name,
        "json_schema": {"$schema": "http://json-schema.org/draft-07/schema#", **_typed(stream.schema)},
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": True,
        "source_defined_primary_key": [[key] for key in stream.primary_keys],
        "is_resumable": False,
    }
    if stream.replication_key:
        entry["default_cursor_field"] = [stream.replication_key]
    return entry


def _typed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON Schema with Airbyte's additions: times have zones, objects may have more properties."""
    typed = dict(schema)
    if typed.get("format") == "date-time":
        typed["airbyte_type"] = "timestamp_with_timezone"
    if "properties" in typed:
        typed["properties"] = {name: _typed(its) for name, its in typed["properties"].items()}
    if "items" in typed:
        typed["items"] = _typed(typed["items"])
    if "object" in typed["type"]:
        typed["additionalProperties"] = True
    return typed


class _Stream(msgspec.Struct):
    name: str
    json_schema: dict[str, Any] = {}


class Chosen(msgspec.Struct):
    """One stream of a configured catalog, with the parts that the source uses."""

    stream: _Stream
    sync_mode: str = "full_refresh"
    destination_sync_mode: str = "append"

    @property
    def name(self) -> str:
        """Name of the stream."""
        return self.stream.name

    @property
    def is_incremental(self) -> bool:
        """True if the stream continues from its state."""
        return self.sync_mode == "incremental"

    @property
    def overwrites(self) -> bool:
        """True if the destination deletes what does not arrive."""
        return not self.is_incremental and self.destination_sync_mode == "overwrite"

    def takes(self, column: str) -> bool:
        """True if a column is selected; a catalog without columns selects all."""
        columns = self.stream.json_schema.get("properties")
        return not columns or column in columns


class _Configured(msgspec.Struct):
    streams: list[Chosen]


def read_choice(configured: Any) -> list[Chosen]:
    """Return the streams of a configured catalog; raise ValueError if it is not one."""
    return msgspec.convert(configured, _Configured).streams


def select(catalog: dict[str, Any], chosen: Iterable[Chosen]) -> dict[str, Any]:
    """Return the tap's own catalog with only the chosen streams and columns selected."""
    wanted = {one.name: one for one in chosen}
    for stream in catalog["streams"]:
        one = wanted.get(stream["stream"])
        for entry in stream["metadata"]:
            breadcrumb, metadata = entry["breadcrumb"], entry["metadata"]
            if not breadcrumb:
                metadata["selected"] = one is not None
            elif one and metadata["inclusion"] == "available":
                metadata["selected"] = one.takes(breadcrumb[-1])
    return catalog
