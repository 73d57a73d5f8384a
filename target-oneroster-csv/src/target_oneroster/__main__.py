"""The command `target-oneroster-csv`, also as `python -m target_oneroster`."""

from __future__ import annotations

from .singer.start import importing

__all__ = ["main"]


def main() -> None:
    """Run the target."""
    with importing():
        from .bundle.target import TargetOneRosterCSV
    TargetOneRosterCSV.cli()


if __name__ == "__main__":
    main()
