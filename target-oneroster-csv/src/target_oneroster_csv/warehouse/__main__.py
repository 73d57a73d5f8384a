"""The command `target-oneroster-duckdb`, also as `python -m target_oneroster_csv.warehouse`."""

from __future__ import annotations

from ..start import importing

__all__ = ["main"]


def main() -> None:
    """Run the target."""
    with importing():
        from .target import TargetOneRosterDuckDB
    TargetOneRosterDuckDB.cli()


if __name__ == "__main__":
    main()
