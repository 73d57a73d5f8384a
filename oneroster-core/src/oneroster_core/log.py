"""What a run says while it works: how far it is, and none of the SDK's routine lines."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

_SECONDS, _MOVE = 10.0, 0.25
"""Between two lines of a log, and between two states of the line on a terminal."""


def hush(*loggers: logging.Logger | logging.LoggerAdapter[Any]) -> None:
    """Hide the SDK's lines at level INFO, unless the level of the log is DEBUG.

    A logger to which somebody gave a level, as a file of SINGER_SDK_LOG_CONFIG can, says what it said.
    """
    for one in loggers:
        logger = one.logger if isinstance(one, logging.LoggerAdapter) else one
        if logger.level == logging.NOTSET:
            logger.addFilter(_is_wanted)


def _is_wanted(record: logging.LogRecord) -> bool:
    if record.levelno > logging.INFO or "singer_sdk" not in record.pathname or record.funcName == "print_version":
        return True
    return min(logging.getLogger(name).getEffectiveLevel() for name in (None, record.name)) <= logging.DEBUG


class Progress:
    """Says how far a long piece of work is: in a log a line every ten seconds, on a terminal one line that moves."""

    def __init__(self, say: Callable[[str], None], *, logged: bool = True) -> None:
        self._say = say
        self.moves = sys.stderr.isatty() and (not logged or logging.getLogger().isEnabledFor(logging.INFO))
        """True if the line is on a terminal. A line of a log moves only if the log shows such lines."""
        self._every = _MOVE if self.moves else _SECONDS
        self._name = ""
        self._started = self._begun = self._last = time.monotonic()

    def begin(self, name: str) -> None:
        """Count from here on for this piece of the work."""
        self._name, self._begun = name, time.monotonic()

    def report(self, done: int, unit: str = "records", share: float | None = None) -> None:
        """Say what is done, at which rate, and how long the rest will take; `share` is the part that is done."""
        now = time.monotonic()
        if now - self._last < self._every:
            return
        spent = max(now - self._begun, 0.001)
        text = f"{self._name}: {done:,} {unit}, {done / spent:,.0f} a second"
        if share:
            text += f", {min(share, 1):.0%} done, {_clock(spent * max(1 / share - 1, 0))} left"
        self._show(text)

    @contextmanager
    def working(self, name: str) -> Iterator[None]:
        """Say now and then that something without a count goes on, under the name of the last `begin`."""
        self.begin(name)
        ended = Event()

        def beat() -> None:
            while not ended.wait(max(self._last + self._every - time.monotonic(), 0.01)):
                self._show(f"{self._name}: {_clock(time.monotonic() - self._begun)} so far")

        thread = Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self.end()

    def _show(self, text: str) -> None:
        self._last = time.monotonic()
        if self.moves:
            width = min(os.get_terminal_size(sys.stderr.fileno()).columns or 80, 80) - 1
            # The cursor goes back, so that the next line of the log, which is longer, replaces this one.
            sys.stderr.write(f"\x1b[K{text[:width]}\r")
            sys.stderr.flush()
        else:
            self._say(text)

    def end(self) -> None:
        """Take the line off the terminal."""
        if self.moves:
            sys.stderr.write("\x1b[K")
            sys.stderr.flush()

    def total(self, records: int) -> str:
        """Return how much the whole work was, in which time and at which rate."""
        spent = max(time.monotonic() - self._started, 0.001)
        return f"{records:,} in {spent:.1f} s, {records / spent:,.0f} a second"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
