"""Settings that both targets share."""

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
    description="Refuse input without the syncReceipts stream of tap-oneroster, which proves that the tap reached its end.",
)
"""Used by both targets."""
SOURCE_TIME_ZONE: th.Property[str] = th.Property(
    "source_time_zone",
    th.StringType(nullable=False),
    default="UTC",
    title="Source Time Zone",
    description="Time zone in which the source writes times without a zone (such as America/Chicago).",
)
"""Used by both targets."""


def time_zone(config: Mapping[str, Any]) -> ZoneInfo:
    """Return the zone of times without one; raise Misconfigured if the zone does not exist."""
    try:
        return ZoneInfo(config["source_time_zone"])
    except (ValueError, OSError, KeyError):  # an unknown zone raises KeyError
        raise Misconfigured("Setting source_time_zone: no such time zone. Write it like America/Chicago.") from None
