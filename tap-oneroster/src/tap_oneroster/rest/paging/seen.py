"""The ids read so far, with 8 to 16 bytes for each id, checked for every page."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

__all__ = ["SeenIds"]

_SMALLEST = 1 << 12


class SeenIds:
    """A set of 64-bit hashes in one flat array.

    Two ids with the same hash would count as one; for 100 million ids the chance is 0.03 %. Such a record would be
    reported as repeated, so the collection would be read again.
    """

    def __init__(self) -> None:
        self._slots = array("q", bytes(8 * _SMALLEST))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, one: str) -> bool:
        value, slots = hash(one), self._slots
        slot = value & (len(slots) - 1)
        while held := slots[slot]:
            if held == value:
                return True
            slot = (slot + 1) & (len(slots) - 1)
        return False

    def add(self, ids: Sequence[str]) -> list[int]:
        """Add the ids of a page; return the positions of those that were added before."""
        while (self._count + len(ids)) * 3 > len(self._slots) * 2:
            self._grow()
        slots, mask = self._slots, len(self._slots) - 1
        again: list[int] = []
        for position, value in enumerate(map(hash, ids)):
            slot = value & mask
            while held := slots[slot]:
                if held == value:
                    again.append(position)
                    break
                slot = (slot + 1) & mask
            else:
                slots[slot] = value or 1
        self._count += len(ids) - len(again)
        return again

    def _grow(self) -> None:
        old = self._slots
        self._slots = slots = array("q", bytes(16 * len(old)))
        mask = len(slots) - 1
        for value in old:
            if value:
                slot = value & mask
                while slots[slot]:
                    slot = (slot + 1) & mask
                slots[slot] = value
