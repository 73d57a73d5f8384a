"""The settings that decide which values pass, for both bindings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Policy:
    """Which values pass: passwords, metadata keys; and the zone of times without one."""

    secrets: bool = False
    metadata_keys: tuple[str, ...] = ("*",)
    zone: tzinfo = UTC

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Policy:
        """Return the policy that these settings define."""
        return cls(config["include_passwords"], tuple(config["metadata_keys"]), ZoneInfo(config["source_time_zone"]))

    def takes_key(self, key: str) -> bool:
        """True if the setting `metadata_keys` allows a key."""
        return any(fnmatchcase(key, pattern) for pattern in self.metadata_keys)
