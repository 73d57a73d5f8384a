"""The command `tap-oneroster`, also as `python -m tap_oneroster`."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

from ._core.shell import importing, run

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 32 << 20


def _keep_memory() -> None:
    """Let glibc keep the memory of one block of lines for the next; allocating it again takes a ninth of the time."""
    with suppress(OSError, AttributeError):  # the C library is not glibc
        library = ctypes.CDLL(None)
        for parameter in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD):
            library.mallopt(parameter, _KEPT)


def main() -> None:
    """Run the tap."""
    # Arrow's other memory pools do not return memory: a third more memory, and no faster.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    _keep_memory()
    with importing():
        from .singer.tap import TapOneRoster
    run(TapOneRoster.cli)


if __name__ == "__main__":
    main()
