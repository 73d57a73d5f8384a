"""The start of `source-oneroster`, before the other modules are loaded."""

from __future__ import annotations

import os
import signal
from typing import Any


def main() -> None:
    """Run a command, and exit with an error code after any signal.

    PyAirbyte treats a source that SIGTERM ended in the default way (-15) as complete, so the handler must be set before
    anything else.
    """
    signal.signal(signal.SIGTERM, _stop)
    from .command import main as run

    run()


def _stop(signum: int, _: Any) -> None:
    os._exit(128 + signum)
