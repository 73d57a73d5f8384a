"""What a bundle should be like: the settings of the target, as the core reads them."""

from __future__ import annotations

from dataclasses import dataclass

from ._model import Version

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to make a bundle out of what came."""

    version: Version = Version.V1_2
    file_mode: str = "bulk"
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
    system_name: str | None = None
    system_code: str | None = None

    @property
    def bulk(self) -> bool:
        """Whether the files say all there is, and what they lack is gone."""
        return self.file_mode == "bulk"

    @property
    def snapshot(self) -> bool:
        """Whether what came must be all there is: nothing else fills the gaps."""
        return self.bulk and self.load_method == "overwrite"

    @property
    def braked(self) -> bool:
        """Whether the bundle must not lack too much of the one it replaces."""
        return self.bulk and not self.accept_shrink
