"""The properties of a bundle: the target's settings, without Singer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from .._core.model import FILES, Version
from .._core.model import file as file_named
from .._core.sql import MEMORY

if TYPE_CHECKING:
    from .dialects import Dialect


@dataclass(frozen=True, slots=True)
class BundleOptions:
    """How to make a bundle from the records."""

    version: Version = Version.V1_2
    file_mode: str = "bulk"
    file_modes: Mapping[str, str] = field(default_factory=dict)
    """Files with another mode than `file_mode`."""
    load_method: str = "overwrite"
    on_invalid: str = "fail"
    keep_metadata: bool = False
    include_passwords: bool = False
    require_receipts: bool = False
    max_shrink_percent: float = 20
    accept_shrink: bool = False
    default_class_type: str | None = None
    """Type of a class that has none."""
    administrator_role: str | None = None
    """1.2 word for 1.1's `administrator`; without it the type of the org decides."""
    counselor_role: str = "aide"
    """1.1 word for 1.2's `counselor`."""
    engine_memory: str = MEMORY
    """How much memory the engine may use before it writes to disk."""
    zone: tzinfo = UTC
    """Zone of times without a zone."""
    system_name: str | None = None
    system_code: str | None = None
    dialect: Dialect | None = None
    """Of a consumer whose bundles differ from the standard's."""

    def mode(self, name: str) -> str:
        """Return the mode of a file, bulk or delta; derived rows have the mode of their parents."""
        if self.dialect:  # whole, and its files may be none of the standard's
            return "bulk"
        if name in self.file_modes:
            return self.file_modes[name]
        derived = file_named(name).derived
        return self.mode(derived.parent) if derived else self.file_mode

    @property
    def bulk(self) -> frozenset[str]:
        """Files with complete content: rows that they lack are deleted."""
        return frozenset(file.name for file in FILES if self.mode(file.name) == "bulk")

    @property
    def snapshots(self) -> frozenset[str]:
        """Files for which the run must bring all rows, because no old rows are kept."""
        return self.bulk if self.load_method == "overwrite" else frozenset()

    @property
    def guards_shrink(self) -> bool:
        """True if bulk files must not lose too many rows compared with the files that they replace."""
        return bool(self.bulk) and not self.accept_shrink
