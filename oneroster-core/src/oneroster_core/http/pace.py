"""How fast to ask, and how long to wait before asking again."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice

__all__ = ["Backoff", "Pace", "Stopped", "http_date", "retry_after"]


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
        """Seconds to wait after so many tries: between half of the doubled wait and all of it."""
        import backoff  # it costs 30 ms, and most runs never wait

        waits = backoff.expo(factor=self.first, max_value=self.longest)
        half: float = next(islice(waits, tried, None)) / 2  # the first that it yields is not a wait
        return half + backoff.full_jitter(half)


def http_date(text: str) -> datetime | None:
    """A moment as headers write it; None if it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a service asks to be left alone, given as seconds or as a date."""
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        moment = http_date(text)
        if moment is None:
            return None
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return None if math.isnan(seconds) else max(seconds, 0.0)


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
