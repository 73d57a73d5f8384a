"""Log a line every few seconds while a long collection is read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Progress"]

_SECONDS = 5.0


class Progress:
    """Reports the progress of one collection, at most every few seconds."""

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self._name = name
        self._say = say
        self._started = self._last = time.monotonic()

    def report(self, records: int, expected: int | None) -> None:
        """Report the progress, unless the last report was a moment ago."""
        now = time.monotonic()
        if now - self._last < _SECONDS:
            return
        self._last = now
        rate = records / (now - self._started)
        share = f" of {expected:,} ({records / expected:.0%})" if expected else ""
        self._say(f"{self._name}: {records:,}{share} records so far, {rate:,.0f} a second")
