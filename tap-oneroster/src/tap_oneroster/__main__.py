"""The command `tap-oneroster`, also as `python -m tap_oneroster`."""

from __future__ import annotations

import gc
import os

__all__ = ["main"]


def main() -> None:
    """Run the tap."""
    # Its other pools keep what they were given once: a third more memory, and no faster.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # Nothing that is imported is garbage, and looking for it over and over takes a fifth of the start.
    gc.disable()
    from .tap import TapOneRoster

    gc.freeze()
    gc.enable()
    TapOneRoster.cli()


if __name__ == "__main__":
    main()
