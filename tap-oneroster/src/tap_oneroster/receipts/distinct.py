"""How many different ids a collection held, at 8 bytes an id."""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Distinct"]

_BUCKETS = 256


class Distinct:
    """Counts different ids by their 64-bit hashes.

    Two ids in 100 million that share a hash would be taken for one; the chance is 0.03 %.
    Hashes lie in buckets, so that counting needs the memory of one bucket as a set and no more.
    """

    def __init__(self) -> None:
        self._buckets = [array("q") for _ in range(_BUCKETS)]
        self._take = [bucket.append for bucket in self._buckets]

    def add(self, ids: Iterable[str]) -> None:
        """Take in some ids."""
        take = self._take
        for value in map(hash, ids):
            take[value & 255](value)

    def count(self) -> int:
        """Number of different ids taken in."""
        return sum(len(set(bucket)) for bucket in self._buckets)

    def repeated(self, limit: int) -> frozenset[int]:
        """Hashes of ids taken in more than once, up to a number of them."""
        return frozenset(islice(chain.from_iterable(self._repeated()), limit))

    def _repeated(self) -> Iterator[Iterable[int]]:
        for bucket in self._buckets:
            yield (value for value, times in Counter(bucket).items() if times > 1)
