"""The outcome of a run as a few lines in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model import RECEIPTS

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Mapping

    from .counts import TableCounts
    from .load import LoadOutcome


def report(outcome: LoadOutcome, logger: logging.Logger, total: Callable[[int], str]) -> None:
    """Write the outcome to the log; `total` says how long so many records took."""
    for (table, column), count in outcome.unreadable.items():
        logger.warning("%s.%s: %d values of another type, left empty and kept in metadata.", table, column, count)
    for (table, rule), count in outcome.deviations.items():
        logger.info("%s.%s: %d", table, rule, count)
    if outcome.switched:
        logger.warning("%s", outcome.switched)
    tables = {name: counts for name, counts in outcome.tables.items() if name != RECEIPTS.name}
    for note in dict.fromkeys(counts.note for counts in tables.values() if counts.note):
        logger.info("%s: %s", ", ".join(name for name, counts in tables.items() if counts.note == note), note)
    for name, fault in outcome.refused.items():
        logger.error("%s: NOT LOADED: %s", name, fault)
    if tables:
        logger.info("Records loaded: %s.", total(sum(counts.records for counts in tables.values())))
        logger.info("%s.", "; ".join(_changes(tables)))
    if outcome.files:
        logger.info("Parquet files written: %d.", outcome.files)


def _changes(tables: Mapping[str, TableCounts]) -> Iterator[str]:
    idle = 0
    for name, c in tables.items():
        words = [f"{n:,} {word}" for word in ("new", "changed", "deleted") if (n := c.sum(word))]
        if words:
            yield f"{name} {', '.join(words)}"
        idle += not words
    if idle:
        yield f"{idle} table{'s'[: idle != 1]}: nothing new"
