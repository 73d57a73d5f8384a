"""One pass over one collection of a service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Any

from .._core.model import NO_SNAPSHOT, TOTAL_NOT_REACHED
from ..source import Facts, MissingCollection, Records, SourceError, TotalMismatch
from .records.copies import Pair, RepeatedRecords
from .records.derived_rows import DerivedRows
from .records.keys import SeenKeys
from .records.rows import RowMaker

if TYPE_CHECKING:
    from .._core.model import File, Version
    from ..policy import Policy
    from .paging.answers import PageStep
    from .paging.pages import Pages
    from .paging.walk import Walk
    from .records.decode import Page

_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Earlier:
    """Findings of earlier reads in the same run, by collection."""

    repeated: dict[str, frozenset[int]] = field(default_factory=dict)
    """Hashes of ids that occurred more than once."""
    mismatch: dict[str, str] = field(default_factory=dict)
    """The message with the number of records received and the service's total."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to read of a collection, and what to do with rows that cannot be used."""

    file: File
    streams: tuple[File, ...]
    since: str | None = None
    """Only records modified at or after this moment."""
    status: str | None = None
    """Only records with this status."""
    on_invalid: str = "report"
    accept_missing: bool = False
    accept_fewer: bool = False
    """True if a total that is never reached is accepted."""

    @property
    def filter(self) -> str | None:
        """The filter in the standard's syntax."""
        if self.since:
            return f"dateLastModified>='{self.since}'"
        return f"status='{self.status}'" if self.status else None

    def takes(self, modified: str | None, status: str) -> bool:
        """True if a record with this `dateLastModified` and status is wanted. One without a date may be new."""
        if self.since and modified and modified < self.since:
            return False
        return not self.status or status == self.status


