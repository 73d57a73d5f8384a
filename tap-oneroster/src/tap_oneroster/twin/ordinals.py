"""How often each key came before, in 8 bytes for each key that came once: most keys of a stream do."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from heapq import merge

from ..receipts.distinct import holds


class Ordinals:
    """Numbers keys that have the same 64-bit hash, in the order in which they come.

    New keys are in a set, later in sorted runs of which each is longer than all after it, so that there are few.
    """

    most_new = 200_000
    """Keys of the set, about 70 bytes each."""

    def __init__(self) -> None:
        self._new: set[int] = set()
        self._runs: list[array[int]] = []
        self._often: dict[int, int] = {}
        """How often keys came that came more than once."""

    def number(self, hashes: Iterable[int]) -> list[int]:
        """Return for each key how many of the same came before it."""
        new, often, numbers = self._new, self._often, []
        for key in hashes:
            if key in often:
                often[key] += 1
                numbers.append(often[key] - 1)
            elif key in new or any(holds(run, key) for run in self._runs):
                often[key] = 2
                numbers.append(1)
            else:
                new.add(key)
                numbers.append(0)
        if len(new) > self.most_new:
            self._pack()
        return numbers

    def _pack(self) -> None:
        run = array("q", sorted(self._new))
        self._new = set()
        while self._runs and len(self._runs[-1]) <= len(run):
            run = array("q", merge(self._runs.pop(), run))
        self._runs.append(run)
