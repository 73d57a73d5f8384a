"""What a bundle should be like: the settings of the target, as the core reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from .._core.model import FILES, Version
from .._core.model import file as file_named

__all__ = ["BundleOptions"]


@dataclass(frozen=True, slots=True)
class BundleOptions:
    """How to make a bundle out of what came."""

    version: Version = Version.V1_2
    file_mode: str = "bulk"
    file_modes: Mapping[str, str] = field(default_factory=dict)
    """Files that have another mode than `file_mode`."""
    load_method: str = "overwrite"
    on_invalid: str = "fail"
    keep_metadata: bool = False
    include_passwords: bool = False
    require_receipts: bool = False
    max_shrink_percent: float = 20
    accept_shrink: bool = False
    default_class_type: str | None = None
    """Word written where a class has no type."""
    administrator_role: str | None = None
    """Word of 1.2 for 1.1's `administrator`; without it the type of the org decides."""
    counselor_role: str = "aide"
    """Word of 1.1 for 1.2's `counselor`."""
    zone: tzinfo = UTC
    """Where times without a zone were written."""
    system_name: str | None = None
    system_code: str | None = None

    def mode(self, name: str) -> str:
        """Bulk or delta. Rows that are made from their parents' records are as complete as those are."""
        if name in self.file_modes:
            return self.file_modes[name]
        derived = file_named(name).derived
        return self.mode(derived.parent) if derived else self.file_mode

    @property
    def bulk(self) -> frozenset[str]:
        """Files that say all there is: what they lack is gone."""
        return frozenset(file.name for file in FILES if self.mode(file.name) == "bulk")

    @property
    def snapshots(self) -> frozenset[str]:
        """Files for which what came must be all there is: nothing else fills the gaps."""
        return self.bulk if self.load_method == "overwrite" else frozenset()

    @property
    def braked(self) -> bool:
        """Whether files of the bundle must not lack too much of those they replace."""
        return bool(self.bulk) and not self.accept_shrink
