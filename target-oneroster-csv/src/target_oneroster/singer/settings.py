"""Settings that both targets share."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from .._core.settings import TEXT, setting, switch
from ..errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance
    from singer_sdk import typing as th

_Options = TypeVar("_Options", bound="DataclassInstance")
_SIZE = re.compile(r"[1-9]\d*(\.\d+)? ?[KMGT]i?B", re.ASCII | re.IGNORECASE)

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


def engine_memory(default: str) -> th.Property[str]:
    """Return the setting for the memory of the engine, which sorts and joins the rows."""
    return setting(
        "engine_memory",
        TEXT,
        "How much memory the engine that sorts and joins rows may use before it writes to disk, such as 400MB. More is "
        "faster for large districts. The process itself takes about 150 MB besides.",
        default=default,
    )


def options_of(kind: type[_Options], config: Mapping[str, Any], **others: Any) -> _Options:
    """Return the settings as options: those with the name of an option, the zone of times without one, and `others`.

    Raise Misconfigured for a zone that does not exist, and for a memory that is no size.
    """
    try:
        zone = ZoneInfo(config["source_time_zone"])
    except (ValueError, OSError, KeyError):  # an unknown zone raises KeyError
        raise Misconfigured("Setting source_time_zone: no such time zone. Write it like America/Chicago.") from None
    if not _SIZE.fullmatch(config["engine_memory"]):
        raise Misconfigured("Setting engine_memory: write a size like 400MB or 1.5GB.")
    same = {option.name: config[option.name] for option in fields(kind) if option.name in config}
    return kind(**same | {"zone": zone} | others)
