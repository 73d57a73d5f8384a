"""The command `target-oneroster-csv`, also as `python -m target_oneroster_csv`."""

from __future__ import annotations

from .start import importing

__all__ = ["main"]


def main() -> None:
    """Run the target."""
    with importing():
        from .target import TargetOneRosterCSV
    TargetOneRosterCSV.cli()


if __name__ == "__main__":
    main()
