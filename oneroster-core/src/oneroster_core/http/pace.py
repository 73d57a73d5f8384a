"""Rate limit and retry delays."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice


class Stopped(Exception):
    """The run ended during a wait."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that double, with jitter, so that clients do not all retry at the same moment."""

    first: float = 0.5
    longest: float = 60.0
    tries: int = 6
    longest_asked: float = 900.0
    """The longest delay in seconds that is accepted from a service."""

    def wait(self, tried: int) -> float:
        """Return the seconds to wait after `tried` tries: between half of the doubled delay and all of it."""
        import backoff  # it costs 30 ms, and most runs never wait

        waits = backoff.expo(factor=self.first, max_value=self.longest)
        half: float = next(islice(waits, tried, None)) / 2  # the first item it yields is not a delay
        return half + backoff.full_jitter(half)


def http_date(text: str) -> datetime | None:
    """Return the moment in an HTTP date; None if the text is not one."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the delay that a service asks for, in seconds, from a number or a date; None if it asks for none."""
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
    """Spaces requests evenly over all threads; `hold` makes all of them wait."""

    def __init__(self, requests_per_minute: float | None = None) -> None:
        self._gap = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def take_turn(self) -> None:
        """Wait until the next request may be sent."""
        while True:
            with self._lock:
                now = time.monotonic()
                wait = self._next - now
                if wait <= 0:
                    self._next = now + self._gap
                    return
                if self._gap:
                    # Reserve the turn now, so that waiting threads keep their order.
                    self._next += self._gap
            self.sleep(wait)
            if self._gap:
                return

    def hold(self, seconds: float) -> None:
        """Send no request for this many seconds."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def sleep(self, seconds: float) -> None:
        """Wait; raise Stopped if the run ends during the wait."""
        if self._stop.wait(seconds):
            raise Stopped

    def stop(self) -> None:
        """Wake all waiting threads."""
        self._stop.set()
