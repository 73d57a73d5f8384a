"""The command `target-oneroster-csv`, also as `python -m target_oneroster_csv`."""

from __future__ import annotations

import gc

__all__ = ["main"]


def main() -> None:
    """Run the target."""
    # Nothing that is imported is garbage, and looking for it over and over takes a fifth of the start.
    gc.disable()
    from .target import TargetOneRosterCSV

    gc.freeze()
    gc.enable()
    TargetOneRosterCSV.cli()


if __name__ == "__main__":
    main()
