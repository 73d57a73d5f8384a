"""Streams: the Singer side of a collection, and the receipts stream."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import msgspec
from click import ClickException
from singer_sdk import Stream
from singer_sdk.exceptions import MappingError
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import Metadata
from typing_extensions import override

from .._core.codec import record_lines
from .._core.log import hush
from .._core.model import RECEIPTS, File
from .._core.model.schema import TENANT, json_schema, key_properties
from ..source import Request, SourceError
from .collection_run import MODIFIED, CollectionRun

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from msgspec import Struct
    from singer_sdk import Tap
    from singer_sdk.singerlib import Catalog

    from ..source import Records
    from .run import Run


class OneRosterStream(Stream):
    """The common part of collections and receipts: schema and keys from the model."""

    def __init__(self, tap: Tap, run: Run[Any], of: File) -> None:
        self.file = of
        self.run = run
        self._tenant: str | None = tap.config.get("tenant")
        schema = json_schema(of, tenant=self._tenant is not None, secrets=tap.config["include_passwords"])
        super().__init__(tap, schema=schema, name=of.name)
        hush(self.logger)
        self.primary_keys = list(key_properties(of, tenant=self._tenant is not None))

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """False: the SDK would activate a version before its records, so a crash would delete rows."""
        return False

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Apply a catalog like the SDK, but keep the keys if the catalog has none, as in old ones."""
        keys, replication_key = self.primary_keys, self.replication_key
        super().apply_catalog(catalog)
        self.primary_keys = self.primary_keys or keys
        self.replication_key = self.replication_key or replication_key

    @override
    def get_batch_config(self, config: Any) -> None:
        """Return None: the SDK's own batches would skip stream maps, receipts and state."""

    def with_tenant(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record with the tenant as its first property, if one is set."""
        return record if self._tenant is None else {TENANT: self._tenant, **record}


class CollectionStream(OneRosterStream):
    """One collection of the standard, with the streams derived from its records.

    For the SDK a derived stream is a child, so that a selected child keeps its parent running; but it gets no context
    per record, because its rows come from the parent's only pass.
    """

    def __init__(self, tap: Tap, run: Run[Any], of: File) -> None:
        super().__init__(tap, run, of)
        if tap.config["mode"] == "rest":
            self.replication_key = MODIFIED
        self.selected_by_default = of.name != "demographics" or run.policy is not None

    # The bookmark is written once, when the collection is complete.
    is_sorted = True
    check_sorted = False

    def belongs_to(self, parent: CollectionStream) -> None:
        """Derive the rows of this stream from the records of another."""
        self.parent_stream_type = CollectionStream
        self.parent = parent
        parent.child_streams.append(self)

    parent: CollectionStream | None = None

    @property
    def _family(self) -> list[CollectionStream]:
        """This stream and those derived from it, if they are selected."""
        derived = cast("list[CollectionStream]", self.child_streams)
        return [stream for stream in (self, *derived) if stream.selected]

    @override
    def _write_schema_message(self) -> None:
        if not self.run.stopped:
            super()._write_schema_message()

    @override
    def generate_child_contexts(self, record: Any, context: Any) -> Iterable[None]:
        return ()

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        """Yield the records of this stream alone, for programs that embed the tap."""
        top = self.parent or self
        for one_pass in self.run.source.passes(Request(top.file, (self.file,))):
            for batch in one_pass:
                yield from map(self._as_dict, batch.records)
        if problems := self.run.source.problems:
            raise SourceError("; ".join(problems))

    def _as_dict(self, record: Struct) -> dict[str, Any]:
        return self.with_tenant(msgspec.to_builtins(record))

    @override
    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Generator[dict[str, Any], Any, Any]:
        """Deliver the collection completely; on an error restore all states and report it."""
        if self.run.stopped:
            return
        family = self._family
        for stream in family:
            if stream is not self:
                stream._write_schema_message()
        kept = {stream: copy.deepcopy(stream.stream_state) for stream in family}
        run = CollectionRun(self.run, self, family)
        try:
            run.deliver()
        except SourceError as error:
            run.note_receipts()
            for stream, state in kept.items():
                stream.stream_state.clear()
                stream.stream_state.update(state)
            self.run.fail(error, self.name)
        yield from ()

    def starting_point(self) -> datetime | None:
        """Return the moment from which this stream needs records; None if it needs all."""
        state = self.stream_state
        self._write_starting_replication_value(None)
        if self.replication_method != "INCREMENTAL" or self.file.small or self._is_due(state):
            return None
        if self.run.memory.must_read_all(state):
            return None
        start = self.get_starting_timestamp(None)
        if start and state.get("replication_key_value"):
            start -= timedelta(seconds=self.config["lookback_seconds"])
        return start

    def _is_due(self, state: dict[str, Any]) -> bool:
        """True if the last full read is older than `full_refresh_days`."""
        days, last = self.config["full_refresh_days"], state.get("full_read_at")
        if not days or not state.get("replication_key_value"):
            return False
        return last is None or datetime.now(UTC) - datetime.fromisoformat(last) >= timedelta(days=days)

    @property
    def is_plain(self) -> bool:
        """True if records are written unchanged: no stream map, no flattening, no deselected property."""
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

    @property
    def limit(self) -> int | None:
        """Maximum number of records in a test run; None otherwise."""
        return self.ABORT_AT_RECORD_COUNT

    def start_attempt(self, version: int) -> None:
        """Give later records this version, and write them to files if batches are configured."""
        self._stream_version = version
        if self.run.batches is None or self.limit is not None:
            return
        if not self.is_plain:
            self.run.logger.warning(
                "%s: no batches, but records: a stream map, flattening or a deselected property changes them", self.name
            )
            return
        tenant = {} if self._tenant is None else {TENANT: self._tenant}
        self.run.batches.start(self.name, version, self.schema, tenant)

    def activate(self) -> None:
        """Write the message that deletes all rows without this attempt's version."""
        self._write_activate_version_message(self._stream_version or 0)

    def advance(self, value: str) -> None:
        """Advance the bookmark."""
        self._increment_stream_state({MODIFIED: value})

    def write_records(self, batch: Records, *, plain: bool) -> Sequence[bool] | None:
        """Write records; plain ones are written as encoded rows, which is faster.

        Return for each record whether it was written; None if all were. A stream map may leave records out.
        """
        if not plain:
            return list(map(self._write_mapped, batch.records))
        self.state_manager.is_flushed = False
        if self.run.batches and self.run.batches.write(batch):
            return None
        extracted = datetime.now(UTC).isoformat()
        lines = record_lines(batch.rows, self.name, self._stream_version or 0, extracted, self._tenant)
        self.run.writer.write_lines(lines)
        return None

    def _write_mapped(self, record: Struct) -> bool:
        """Write one record after stream maps, flattening and selection; return False if a stream map leaves it out."""
        try:
            messages = list(self._generate_record_messages(self._as_dict(record)))
        except (ClickException, OSError):
            raise
        except MappingError as error:
            raise SourceError(f"{self.name}: stream_maps: {error}") from None
        except Exception as error:  # expressions may raise anything, and the message may contain a value
            raise SourceError(
                f"{self.name}: stream_maps: an expression fails on a record ({type(error).__name__})"
            ) from None
        for message in messages:
            self.run.writer.write_message(message)
        self.state_manager.is_flushed = False
        return bool(messages)


class ReceiptStream(OneRosterStream):
    """`syncReceipts`: for each collection, what arrived and whether it is complete."""

    name = RECEIPTS.name

    def __init__(self, tap: Tap, run: Run[Any]) -> None:
        super().__init__(tap, run, RECEIPTS)
        self.metadata.root.inclusion = Metadata.InclusionType.AUTOMATIC
        self._announced = False

    @property
    @override
    def selected(self) -> bool:
        """Always True: without receipts nothing is proven."""
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
        for _, receipt in self.run.receipts[: self.ABORT_AT_RECORD_COUNT]:
            yield self.with_tenant(receipt)
