"""Records that a service repeats: distinguish copies from a collection that changed, and deliver each id once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..._core.copies.records import Copies, Settled
from ..._core.model import derived_from
from ...source import CollectionMoved, SourceError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from ..._core.model import File

_MOST_HELD = 200_000


class Pair(NamedTuple):
    """A record as received, and as delivered."""

    came: Any
    record: Any


class RepeatedRecords:
    """Decides between records that a service sends with the same id.

    Copies within a page come from the service. Copies on several pages may mean that rows moved during the read: then
    the read is invalid, and `finish` raises CollectionMoved. Ids that repeat in the next read too are the service's own
    copies: they are held back until the last page was read.
    """

    def __init__(self, file: File, known: frozenset[int], on_invalid: str, deviations: Counter[str]) -> None:
        self.known = known
        """Hashes of ids that repeated in an earlier read."""
        self._name = file.name
        self._nested = [of.derived.rest for of in derived_from(file.name) if of.derived]
        self._on_invalid = on_invalid
        self._deviations = deviations
        self._held = self._copies()
        self.settled = Settled()
        """The decisions so far."""
        self.found: set[int] = set()
        """Hashes of ids that repeated on several pages for the first time."""

    def _copies(self) -> Copies:
        return Copies(self._on_invalid, lambda _: self._name)

    def single(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Return the records of a page that can be delivered now, each id once."""
        here = self._copies()
        for pair in pairs:
            copies = self._held if hash(pair.record.sourcedId) in self.known else here
            # Rows of other streams are not part of the record.
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
        """Register records whose ids occurred in earlier pages."""
        for pair in records:
            key = pair.record.sourcedId
            if hash(key) in self.known:
                self.single([pair])
            else:
                self.found.add(hash(key))

    def finish(self) -> list[Pair]:
        """Return the records held back; raise CollectionMoved if ids repeated for the first time."""
        if self.found:
            raise CollectionMoved(
                f"{self._name}: {len(self.found):,} records came on more than one page; either rows slid"
                " while they were read, or the service repeats them"
            )
        return self._settle(self._held)
