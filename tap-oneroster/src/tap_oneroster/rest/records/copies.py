"""Records that a service repeats: told apart from a collection that moves, and delivered once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..._core.copies.records import Copies, Settled
from ..._core.model import derived_from
from ...source import CollectionMoved, SourceError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from ..._core.model import File

__all__ = ["Pair", "RepeatedRecords"]

_MOST_HELD = 200_000


class Pair(NamedTuple):
    """A record as it came, and as it is delivered."""

    came: Any
    record: Any


class RepeatedRecords:
    """Decides between the records that a service sends under one id.

    Within a page the copies are the service's own. Over pages they may mean that rows slid while
    they were read: then the read is worth nothing and `finish` says so. What repeats again on the
    next read is the service's own, too: all copies are held back until the last page was read.
    """

    def __init__(self, file: File, known: frozenset[int], on_invalid: str, deviations: Counter[str]) -> None:
        self.known = known
        """Hashes of ids that repeated when the collection was read before."""
        self._name = file.name
        self._nested = [of.derived.rest for of in derived_from(file.name) if of.derived]
        self._on_invalid = on_invalid
        self._deviations = deviations
        self._held = self._copies()
        self.settled = Settled()
        """What was decided so far."""
        self.found: set[int] = set()
        """Hashes of ids that repeated over pages, and were not known to."""

    def _copies(self) -> Copies:
        return Copies(self._on_invalid, lambda _: self._name)

    def single(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Those of a page's records that may go out now, each id once."""
        here = self._copies()
        for pair in pairs:
            copies = self._held if hash(pair.record.sourcedId) in self.known else here
            # Rows of other streams are no part of the record.
            copies.take(pair.record, pair, [getattr(pair.came, name, None) for name in self._nested])
        if len(self._held.groups) > _MOST_HELD:
            raise SourceError(f"{self._name}: more records are repeated than can be told apart; ask the vendor")
        return self._settle(here)

    def _settle(self, copies: Copies) -> list[Pair]:
        settled = copies.settle()
        self.settled.add(settled)
        self._deviations.update(settled.deviations)
        pairs = [pair for pair in settled.kept.values() if pair]
        for pair in pairs:
            settled.unite(pair.record)
        return pairs

    def again(self, records: Sequence[Pair]) -> None:
        """Take note of records whose ids stood in earlier pages."""
        for pair in records:
            key = pair.record.sourcedId
            if hash(key) in self.known:
                self.single([pair])
            else:
                self.found.add(hash(key))

    def finish(self) -> list[Pair]:
        """The records held back, at last; CollectionMoved where rows repeated for the first time."""
        if self.found:
            raise CollectionMoved(
                f"{self._name}: {len(self.found):,} records came on more than one page; either rows slid"
                " while they were read, or the service repeats them"
            )
        return self._settle(self._held)
