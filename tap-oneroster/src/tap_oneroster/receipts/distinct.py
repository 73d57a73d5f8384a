"""Count the distinct ids of a collection, in memory that does not grow with it: 8 bytes for each id, on disk from 2 million on."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from tempfile import TemporaryFile
from typing import Generic, TypeVar
from weakref import finalize

_PARTS = 256
K = TypeVar("K", int, str)


class Hashes:
    """Ids by their 64-bit hashes, 8 bytes each."""

    def __init__(self, hashes: Iterable[int]) -> None:
        self._hashes = array("q", sorted(hashes))

    def __len__(self) -> int:
        return len(self._hashes)

    def __contains__(self, one: str) -> bool:
        return holds(self._hashes, hash(one))


def holds(ascending: array[int], value: int) -> bool:
    """True if a sorted array has a value."""
    place = bisect_left(ascending, value)
    return place < len(ascending) and ascending[place] == value


class Spill(Generic[K]):
    """Bytes on disk, in parts: a file without a name, which goes with the process."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 # it lives as long as the count
        finalize(self, self._file.close)
        self.places: dict[K, list[tuple[int, int]]] = {}
        """Where the bytes of each part are: offsets and lengths."""

    def put(self, part: K, data: memoryview | bytes) -> None:
        """Add bytes to a part."""
        if data:
            self.places.setdefault(part, []).append((self._file.seek(0, 2), len(data)))
            self._file.write(data)

    def get(self, part: K) -> Iterator[bytes]:
        """Yield the bytes of a part, as they were added."""
        for place, size in self.places.get(part, ()):
            self._file.seek(place)
            yield self._file.read(size)


class Distinct:
    """Counts distinct ids by their 64-bit hashes.

    Two ids with the same hash would count as one; for 100 million ids the chance is 0.03 %. Hashes are kept in parts,
    so that counting needs the memory of one part at a time.
    """

    limit = 2_000_000
    """How many ids are held in memory before they go to disk."""

    def __init__(self) -> None:
        self._spill: Spill[int] | None = None
        self._begin()

    def _begin(self) -> None:
        self._parts = [array("q") for _ in range(_PARTS)]
        self._take = [part.append for part in self._parts]

    def add(self, ids: Iterable[str | bytes]) -> None:
        """Add ids. The hash of ASCII bytes equals that of the same text."""
        take = self._take
        for value in map(hash, ids):
            take[value & 255](value)
        if len(self._parts[0]) * _PARTS > self.limit:  # hashes are spread evenly
            self._spill = self._spill or Spill()
            for number, part in enumerate(self._parts):
                self._spill.put(number, part.tobytes())
            self._begin()

    def count(self) -> int:
        """Return the number of distinct ids."""
        return sum(len(set(part)) for part in self._together())

    def repeated(self) -> Hashes:
        """Return the ids that were added more than once; blank ids, whose hash is 0, are ignored."""
        return Hashes(filter(None, chain.from_iterable(self._repeated())))

    def _repeated(self) -> Iterator[Iterable[int]]:
        for part in self._together():
            if len(set(part)) < len(part):
                yield (value for value, times in Counter(part).items() if times > 1)

    def _together(self) -> Iterator[array[int]]:
        """Yield each part, with what lies on disk."""
        for number, part in enumerate(self._parts):
            whole = array("q", part) if self._spill else part
            for more in self._spill.get(number) if self._spill else ():
                whole.frombytes(more)
            yield whole