class RestPass:
    """Reads a collection, and makes the rows of the streams derived from it."""

    bookmark = None

    def __init__(
        self, wish: Wish, pages: Pages, policy: Policy, version: Version, source: str, earlier: Earlier
    ) -> None:
        self._wish = wish
        self._pages = pages
        self._earlier = earlier
        self._maker = RowMaker(wish.file, version, policy)
        self._derived = [
            DerivedRows(stream, version, policy) for stream in wish.streams if stream.name != wish.file.name
        ]
        self._deviations = pages.deviations
        self._copies = RepeatedRecords(wish.file, frozenset(), wish.on_invalid, self._deviations)
        self._seen = SeenKeys()
        self._without_id = 0
        self._unfiltered = False
        # Deviations of records are reported once: by the collection, or by its first stream.
        names = [stream.name for stream in wish.streams]
        own = wish.file.name if wish.file.name in names else names[0]
        self.facts: Mapping[str, Facts] = {
            name: Facts(
                source,
                "rest",
                version.value,
                filter=wish.filter,
                derived=name != wish.file.name,
                unique=name == wish.file.name,  # copies are settled before anything is delivered
                deviations=pages.deviations if name == own else Counter(),
            )
            for name in names
        }

    def __iter__(self) -> Iterator[Records]:
        wish = self._wish
        name = wish.file.name
        known = self._earlier.repeated.get(name, frozenset())
        self._copies = copies = RepeatedRecords(wish.file, known, wish.on_invalid, self._deviations)
        try:
            walk = self._pages.open()
        except MissingCollection:
            if not wish.accept_missing:
                raise
            self._accept_absence()
            return
        self._unfiltered = wish.filter is not None and not self._pages.filtered
        try:
            for step in walk:
                yield from self._deliver(step, copies)
                self._note(walk)
                del step  # release the page before waiting for the next
            self._check_total(walk)
            yield from self._batches(*self._apart(copies.finish()))
            self._note(walk)
        finally:
            self._earlier.repeated[name] = self._earlier.repeated.get(name, frozenset()) | copies.found
            self._pages.close()
            self._note(walk)
            if name in self.facts:
                self.facts[name].columns = sorted(self._seen.names)
        self._finish()

    def _check_total(self, walk: Walk) -> None:
        """Compare the total with the records received; accept a wrong total if the settings allow it and it is certain."""
        name = self._wish.file.name
        try:
            walk.finish()
        except TotalMismatch as error:
            is_certain = walk.in_order or self._earlier.mismatch.get(name) == str(error)
            self._earlier.mismatch[name] = str(error)
            if not (self._wish.accept_fewer and is_certain):
                raise
            self._deviations[TOTAL_NOT_REACHED] += error.missing

    def _deliver(self, step: PageStep, copies: RepeatedRecords) -> Iterator[Records]:
        """Yield the records of a page, some thousands at a time."""
        if step.without_id:
            self._reject(step)
        if step.inner or copies.known:
            pairs = copies.single(self._pairs(step, sorted([*step.new, *step.inner])))
            yield from self._batches(*self._apart(pairs))
        else:
            for start in range(0, len(step.new), _CHUNK):
                yield from self._batches(*self._read(step, step.new[start : start + _CHUNK]))
        if step.again:
            copies.again(self._pairs(step, step.again))

    def _accept_absence(self) -> None:
        self._deviations["collection that the service does not offer, accepted"] += 1
        for facts in self.facts.values():
            facts.mode = "absent"
            facts.filter = None
            facts.complete = True

    def _pairs(self, step: PageStep, rows: Sequence[int]) -> list[Pair]:
        came, made = self._read(step, rows)
        return list(map(Pair, came, made.records))

    def _apart(self, pairs: Sequence[Pair]) -> tuple[list[Any], Records]:
        """Return the records of pairs, as received and as delivered."""
        return [pair.came for pair in pairs], Records(self._wish.file, [pair.record for pair in pairs])

    def _read(self, step: PageStep, rows: Sequence[int]) -> tuple[list[Any], Records]:
        """Return the records of these rows, as received and as delivered."""
        deviations = self._deviations
        page: Page = step.page  # type: ignore[assignment]
        came = page.take(rows, deviations, self._seen)
        return came, self._maker.make(came, deviations, seen=self._seen if page.fits else None)

    def _batches(self, came: list[Any], records: Records) -> Iterator[Records]:
        wish = self._wish
        if wish.filter:
            taken = list(map(wish.takes, records.values("dateLastModified"), records.values("status")))
            if not all(taken):
                if not self._unfiltered:
                    self._unfiltered = True
                    self._deviations["filter ignored by the service"] += 1
                came, records = list(compress(came, taken)), records.pick(taken)
        if not len(records):
            return
        if wish.file.name in self.facts:
            yield records
        else:
            self._note_latest(records)
        for derived in self._derived:
            own = self.facts[derived.stream.name].deviations
            if rows := derived.rows(came, records, own, self._copies.settled.united):
                yield Records(derived.stream, rows)

    def _note_latest(self, records: Records) -> None:
        """Record how far the parent was read: a derived stream may have no rows of its own."""
        latest = max(filter(None, records.values("dateLastModified")), default="")
        for facts in self.facts.values():
            facts.parent_read_until = max(facts.parent_read_until or "", latest) or None

    def _reject(self, step: PageStep) -> None:
        faults = step.page.faults  # type: ignore[attr-defined]
        rules = Counter(faults.get(row, "sourcedId: blank") for row in step.without_id)
        if self._wish.on_invalid == "fail":
            raise SourceError(f"{self._wish.file.name}, page {self._pages.count}: {next(iter(rules))}")
        self._without_id += len(step.without_id)
        self._deviations.update(rules)

    @property
    def _rejected(self) -> int:
        return self._without_id + self._copies.settled.rejected

    def _note(self, walk: Walk) -> None:
        for name, facts in self.facts.items():
            if name == self._wish.file.name and not self._unfiltered:
                facts.expected = walk.total
            if name == self._wish.file.name:
                facts.collapsed = self._copies.settled.collapsed
            facts.rejected = self._rejected
            facts.pages = self._pages.count
            facts.page_size_asked = walk.asked
            facts.page_size_served = walk.served
            facts.revision = walk.revision

    def _finish(self) -> None:
        accepted = not self._rejected or self._wish.on_invalid == "accept"
        for facts in self.facts.values():
            facts.complete = accepted
            facts.snapshot = not (self._wish.filter or self._rejected or self._deviations.keys() & set(NO_SNAPSHOT))
        if not accepted:
            raise SourceError(
                f"{self._wish.file.name}: {self._rejected:,} records were left out (see the receipt for the"
                " rules); have them mended, or set on_invalid to accept once you have looked"
            )
