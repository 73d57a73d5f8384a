"""The command `target-oneroster-csv`, also as `python -m target_oneroster`."""

from __future__ import annotations

from ._core.shell import importing, run


def main() -> None:
    """Run the target."""
    with importing():
        import duckdb  # noqa: F401 # before the SDK: loaded after it, the engine reports at the end what it did not free

        from .bundle.target import TargetOneRosterCSV
    run(TargetOneRosterCSV.cli)


if __name__ == "__main__":
    main()
