"""The table of numbers at the end of a run."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .tally import Tally

_HEAD = ("collection", "source", "mode", "records", "deleted", "left out", "deviations", "seconds")


def summary_lines(
    tallies: Sequence[tuple[Tally, Mapping[str, Any]]], total: Callable[[int], str], *, is_first: bool
) -> Iterator[str]:
    """Say what came, and what deviated, by rule.

    A first read has a row for each pass that brought records, later ones only for what is odd: the rest is one line.
    `total` says how long so many records took.
    """
    came: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for tally, receipt in tallies:
        came[receipt["collection"]] += receipt["received"]
        gone[receipt["collection"]] += tally.deleted
    if not came.total() and not any(receipt["complete"] for _, receipt in tallies):
        return  # nothing could be read, and the errors say why
    odd = [one for one in tallies if _is_odd(one[1])]
    if told := [one for one in tallies if one in odd or (is_first and one[1]["received"])]:
        yield from _table(told)
    if deviations := [f"  {r['collection']}: {rule}: {n:,}" for _, r in odd for rule, n in r["deviations"].items()]:
        yield "What deviated from the standard:"
        yield from deviations
    yield f"Records read: {total(came.total())}."
    words = [f"{name} {n:,}" + (f" ({gone[name]:,} deleted)" if gone[name] else "") for name, n in came.items() if n]
    if nothing := sum(not n for n in came.values()):
        words.append(f"{nothing} collection{'s'[: nothing != 1]}: nothing new")
    if words and not is_first:
        yield "; ".join(words) + "."


def _is_odd(receipt: Mapping[str, Any]) -> bool:
    return bool(not receipt["complete"] or receipt["rejected"] or receipt["deviations"])


def _table(tallies: Iterable[tuple[Tally, Mapping[str, Any]]]) -> Iterator[str]:
    rows = [_HEAD]
    rows += [
        (
            receipt["collection"],
            receipt["source"],
            receipt["mode"] + ("" if receipt["complete"] else ", INCOMPLETE"),
            f"{receipt['received']:,}",
            f"{tally.deleted:,}",
            f"{receipt['rejected']:,}",
            f"{sum(receipt['deviations'].values()):,}",
            f"{_seconds(receipt):.1f}",
        )
        for tally, receipt in tallies
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if number < 3 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _seconds(receipt: Mapping[str, Any]) -> float:
    started, finished = (datetime.fromisoformat(receipt[key]) for key in ("startedAt", "finishedAt"))
    return (finished - started).total_seconds()
