"""Counts of rows by cell: file, school, role and term; `*` is a sum, empty means that a row has none."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COUNTS = ("added", "removed", "changed")
ALL_COUNTS = ("before", *COUNTS, "now")

Key = tuple[tuple[str, ...], str, tuple[str, ...]]
"""Schools, role and terms of a row."""
Cell = tuple[str, str, str, str]


class Table:
    """Counts of rows by cell."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[Cell]] = {name: Counter() for name in ALL_COUNTS}

    def add(self, name: str, was: Key | None, its: Key | None, count: int, *, changed: bool) -> None:
        """Count rows that were in the cells of one key and are in those of another."""
        old, new = _cells(name, was), _cells(name, its)
        places = {"before": old, "now": new, "added": new - old, "removed": old - new}
        places["changed"] = old & new if changed else frozenset()
        for what, cells in places.items():
            counter = self._counts[what]
            for cell in cells:
                counter[cell] += count

    def files(self, counts: Iterable[str]) -> dict[str, dict[str, int]]:
        """Return the totals of each file."""
        names = dict.fromkeys(cell[0] for counter in self._counts.values() for cell in counter)
        return {name: {what: self._counts[what][name, "*", "*", "*"] for what in counts} for name in sorted(names)}

    def cells(self, counts: Sequence[str]) -> list[dict[str, Any]]:
        """Return the counts of each cell, in order; cells without any are left out."""
        cells = sorted({cell for what in counts for cell, count in self._counts[what].items() if count})
        return [
            dict(zip(("file", "school", "role", "term"), cell, strict=True))
            | {what: self._counts[what][cell] for what in counts}
            for cell in cells
        ]


@lru_cache(maxsize=50_000)
def _cells(name: str, key: Key | None) -> frozenset[Cell]:
    """Return the cells in which a row stands, sums included."""
    if key is None:
        return frozenset()
    schools, role, terms = key
    return frozenset(product((name,), ("*", *(schools or ("",))), ("*", role), ("*", *(terms or ("",)))))
