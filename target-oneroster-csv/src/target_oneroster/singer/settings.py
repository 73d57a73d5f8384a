"""Settings that both targets share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from singer_sdk import typing as th

from ..errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REQUIRE_RECEIPTS", "SOURCE_TIME_ZONE", "TEXT", "choice", "setting", "switch", "time_zone"]

TEXT = th.StringType(nullable=False)


def setting(name: str, kind: Any, description: str, *, title: str = "", **more: Any) -> th.Property[Any]:
    """Return a setting; without a `title` the words of its name are the title."""
    return th.Property(name, kind, title=title or name.replace("_", " ").title(), description=description, **more)


def choice(name: str, words: list[str], description: str, **more: Any) -> th.Property[Any]:
    """Return a setting that takes one of these words."""
    return setting(name, TEXT, description, allowed_values=words, **more)


def switch(name: str, description: str, *, default: bool = False, **more: Any) -> th.Property[Any]:
    """Return a setting that is true or false."""
    return setting(name, th.BooleanType(nullable=False), description, default=default, **more)


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
