"""`source-oneroster` from its first moment, before the rest is loaded."""

from __future__ import annotations

import os
import signal
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Run a command, and let no signal look like a good end.

    PyAirbyte takes a source that SIGTERM ended in the usual way (-15) for one that has read
    everything; one that has begun has to end otherwise, however early it is.
    """
    signal.signal(signal.SIGTERM, _stop)
    from .command import main as run

    run()


def _stop(signum: int, _: Any) -> None:
    os._exit(128 + signum)
