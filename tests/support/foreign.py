"""Spellings of moments, and runs of taps that are not ours, for the tests of both targets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.target.mini import lines

if TYPE_CHECKING:
    from collections.abc import Callable

UTC_MILLIS = "2025-05-01T12:00:00.000Z"
MOMENTS = {
    "2025-05-01T12:00:00+00:00": UTC_MILLIS,
    "2025-05-01T14:00:00+02:00": UTC_MILLIS,
    "2025-05-01T12:00:00.000000+00:00": UTC_MILLIS,
    "2025-05-01T12:00:00Z": UTC_MILLIS,
    "2025-05-01 12:00:00+00": UTC_MILLIS,
    "2025-05-01T12:00:00.5Z": "2025-05-01T12:00:00.500Z",
    "20250501T120000Z": UTC_MILLIS,
    "2025-W18-4T12:00Z": UTC_MILLIS,
    "2025-05-01T07:00:00": UTC_MILLIS,
    "2025-05-01 07:00": UTC_MILLIS,
    "2025-05-01": "2025-05-01T05:00:00.000Z",
}
WAYS = pytest.mark.parametrize("quick", [True, False], ids=["typed records", "one by one"])


def messages(district: dict[str, list[dict[str, Any]]], *, quick: bool) -> list[dict[str, Any]]:
    """A run without receipts; with schemas that say little, records go the slow way."""
    found = lines(district)
    for message in found:
        if message["type"] == "SCHEMA" and not quick:
            message["schema"] = {"properties": {name: {} for name in message["schema"]["properties"]}}
    return found


def snake(name: str) -> str:
    return re.sub("([A-Z])", lambda m: "_" + m[1].lower(), name)


def loose(
    messages: list[dict[str, Any]],
    stream: Callable[[str], str],
    name: Callable[[str], str],
    value: Callable[[Any], Any],
) -> list[dict[str, Any]]:
    """The same messages under other names and in other shapes, with schemas that say little."""
    out = []
    for m in messages:
        if m["type"] == "SCHEMA":
            properties: dict[str, Any] = {name(p): {} for p in m["schema"]["properties"]}
            out.append(
                {
                    "type": "SCHEMA",
                    "stream": stream(m["stream"]),
                    "schema": {"properties": properties},
                    "key_properties": [name("sourcedId")],
                }
            )
        else:
            record = {name(k): value(v) for k, v in m["record"].items()}
            out.append({"type": "RECORD", "stream": stream(m["stream"]), "record": record})
    return out
