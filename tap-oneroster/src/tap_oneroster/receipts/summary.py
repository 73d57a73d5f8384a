"""The table of numbers at the end of a run."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .tally import Tally

__all__ = ["summary_lines"]

_HEAD = ("collection", "source", "mode", "records", "deleted", "left out", "deviations", "seconds")


def summary_lines(tallies: Iterable[tuple[Tally, Mapping[str, Any]]]) -> Iterator[str]:
    """Yield a table with a line for each pass, followed by the deviations by rule."""
    rows = [_HEAD]
    odd: list[str] = []
    for tally, receipt in tallies:
        deviations = receipt["deviations"]
        rows.append(
            (
                receipt["collection"],
                receipt["source"],
                receipt["mode"] + ("" if receipt["complete"] else ", INCOMPLETE"),
                f"{receipt['received']:,}",
                f"{tally.deleted:,}",
                f"{receipt['rejected']:,}",
                f"{sum(deviations.values()):,}",
                f"{_seconds(receipt):.1f}",
            )
        )
        odd += [f"{receipt['collection']}: {rule}: {n:,}" for rule, n in deviations.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if number < 3 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
    if odd:
        yield "What deviated from the standard:"
        yield from (f"  {line}" for line in odd)


def _seconds(receipt: Mapping[str, Any]) -> float:
    started, finished = (datetime.fromisoformat(receipt[key]) for key in ("startedAt", "finishedAt"))
    return (finished - started).total_seconds()
