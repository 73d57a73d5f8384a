"""Singer tap for OneRoster 1.1 and 1.2, over REST and CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .singer.tap import TapOneRoster

__all__ = ["TapOneRoster"]


def __getattr__(name: str) -> object:
    # Imported on demand, so that modules without Singer code can be used without the SDK.
    if name == "TapOneRoster":
        from .singer.tap import TapOneRoster

        return TapOneRoster
    raise AttributeError(name)
