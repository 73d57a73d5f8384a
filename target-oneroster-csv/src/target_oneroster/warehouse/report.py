"""The outcome of a run as a table in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    from .load import LoadOutcome

__all__ = ["report"]

_HEAD = ("table", "came", "new", "changed", "unchanged", "deleted", "there now", "")


def report(outcome: LoadOutcome, logger: logging.Logger) -> None:
    """Write the outcome to the log."""
    for (table, column), count in outcome.unreadable.items():
        logger.warning("%s.%s: %d values of another type, left empty and kept in metadata.", table, column, count)
    for (table, rule), count in outcome.deviations.items():
        logger.info("%s.%s: %d", table, rule, count)
    rows: list[tuple[str, ...]] = [_HEAD]
    for name, c in outcome.tables.items():
        numbers = (c.came, c.new, c.changed, c.unchanged, c.deleted, c.total)
        rows.append((name, *(f"{n:,}" for n in numbers), c.note))
    rows += [(name, *["-"] * 6, "NOT LOADED: " + fault) for name, fault in outcome.refused.items()]
    if len(rows) > 1:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = [
                row[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(row[1:-1], widths[1:-1], strict=True)),
                row[-1],
            ]
            logger.info("  ".join(cells).rstrip())
    if outcome.files:
        logger.info("Parquet files written: %d.", outcome.files)
