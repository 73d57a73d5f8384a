"""The command `target-oneroster-duckdb`, also as `python -m target_oneroster_csv.warehouse`."""

from __future__ import annotations

import gc

__all__ = ["main"]


def main() -> None:
    """Run the target."""
    # As in the other target: nothing that is imported is garbage.
    gc.disable()
    from .target import TargetOneRosterDuckDB

    gc.freeze()
    gc.enable()
    TargetOneRosterDuckDB.cli()


if __name__ == "__main__":
    main()
