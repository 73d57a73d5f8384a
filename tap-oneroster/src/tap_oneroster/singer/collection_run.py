"""Deliver one collection: read it, write it, activate its version and move its state - or change no state at all."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .._core.coerce.dates import to_utc_text
from .._core.model import TOTAL_NOT_REACHED, UNPROVEN
from ..receipts.shrink_guard import counts_for_state, shrinks
from ..receipts.tally import Tally
from ..source import CollectionMoved, Facts, HeldBack, Request, SourceError, TotalMismatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..source import Pass, Records
    from .run import Run
    from .streams import CollectionStream

MODIFIED = "dateLastModified"
"""The replication key of all collections of a service."""
_ATTEMPTS = 3


@dataclass
class _Pass:
    """One part, with a tally for each stream that it feeds."""

    of: Pass
    tallies: dict[str, Tally]


class CollectionRun:
    """Delivers one collection and the streams derived from it, in up to three attempts."""

    def __init__(self, run: Run[Any], top: CollectionStream, family: Sequence[CollectionStream]) -> None:
        self._run = run
        self._top = top
        self._family = family
        self._streams = {stream.name: stream for stream in family}
        self._passes: list[_Pass] = []
        self._is_full = False

    def deliver(self) -> None:
        """Read, write, activate, and move the state. Raise SourceError if the collection is not complete."""
        try:
            self._read()
        except SourceError:
            self._run.announce_batches()  # deliver what was read, as records or files
            raise
        self._run.announce_batches()
        held = [problem for stream in self._family if (problem := self._activate(stream))]
        if held:
            raise HeldBack("; ".join(held))
        self.note_receipts()
        self._remember()

    def _read(self) -> None:
        starts = [stream.starting_point() for stream in self._family]
        request = Request(
            self._top.file,
            tuple(stream.file for stream in self._family),
            since=None if None in starts else min(s for s in starts if s),
            state={s.name: copy.deepcopy(s.stream_state) for s in self._family},
        )
        self._is_full = request.since is None
        reasons: set[str] = set()
        for attempt in range(_ATTEMPTS):
            self._run.discard_batches()
            for stream in self._family:
                stream.start_attempt(self._run.started_at + attempt)
            self._passes = []
            try:
                self._attempt(request)
                break
            except CollectionMoved as error:
                reasons.add(str(error))
                if attempt + 1 == _ATTEMPTS and len(reasons) == 1 and isinstance(error, TotalMismatch):
                    raise SourceError(
                        f"{error}, the same in each of {_ATTEMPTS} reads: its total counts records that it does not"
                        " show, or it shows none beyond an offset; ask the vendor, set a larger page_size, or set"
                        " on_total_mismatch to accept (then nothing is deleted)"
                    ) from None
                if attempt + 1 == _ATTEMPTS:
                    raise SourceError(
                        f"{self._top.name}: changed during each of {_ATTEMPTS} reads ({error});"
                        " run again at a quieter hour"
                    ) from None
                self._run.logger.warning("%s: %s; reading it again", self._top.name, error)

    def _attempt(self, request: Request) -> None:
        plain = {name: stream.is_plain for name, stream in self._streams.items()}
        progress = self._run.progress
        counters = {name: s.get_record_counter() for name, s in self._streams.items()}
        for one_pass in self._run.source.passes(request):
            one = _Pass(
                one_pass, {name: Tally(self._streams[name].file, facts) for name, facts in one_pass.facts.items()}
            )
            self._passes.append(one)
            counted = next(iter(one.tallies), "")
            progress.begin(counted)
            for batch in one_pass:
                name, tally = batch.file.name, one.tallies[batch.file.name]
                self._write(batch, tally, plain[name])
                if self._run.source.stands_still:  # otherwise there may be another attempt
                    self._run.announce_batches(all_of_them=False)
                counters[name].increment(len(batch))
                if name == counted:
                    whole = tally.facts.expected
                    progress.report(
                        tally.received, share=tally.facts.share or (tally.received / whole if whole else None)
                    )
                if self._has_enough(one):
                    break
        for counter in counters.values():
            counter.exit()
        self._run.writer.flush()

    def _write(self, batch: Records, tally: Tally, plain: bool) -> None:
        stream = self._streams[batch.file.name]
        limit = stream.limit
        if limit is not None:
            batch = batch.part(0, max(limit - tally.received, 0))
        if batch:
            tally.add(batch, stream.write_records(batch, plain=plain))

    def _has_enough(self, one: _Pass) -> bool:
        """True if a test run (`--test`) has read enough records of each stream."""
        limits = {name: self._streams[name].limit for name in one.tallies}
        return all(limit is not None and one.tallies[name].received >= limit for name, limit in limits.items())

    def _tallies(self, name: str) -> list[Tally]:
        return [one.tallies[name] for one in self._passes if name in one.tallies]

    def _activate(self, stream: CollectionStream) -> str | None:
        """Activate the version if the read is a proven snapshot; return the problem if the shrink guard forbids it."""
        config = self._run.config
        tallies = self._tallies(stream.name)
        if (
            not tallies
            or not tallies[0].facts.snapshot
            or not all(t.facts.complete and not t.facts.rejected for t in tallies)
            or not tallies[0].received
        ):
            return None
        first = tallies[0]
        total = first.received - first.deleted
        memory = self._run.memory
        before = memory.counts(stream.stream_state)
        lost = shrinks(before, total, first.schools, config["max_shrink_percent"])
        if lost and not config["accept_shrink"] and not first.facts.approved:
            return (
                f"{stream.name}: more than {config['max_shrink_percent']:g} % are gone"
                f" ({'; '.join(map(str, lost))}){memory.change(stream.stream_state)}; nothing was deleted; if that is right, run once"
                " with accept_shrink"
            )
        stream.stream_state["counts"] = counts_for_state(total, first.schools)
        stream.stream_state["full_read_at"] = to_utc_text(first.started)
        shared = config.get("tenant") and not config["tenant_isolated"]
        unversioned = self._run.batches and stream.name in self._run.batches.unversioned
        if config["activate_versions"] and not shared and not unversioned:
            stream.activate()
        return None

    def _remember(self) -> None:
        """Advance the state of each stream: its bookmark, and the bundles that were read."""
        # Derived streams are read as far as their collection, even if they have no rows or only older ones.
        tallies = [tally for one in self._passes for tally in one.tallies.values()]
        latest = [one for t in tallies for one in (t.latest, t.facts.parent_read_until) if one]
        if self._is_end_open():
            latest = []
            self._run.logger.warning(
                "%s: nothing proves that the last page was the end, neither a total, nor Link, nor the order by"
                " sourcedId; nothing is deleted, the bookmark stays, and the next run reads %s again",
                self._top.name,
                self._next_start(),
            )
        for stream in self._family:
            self._run.memory.note(stream.stream_state)
            for one in self._passes:
                if one.of.bookmark and stream.name in one.tallies:
                    stream.stream_state.update(one.of.bookmark)
            if self._is_full and stream.replication_key and (tallies := self._tallies(stream.name)):
                stream.stream_state["full_read_at"] = to_utc_text(tallies[0].started)
            if latest and stream.replication_key:
                before = stream.stream_state.get("replication_key_value")
                # A source whose clock is ahead must not move the bookmark into the future.
                value = min(max(latest), to_utc_text(datetime.now(UTC)))
                stream.advance(max(filter(None, (before, value))))

    def _is_end_open(self) -> bool:
        """True if rows may follow the last page: then a bookmark that moves would pass over them."""
        found = {rule for one in self._passes for tally in one.tallies.values() for rule in tally.facts.deviations}
        return UNPROVEN in found and TOTAL_NOT_REACHED not in found

    def _next_start(self) -> str:
        """Return the words for what the next run reads if no bookmark moves."""
        bookmarks = [stream.stream_state.get("replication_key_value") for stream in self._family]
        if self._top.file.small or not all(bookmarks):
            return "everything" if self._is_full else "from start_date"
        return f"from {min(filter(None, bookmarks))}"

    def note_receipts(self) -> None:
        """Create the receipts of this collection, even if it was not read to its end."""
        if not self._passes:
            for stream in self._family:
                facts = Facts(self._run.source_name, self._run.config["mode"])
                self._note(Tally(stream.file, facts))
        for one in self._passes:
            for tally in one.tallies.values():
                self._note(tally)

    def _note(self, tally: Tally) -> None:
        self._run.receipts.append((tally, tally.receipt(self._run.id)))
