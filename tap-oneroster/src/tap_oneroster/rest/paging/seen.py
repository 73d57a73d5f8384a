"""The ids read so far, with 8 to 16 bytes for each id, checked for every page."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import lt

_SMALLEST = 1 << 12


class _Ascending:
    """Ids that came in ascending order: none is repeated, and a page is found by its first id."""

    def __init__(self) -> None:
        self.hashes = array("q")
        self._firsts: list[str] = []
        self._starts: list[int] = []
        self._last = ""

    def __contains__(self, one: str) -> bool:
        page = bisect_right(self._firsts, one) - 1
        if page < 0:
            return False
        stop = self._starts[page + 1] if page + 1 < len(self._starts) else len(self.hashes)
        return hash(one) in self.hashes[self._starts[page] : stop]

    def add(self, ids: Sequence[str]) -> bool:
        """Add the ids of a page and return True; return False, and add none, if they do not ascend."""
        if not ids:
            return True
        if not (self._last < ids[0] and all(map(lt, ids, islice(ids, 1, None)))):
            return False
        self._firsts.append(ids[0])
        self._starts.append(len(self.hashes))
        self.hashes.extend(map(hash, ids))
        self._last = ids[-1]
        return True


class SeenIds:
    """A set of 64-bit hashes in one flat array, which is made when the ids no longer ascend.

    In that set, two ids with the same hash would count as one; for 100 million ids the chance is 0.03 %. Such a record
    would be reported as repeated, so the collection would be read again.
    """

    def __init__(self) -> None:
        self._ascending: _Ascending | None = _Ascending()
        self._slots = array("q")
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, one: str) -> bool:
        if self._ascending is not None:
            return one in self._ascending
        value, slots = hash(one), self._slots
        slot = value & (len(slots) - 1)
        while held := slots[slot]:
            if held == value:
                return True
            slot = (slot + 1) & (len(slots) - 1)
        return False

    def add(self, ids: Sequence[str]) -> list[int]:
        """Add the ids of a page; return the positions of those that were added before."""
        if self._ascending is not None:
            if self._ascending.add(ids):
                self._count += len(ids)
                return []
            self._fill((value or 1 for value in self._ascending.hashes), self._count + len(ids))
            self._ascending = None
        elif (self._count + len(ids)) * 3 > len(self._slots) * 2:
            self._fill(filter(None, self._slots), self._count + len(ids))
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

    def _fill(self, hashes: Iterable[int], most: int) -> None:
        """Put hashes into new slots, a power of two of them, of which `most` fill two thirds at the most."""
        size = _SMALLEST
        while most * 3 > size * 2:
            size *= 2
        slots, mask = array("q", [0]) * size, size - 1
        for value in hashes:
            slot = value & mask
            while slots[slot]:
                slot = (slot + 1) & mask
            slots[slot] = value
        self._slots = slots
