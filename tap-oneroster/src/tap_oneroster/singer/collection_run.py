"""One collection on its way out: read, written, activated, remembered - or everything left as it was."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .._core.coerce.dates import to_utc_text
from ..receipts.progress import Progress
from ..receipts.shrink_guard import counts_for_state, shrinks
from ..receipts.tally import Tally
from ..source import CollectionMoved, Facts, Request, SourceError

if TYPE_CHECKING:
    from ..source import Pass, Records
    from .streams import CollectionStream

__all__ = ["MODIFIED", "CollectionRun"]

MODIFIED = "dateLastModified"
"""The replication key of every collection of a service."""
_ATTEMPTS = 3


@dataclass
class _Pass:
    """One part, with a tally for each stream it feeds."""

    of: Pass
    tallies: dict[str, Tally]


class CollectionRun:
    """Delivers one collection and the streams derived from it, in up to three attempts."""

    def __init__(self, top: CollectionStream, family: list[CollectionStream]) -> None:
        self._top = top
        self._family = family
        self._tap = top._tap
        self._streams = {stream.name: stream for stream in family}
        self._passes: list[_Pass] = []

    def deliver(self) -> None:
        """Read, write, activate, remember. SourceError where the collection is not complete."""
        try:
            self._read()
        except SourceError:
            self._announce_batches()  # what was read is delivered, be it records or files
            raise
        self._announce_batches()
        braked = [problem for stream in self._family if (problem := self._activate(stream))]
        if braked:
            raise SourceError("; ".join(braked))
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
        for attempt in range(_ATTEMPTS):
            self._tap.discard_batches()
            for stream in self._family:
                stream.set_version(self._tap.initialized_at + attempt)
                stream.start_batches()
            self._passes = []
            try:
                self._attempt(request)
                break
            except CollectionMoved as error:
                if attempt + 1 == _ATTEMPTS:
                    raise SourceError(
                        f"{self._top.name}: changed during each of {_ATTEMPTS} reads ({error});"
                        " run again at a quieter hour"
                    ) from None
                self._tap.logger.warning("%s: %s; reading it again", self._top.name, error)

    def _announce_batches(self, *, all_of_them: bool = True) -> None:
        """Name files of the last attempt that are whole; those of earlier ones are gone."""
        if batches := self._tap.batches:
            for message in batches.end() if all_of_them else batches.whole():
                self._tap.write_message(message)

    def _attempt(self, request: Request) -> None:
        plain = {name: stream.is_plain for name, stream in self._streams.items()}
        progress = Progress(self._top.name, self._tap.logger.info)
        counters = {name: s.get_record_counter() for name, s in self._streams.items()}
        for one_pass in self._tap.source.passes(request):
            one = _Pass(
                one_pass,
                {name: Tally(self._streams[name].file, facts) for name, facts in one_pass.facts.items()},
            )
            self._passes.append(one)
            for batch in one_pass:
                name, tally = batch.file.name, one.tallies[batch.file.name]
                self._write(batch, tally, plain[name])
                if self._tap.source.stands_still:  # else there may be another attempt
                    self._announce_batches(all_of_them=False)
                counters[name].increment(len(batch))
                progress.report(tally.received, tally.facts.expected)
                if self._has_enough(one):
                    break
        for counter in counters.values():
            counter.exit()
        self._tap.writer.flush()

    def _write(self, batch: Records, tally: Tally, plain: bool) -> None:
        stream = self._streams[batch.file.name]
        limit = stream.ABORT_AT_RECORD_COUNT
        if limit is not None:
            batch = batch.part(0, max(limit - tally.received, 0))
        if batch:
            tally.add(batch)
            stream.write_records(batch, plain=plain)

    def _has_enough(self, one: _Pass) -> bool:
        """Whether a trial run (`--test`) has seen the few records it wants of each stream."""
        limits = {name: self._streams[name].ABORT_AT_RECORD_COUNT for name in one.tallies}
        return all(limit is not None and one.tallies[name].received >= limit for name, limit in limits.items())

    def _tallies(self, name: str) -> list[Tally]:
        return [one.tallies[name] for one in self._passes if name in one.tallies]

    def _activate(self, stream: CollectionStream) -> str | None:
        """Announce that what did not come is gone, where that is certain; else say why not."""
        config = stream.config
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
        lost = shrinks(stream.stream_state.get("counts"), total, first.schools, config["max_shrink_percent"])
        if lost and not config["accept_shrink"]:
            return (
                f"{stream.name}: more than {config['max_shrink_percent']:g} % are gone"
                f" ({'; '.join(map(str, lost))}); nothing was deleted; if that is right, run once"
                " with accept_shrink"
            )
        stream.stream_state["counts"] = counts_for_state(total, first.schools)
        stream.stream_state["full_read_at"] = to_utc_text(first.started)
        shared = config.get("tenant") and not config["tenant_isolated"]
        unversioned = self._tap.batches and stream.name in self._tap.batches.unversioned
        if config["activate_versions"] and not shared and not unversioned:
            stream._write_activate_version_message(stream._stream_version or 0)
        return None

    def _remember(self) -> None:
        """Move the state of each stream: bookmarks, and the bundles that were read."""
        for stream in self._family:
            for one in self._passes:
                if one.of.bookmark and stream.name in one.tallies:
                    stream.stream_state.update(one.of.bookmark)
            latest = [t.latest for t in self._tallies(stream.name) if t.latest]
            if latest and stream.replication_key:
                before = stream.stream_state.get("replication_key_value")
                # A source whose clock runs ahead must not push the bookmark into the future.
                value = min(max(latest), to_utc_text(datetime.now(UTC)))
                stream._increment_stream_state({MODIFIED: max(filter(None, (before, value)))})

    def note_receipts(self) -> None:
        """Make out the receipts of this collection, also where it was not read to its end."""
        if not self._passes:
            for stream in self._family:
                facts = Facts(self._tap.source_name, self._tap.config["mode"])
                self._note(Tally(stream.file, facts))
        for one in self._passes:
            for tally in one.tallies.values():
                self._note(tally)

    def _note(self, tally: Tally) -> None:
        self._tap.receipts.append((tally, tally.receipt(self._tap.run_id)))
