"""Count the distinct ids of a collection, with 8 bytes for each id."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Distinct", "Hashes"]

_BUCKETS = 256


class Hashes:
    """Ids by their 64-bit hashes, 8 bytes each."""

    def __init__(self, hashes: Iterable[int]) -> None:
        self._hashes = array("q", sorted(hashes))

    def __len__(self) -> int:
        return len(self._hashes)

    def __contains__(self, one: str) -> bool:
        place = bisect_left(self._hashes, hash(one))
        return place < len(self._hashes) and self._hashes[place] == hash(one)


class Distinct:
    """Counts distinct ids by their 64-bit hashes.

    Two ids with the same hash would count as one; for 100 million ids the chance is 0.03 %. Hashes are kept in buckets,
    so that counting builds a set of one bucket at a time.
    """

    def __init__(self) -> None:
        self._buckets = [array("q") for _ in range(_BUCKETS)]
        self._take = [bucket.append for bucket in self._buckets]

    def add(self, ids: Iterable[str | bytes]) -> None:
        """Add ids. The hash of ASCII bytes equals that of the same text."""
        take = self._take
        for value in map(hash, ids):
            take[value & 255](value)

    def count(self) -> int:
        """Return the number of distinct ids."""
        return sum(len(set(bucket)) for bucket in self._buckets)

    def repeated(self) -> Hashes:
        """Return the ids that were added more than once; blank ids, whose hash is 0, are ignored."""
        return Hashes(filter(None, chain.from_iterable(self._repeated())))

    def _repeated(self) -> Iterator[Iterable[int]]:
        for bucket in self._buckets:
            if len(set(bucket)) < len(bucket):
                yield (value for value, times in Counter(bucket).items() if times > 1)
