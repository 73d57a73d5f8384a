"""What the settings of both targets share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from singer_sdk import typing as th

from ..errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REQUIRE_RECEIPTS", "SOURCE_TIME_ZONE", "time_zone"]

REQUIRE_RECEIPTS: th.Property[bool] = th.Property(
    "require_receipts",
    th.BooleanType(nullable=False),
    default=False,
    title="Require Receipts",
    description="Refuse input without the stream syncReceipts of tap-oneroster, which proves that the tap read "
    "everything.",
)
"""Both targets have it."""
SOURCE_TIME_ZONE: th.Property[str] = th.Property(
    "source_time_zone",
    th.StringType(nullable=False),
    default="UTC",
    title="Source Time Zone",
    description="Time zone of times that have no zone (such as America/Chicago).",
)
"""Both targets have it."""


def time_zone(config: Mapping[str, Any]) -> ZoneInfo:
    """Return the zone of times without one; raise Misconfigured if there is no such zone."""
    try:
        return ZoneInfo(config["source_time_zone"])
    except (ValueError, OSError, KeyError):  # a zone that does not exist is a KeyError
        raise Misconfigured("Setting source_time_zone: no such time zone. Write it like America/Chicago.") from None
