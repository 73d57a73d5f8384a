"""How fast to ask, and how long to wait before asking again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["Backoff", "Pace", "Stopped", "retry_after"]


class Stopped(Exception):
    """The run ended while something was waiting."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double, with jitter, so that clients do not come back all at once."""

    first: float = 0.5
    longest: float = 60.0
    tries: int = 6
    longest_asked: float = 900.0
    """The longest wait that a service may ask for."""

    def wait(self, tried: int) -> float:
        """Seconds to wait after so many tries."""
        doubled: float = self.first * 2.0 ** (tried - 1)
        return random.uniform(0.5, 1.0) * min(self.longest, doubled)  # noqa: S311


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a service asks to be left alone, given as seconds or as a date."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


class Pace:
    """Spaces requests out over all threads; `hold` makes all of them wait."""

    def __init__(self, requests_per_minute: float | None = None) -> None:
        self._gap = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def take_turn(self) -> None:
        """Wait until the next request may go out."""
        while True:
            with self._lock:
                now = time.monotonic()
                wait = self._next - now
                if wait <= 0:
                    self._next = now + self._gap
                    return
                if self._gap:
                    # The turn is taken now, so that those who wait keep their order.
                    self._next += self._gap
            self.sleep(wait)
            if self._gap:
                return

    def hold(self, seconds: float) -> None:
        """Let no request out for a while."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Wait, unless the run ends meanwhile: then Stopped."""
        if self._stop.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """Wake everyone who waits."""
        self._stop.set()
