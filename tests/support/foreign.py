"""Spellings of moments, and runs of taps that are not ours, for the tests of both targets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.target.mini import lines

__all__ = ["MOMENTS", "WAYS", "messages"]

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
