"""The command `target-oneroster-csv`, also as `python -m target_oneroster`."""

from __future__ import annotations

from ._core.shell import importing, run

__all__ = ["main"]


def main() -> None:
    """Run the target."""
    with importing():
        from .bundle.target import TargetOneRosterCSV
    run(TargetOneRosterCSV.cli)


if __name__ == "__main__":
    main()
