"""Records that come more than once: told apart from a collection that moves, and delivered once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...source import CollectionMoved, SourceError

if TYPE_CHECKING:
    from msgspec import Struct

__all__ = ["Copies", "Pair"]

_MOST_HELD = 200_000


class Pair(NamedTuple):
    """A record as it came, and as it is delivered."""

    came: Any
    record: Any


class Copies:
    """Keeps one of each record that a service repeats.

    Within a page the copies are the service's own. Over pages they may mean that rows slid while
    they were read: then the read is worth nothing and `finish` says so. What repeats again on the
    next read is the service's own, too: all copies are held back until the newest is known.
    """

    def __init__(self, known: frozenset[int], deviations: Counter[str]) -> None:
        self.known = known
        """Hashes of ids that repeated when the collection was read before."""
        self._deviations = deviations
        self._held: dict[str, Pair] = {}
        self.found: set[int] = set()
        """Hashes of ids that repeated over pages, and were not known to."""

    def single(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Those of a page's records that may go out now, each id once."""
        kept: dict[str, Pair] = {}
        for pair in pairs:
            key = pair.record.sourcedId
            into = self._held if hash(key) in self.known else kept
            into[key] = self._better(into[key], pair) if key in into else pair
        if len(self._held) > _MOST_HELD:
            raise SourceError("more records are repeated than can be told apart; ask the vendor")
        return list(kept.values())

    def again(self, records: Sequence[Pair]) -> None:
        """Take note of records whose ids stood in earlier pages."""
        for pair in records:
            key = pair.record.sourcedId
            if hash(key) in self.known:
                self.single([pair])
            else:
                self.found.add(hash(key))

    def _better(self, one: Pair, other: Pair) -> Pair:
        if one.record == other.record and one.came == other.came:
            self._deviations["the same record more than once: identical"] += 1
            return one
        self._deviations["the same record more than once: differing, the newest was kept"] += 1
        return other if _modified(other.record) >= _modified(one.record) else one

    def finish(self, name: str) -> list[Pair]:
        """The records held back, at last; CollectionMoved where rows repeated for the first time."""
        if self.found:
            raise CollectionMoved(
                f"{name}: {len(self.found):,} records came on more than one page; either rows slid"
                " while they were read, or the service repeats them"
            )
        return list(self._held.values())


def _modified(record: Struct) -> str:
    return getattr(record, "dateLastModified", None) or ""
