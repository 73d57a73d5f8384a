"""Settings that both targets share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .._core.settings import TEXT, setting, switch
from ..errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk import typing as th

__all__ = ["REQUIRE_RECEIPTS", "SOURCE_TIME_ZONE", "time_zone"]

REQUIRE_RECEIPTS: th.Property[bool] = switch(
    "require_receipts",
    "Refuse input without the stream syncReceipts of tap-oneroster, which proves that the tap read everything.",
)
"""Used by both targets."""
SOURCE_TIME_ZONE: th.Property[str] = setting(
    "source_time_zone",
    TEXT,
    "Time zone of times that have no zone (such as America/Chicago).",
    default="UTC",
)
"""Used by both targets."""


def time_zone(config: Mapping[str, Any]) -> ZoneInfo:
    """Return the zone of times without one; raise Misconfigured if the zone does not exist."""
    try:
        return ZoneInfo(config["source_time_zone"])
    except (ValueError, OSError, KeyError):  # an unknown zone raises KeyError
        raise Misconfigured("Setting source_time_zone: no such time zone. Write it like America/Chicago.") from None
