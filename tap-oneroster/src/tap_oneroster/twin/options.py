"""The settings of a twin, which every tap declares; what they mean is in `settings`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._core.settings import TEXT, setting

if TYPE_CHECKING:
    from singer_sdk import typing as th

__all__ = ["TWIN_SETTINGS"]

TWIN_SETTINGS: tuple[th.Property[Any], ...] = (
    setting(
        "twin",
        TEXT,
        "Policy file of one consumer. Only what it names leaves, with pseudonyms in the place of ids, for the people and "
        "classes in its scope.",
    ),
    setting(
        "twin_key",
        TEXT,
        "Master key of the pseudonyms: at least 32 bytes in base64, which oneroster-twin key makes.",
        secret=True,
    ),
)
