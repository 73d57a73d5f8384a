"""The command `target-oneroster-duckdb`, also as `python -m target_oneroster.warehouse`."""

from __future__ import annotations

from ..singer.start import importing

__all__ = ["main"]


def main() -> None:
    """Run the target."""
    with importing():
        from .target import TargetOneRosterDuckDB
    TargetOneRosterDuckDB.cli()


if __name__ == "__main__":
    main()
