"""Streams: the Singer side of a collection, and the receipts."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk import Stream
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import Metadata
from typing_extensions import override

from ._model import RECEIPTS, File
from ._model.codec import Rows, encode_rows, record_lines
from ._model.schema import TENANT, json_schema, key_properties
from .brake import counts_for_state, shrinks
from .dates import to_utc_text
from .progress import Progress
from .source import Batch, CollectionMoved, Facts, FatalSourceError, Part, Request, SourceError
from .tally import Tally

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from msgspec import Struct
    from singer_sdk.singerlib import Catalog

    from .tap import TapOneRoster

__all__ = ["CollectionStream", "ReceiptStream"]

_ATTEMPTS = 3
_MODIFIED = "dateLastModified"


class OneRosterStream(Stream):
    """What collections and receipts have in common: schema and keys from the model."""

    _tap: TapOneRoster

    def __init__(self, tap: TapOneRoster, of: File) -> None:
        self.file = of
        self._tenant: str | None = tap.config.get("tenant")
        schema = json_schema(of, tenant=self._tenant is not None, secrets=tap.config["include_passwords"])
        super().__init__(tap, schema=schema, name=of.name)
        self.primary_keys = list(key_properties(of, tenant=self._tenant is not None))

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Off: the SDK announces a version before its records; a tap that dies then deletes."""
        return False

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """As the SDK, but a catalog that does not speak of keys, as old ones do not, takes none away."""
        keys, replication_key = self.primary_keys, self.replication_key
        super().apply_catalog(catalog)
        self.primary_keys = self.primary_keys or keys
        self.replication_key = self.replication_key or replication_key

    @override
    def get_batch_config(self, config: Any) -> None:
        """Batches are not offered."""

    def with_tenant(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record as it leaves the tap: the tenant first, where there is one."""
        return record if self._tenant is None else {TENANT: self._tenant, **record}


class CollectionStream(OneRosterStream):
    """One collection of the standard, together with the streams derived from its records.

    A derived stream is a child in the SDK's eyes, so that a selected child keeps its parent
    running; but it gets no context per record: its rows come out of the parent's one pass.
    """

    def __init__(self, tap: TapOneRoster, of: File) -> None:
        super().__init__(tap, of)
        self.derived: list[CollectionStream] = []
        if tap.config["mode"] == "rest":
            self.replication_key = _MODIFIED
        self.selected_by_default = of.name != "demographics"

    # The bookmark is written once, when the collection is complete.
    is_sorted = True
    check_sorted = False

    def belongs_to(self, parent: CollectionStream) -> None:
        """Let the rows of this stream be made from the records of another."""
        self.parent_stream_type = CollectionStream
        self.parent = parent
        parent.child_streams.append(self)
        parent.derived.append(self)

    parent: CollectionStream | None = None

    @property
    def _family(self) -> list[CollectionStream]:
        """This stream and those derived from it, as far as they are selected."""
        return [stream for stream in (self, *self.derived) if stream.selected]

    @override
    def _write_schema_message(self) -> None:
        if not self._tap.stopped:
            super()._write_schema_message()

    @override
    def generate_child_contexts(self, record: Any, context: Any) -> Iterable[None]:
        return ()

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        """Records of this stream alone, for those who embed the tap."""
        top = self.parent or self
        for part in self._tap.source.parts(Request(top.file, (self.file,))):
            for batch in part:
                yield from map(self._as_dict, batch.records)

    def _as_dict(self, record: Struct) -> dict[str, Any]:
        return self.with_tenant(msgspec.to_builtins(record))

    @override
    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Generator[dict[str, Any], Any, Any]:
        """Read the collection to its end, or leave everything as it was and say so."""
        if self._tap.stopped:
            return
        family = self._family
        for stream in family:
            if stream is not self:
                stream._write_schema_message()
        kept = {stream: copy.deepcopy(stream.stream_state) for stream in family}
        run = CollectionRun(self, family)
        try:
            run.deliver()
        except SourceError as error:
            run.note_receipts()
            for stream, state in kept.items():
                stream.stream_state.clear()
                stream.stream_state.update(state)
            self._tap.fail(str(error))
            self._tap.stopped = isinstance(error, FatalSourceError)
        yield from ()

    def starting_point(self) -> datetime | None:
        """Moment from which this stream needs records; None for all of them."""
        state = self.stream_state
        self._write_starting_replication_value(None)
        if self.replication_method != "INCREMENTAL" or self.file.small or self._is_due(state):
            return None
        start = self.get_starting_timestamp(None)
        if start and state.get("replication_key_value"):
            start -= timedelta(seconds=self.config["lookback_seconds"])
        return start

    def _is_due(self, state: dict[str, Any]) -> bool:
        """Whether the last full read is too long ago."""
        days, last = self.config["full_refresh_days"], state.get("full_read_at")
        if not days or not state.get("replication_key_value"):
            return False
        return last is None or datetime.now(UTC) - datetime.fromisoformat(last) >= timedelta(days=days)

    @property
    def is_plain(self) -> bool:
        """Whether records leave as they are: no stream map, no flattening, nothing deselected."""
        maps = self.stream_maps
        properties = self.schema["properties"]
        return (
            len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and not maps[0].flattening_enabled
            and maps[0].stream_alias == self.name
            and self.effective_schema["properties"].keys() == properties.keys()
            and all(self.mask.get(("properties", name), True) for name in properties)
        )

    def write_records(self, records: list[Struct], rows: Rows, *, plain: bool) -> None:
        """Write records, given as Structs and as encoded rows, by the shorter way where it is open."""
        if not plain:
            for record in records:
                self._write_record_message(self._as_dict(record))
            return
        extracted = datetime.now(UTC).isoformat()
        self._tap.writer.write_lines(record_lines(rows, self.name, self._stream_version or 0, extracted, self._tenant))
        self.state_manager.is_flushed = False

    def set_version(self, version: int) -> None:
        """Version that the records from here on carry."""
        self._stream_version = version


@dataclass
class _Pass:
    """One part, with a tally for each stream it feeds."""

    part: Part
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
        starts = [stream.starting_point() for stream in self._family]
        request = Request(
            self._top.file,
            tuple(stream.file for stream in self._family),
            since=None if None in starts else min(s for s in starts if s),
            state={s.name: copy.deepcopy(s.stream_state) for s in self._family},
        )
        for attempt in range(_ATTEMPTS):
            for stream in self._family:
                stream.set_version(self._tap.initialized_at + attempt)
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
        braked = [problem for stream in self._family if (problem := self._activate(stream))]
        if braked:
            raise SourceError("; ".join(braked))
        self.note_receipts()
        self._remember()

    def _attempt(self, request: Request) -> None:
        plain = {name: stream.is_plain for name, stream in self._streams.items()}
        progress = Progress(self._top.name, self._tap.logger.info)
        counters = {name: s.get_record_counter() for name, s in self._streams.items()}
        for part in self._tap.source.parts(request):
            one = _Pass(
                part,
                {name: Tally(self._streams[name].file, facts) for name, facts in part.facts.items()},
            )
            self._passes.append(one)
            for batch in part:
                name, tally = batch.file.name, one.tallies[batch.file.name]
                self._write(batch, tally, plain[name])
                counters[name].increment(len(batch.records))
                progress.report(tally.received, tally.facts.expected)
                if self._has_enough(one):
                    break
        for counter in counters.values():
            counter.exit()
        self._tap.writer.flush()

    def _write(self, batch: Batch, tally: Tally, plain: bool) -> None:
        stream = self._streams[batch.file.name]
        records, limit = batch.records, stream.ABORT_AT_RECORD_COUNT
        if limit is not None:
            records = records[: max(limit - tally.received, 0)]
        if records:
            rows = encode_rows(records)
            tally.add(records, rows)
            stream.write_records(records, rows, plain=plain)

    def _has_enough(self, one: _Pass) -> bool:
        """Whether a trial run (`--test`) has seen the few records it wants of each stream."""
        return all(
            limit is not None and tally.received >= limit
            for name, tally in one.tallies.items()
            for limit in (self._streams[name].ABORT_AT_RECORD_COUNT,)
        )

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
        if config["activate_versions"] and not shared:
            stream._write_activate_version_message(stream._stream_version or 0)
        return None

    def _remember(self) -> None:
        """Move the state of each stream: bookmarks, and the bundles that were read."""
        for stream in self._family:
            for one in self._passes:
                if one.part.bookmark and stream.name in one.tallies:
                    stream.stream_state.update(one.part.bookmark)
            latest = [t.latest for t in self._tallies(stream.name) if t.latest]
            if latest and stream.replication_key:
                before = stream.stream_state.get("replication_key_value")
                # A source whose clock runs ahead must not push the bookmark into the future.
                value = min(max(latest), to_utc_text(datetime.now(UTC)))
                stream._increment_stream_state({_MODIFIED: max(filter(None, (before, value)))})

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


class ReceiptStream(OneRosterStream):
    """`syncReceipts`: what came of each collection, and whether it was all there is."""

    name = RECEIPTS.name

    def __init__(self, tap: TapOneRoster) -> None:
        super().__init__(tap, RECEIPTS)
        self.metadata.root.inclusion = Metadata.InclusionType.AUTOMATIC
        self._announced = False

    @property
    @override
    def selected(self) -> bool:
        """Always: without receipts nothing is proven."""
        return True

    @selected.setter
    def selected(self, value: bool | None) -> None: ...

    @override
    def _write_schema_message(self) -> None:
        if not self._announced:
            super()._write_schema_message()
            self._announced = True

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        for _, receipt in self._tap.receipts[: self.ABORT_AT_RECORD_COUNT]:
            yield self.with_tenant(receipt)
