"""How a command without Singer starts and ends; it needs nothing but the standard library."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn


def start(command: Callable[[Sequence[str]], int]) -> NoReturn:
    """Run a command with the arguments of this process, and exit with the code that it returns.

    A signal ends the process at once with its own code; a reader that has gone away ends it with 1.
    """
    signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    try:
        sys.exit(command(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os._exit(1)
