"""The command `target-oneroster-duckdb`, also as `python -m target_oneroster.warehouse`."""

from __future__ import annotations

from .._core.shell import importing, run


def main() -> None:
    """Run the target."""
    with importing():
        import duckdb  # noqa: F401 # before the SDK: loaded after it, the engine reports at the end what it did not free

        from .target import TargetOneRosterDuckDB
    run(TargetOneRosterDuckDB.cli)


if __name__ == "__main__":
    main()
