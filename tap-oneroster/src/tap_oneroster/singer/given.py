"""Check state and catalog before they are used; an error is one line without any value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from singer_sdk.singerlib import Catalog

_DEEPEST = 40
"""Maximum nesting of lists and objects; the tap's own have seven levels."""


class _Bundle(msgspec.Struct):
    name: str
    modified: str
    digest: str
    mode: str


class _Counts(msgspec.Struct):
    total: int
    schools: dict[str, int]


class _Twin(msgspec.Struct):
    consumer: str
    epoch: int
    policy: str
    scope: str


class _Bookmark(msgspec.Struct):
    """The parts of a bookmark that the tap and the SDK read."""

    replication_key: str | None = None
    replication_key_value: str | None = None
    replication_key_signpost: str | None = None
    starting_replication_value: str | None = None
    full_read_at: str | None = None
    bundles: list[_Bundle] | None = None
    counts: _Counts | None = None
    twin: _Twin | None = None
    progress_markers: dict[str, Any] | None = None
    partitions: list[dict[str, Any]] = []


class _State(msgspec.Struct):
    bookmarks: dict[str, _Bookmark] = {}


class _About(msgspec.Struct):
    selected: bool | None = None
    inclusion: Literal["available", "automatic", "unsupported"] | None = None


class _Metadata(msgspec.Struct):
    metadata: _About
    breadcrumb: list[str] = []


class _Entry(msgspec.Struct):
    tap_stream_id: str
    stream: str | None = None
    schema: dict[str, Any] = {}
    metadata: list[_Metadata] = []
    key_properties: list[str] | None = None
    replication_key: str | None = None
    replication_method: Literal["FULL_TABLE", "INCREMENTAL", "LOG_BASED"] | None = None


class _Catalog(msgspec.Struct):
    streams: list[_Entry]


def state_error(state: Any) -> str | None:
    """Return what is wrong with a state; None if it is valid."""
    if _is_too_deep(state):
        return "lists and objects inside of each other, deeper than any state of this tap"
    try:
        known = msgspec.convert(state, _State)
    except msgspec.ValidationError as error:
        return f"not a state of this tap, {_place(error)}"
    for bookmark in known.bookmarks.values():
        moments = (bookmark.replication_key_value, bookmark.starting_replication_value, bookmark.full_read_at)
        if not all(map(_is_moment, moments)) or (bookmark.full_read_at and not _moment(bookmark.full_read_at).tzinfo):
            return "not a state of this tap: a bookmark is not a moment in ISO 8601"
    return None


def catalog_error(catalog: str) -> str | None:
    """Return what is wrong with the text of a catalog; None if it is valid."""
    found = msgspec.json.decode(catalog)
    if _is_too_deep(found):
        return "lists and objects inside of each other, deeper than any catalog of this tap"
    try:
        msgspec.convert(found, _Catalog)
    except msgspec.ValidationError as error:
        return f"not a Singer catalog, {_place(error)}"
    try:
        Catalog.from_dict(found)
    except Exception:  # the SDK may raise anything
        return "not a Singer catalog, in a schema"
    return None


def _place(error: msgspec.ValidationError) -> str:
    """Return the place of the error; the rest of the message may contain a value."""
    path = str(error).rpartition(" - at `")[2].rstrip("`")
    return f"at {path}" if path.startswith("$") else "at its top"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is_moment(text: str | None) -> bool:
    try:
        return text is None or bool(_moment(text))
    except ValueError:
        return False


def _is_too_deep(value: Any) -> bool:
    """True if copying or writing the value would exceed the interpreter's recursion limit."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, Mapping | list)
            for inner in (one.values() if isinstance(one, Mapping) else one)
        ]
        if not level:
            return False
    return True
