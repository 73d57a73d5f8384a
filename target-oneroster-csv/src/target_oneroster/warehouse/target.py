"""The Singer side of the warehouse: messages in, tables in one DuckDB file; the state is written after they are loaded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities
from typing_extensions import override

from .._core.model import RECEIPTS
from .._core.model.schema import TENANT
from ..records.record_mapping import file_of, fits
from ..singer.base_target import OneRosterTarget, RecordBeforeSchema
from ..singer.receipts import Arrival
from .fast_lane import RawLane
from .load import Load
from .report import report
from .schema import ADDED
from .settings import CONFIG, options_from
from .sinks import TableSink, UnknownSink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from singer_sdk import Sink

    from .._core.model import File
    from .staging import Stage

__all__ = ["TargetOneRosterDuckDB"]


class TargetOneRosterDuckDB(OneRosterTarget):
    """Keeps a OneRoster warehouse in one DuckDB file: typed tables, merged by key, without loss."""

    name = "target-oneroster-duckdb"
    package_name = "target-oneroster-csv"
    config_jsonschema = CONFIG
    capabilities = [  # noqa: RUF012 - the SDK's own declaration
        *OneRosterTarget.capabilities,
        PluginCapabilities.ACTIVATE_VERSION,
        TargetCapabilities.HARD_DELETE,
        TargetCapabilities.SOFT_DELETE,
        TargetCapabilities.TARGET_SCHEMA,
    ]
    nothing_done = "Nothing was loaded."
    not_in_records = ADDED

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._options = options_from(self.config)
        self._load: Load | None = None
        self._streams: dict[str, File | None] = {}
        """Streams that sent a schema, and the table that stores their records unchanged, if any."""
        self._arrived: Counter[str] = Counter()

    @property
    def load(self) -> Load:
        """The load of this run, created when the first stream sends its schema."""
        if self._load is None:
            self._load = Load(self.config["filepath"], self._options)
        return self._load

    @override
    def create_sink(
        self, *, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None = None
    ) -> Sink:
        if file := _table_of(stream_name):
            stage = self._stage_of(file, schema)
            return TableSink(self, stream_name, schema, key_properties, stage, self.load.staging, self.current)
        return UnknownSink(self, stream_name, schema, key_properties)

    def _stage_of(self, file: File, schema: Mapping[str, Any]) -> Stage:
        return self.load.staging.stage(file, tenant=TENANT in schema["properties"])

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self.message_reader.assert_line_requires(message_dict, {"stream", "schema"})
        self.message_reader.assert_line_requires(message_dict["schema"], {"properties"})
        super()._process_schema_message(message_dict)
        stream, schema = message_dict["stream"], message_dict["schema"]
        plain, file = self._as_it_came(stream), _table_of(stream)
        self._streams[stream] = file if plain else None
        self._lanes.pop(stream, None)
        if file and file.name == RECEIPTS.name:
            self.load.receipts.announced = self.has_receipts = True
        elif plain and file and fits(file, schema):
            # A tap that sends receipts counts and types its records; records of other taps are checked.
            lane = RawLane(self._stage_of(file, schema), trusted=self.load.receipts.announced)
            counter = self.get_sink(stream).record_counter_metric

            def take(block: bytes, lines: int) -> bool:
                if not lane.take(block, lines):
                    return False
                counter.increment(lines)
                self.load.activated.pop(file.name, None)
                return True

            self._lanes[stream] = take

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self.message_reader.assert_line_requires(message_dict, {"stream", "record"})
        stream = message_dict["stream"]
        if stream not in self._streams:
            raise RecordBeforeSchema(f"A record came before the SCHEMA message of its stream. {self.nothing_done}")
        file = _table_of(stream)
        if file and file.name == RECEIPTS.name:
            self.load.receipts.add(message_dict["record"])
        elif file:
            self.load.activated.pop(file.name, None)
        self._arrived[stream] += 1
        self.current.version = message_dict.get("version")
        self.current.time_extracted = message_dict.get("time_extracted")
        super()._process_record_message(message_dict)

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Record that a read reached its end: rows that it did not bring are deleted after all others are loaded."""
        file = _table_of(message_dict["stream"])
        if file and self._options.activate_version:
            self.load.activated[file.name] = message_dict["version"]

    @override
    def has_schema(self, stream: str) -> bool:
        return stream in self._streams

    @override
    def batch_folder(self) -> Path:
        return self.load.staging.folder

    @override
    def take_columns(
        self, stream: str, path: Path, columns: dict[str, str], version: int | None, *, keep: bool
    ) -> int | None:
        table = self._streams[stream]
        trusted = stream in self._lanes and self.load.receipts.announced  # the values are those of the registry
        if not (trusted and table and self.load.staging.stages[table.name].takes(columns)):
            return None
        rows = self.parquet.size(path)
        self.load.staging.stages[table.name].add_parquet(path, rows, columns, version, keep=keep)
        self.load.activated.pop(table.name, None)
        return rows

    @override
    def finish(self) -> None:
        """Load the rows."""
        if self._load is not None:
            try:
                for stream in self._streams:
                    if isinstance(sink := self.get_sink(stream), TableSink):
                        for column, count in sink.records.unreadable.items():
                            self._load.staging.unreadable[sink.records.name, column] += count
                with self.progress.working("loading"):
                    self._load.finish(self._other_arrivals(), self.progress.begin)
            finally:
                self._load.close()
                report(self._load.outcome, self.logger, self.progress.total)

    @override
    def staged_in(self) -> Path | None:
        return self._load.work.path.parent if self._load else None

    def _other_arrivals(self) -> dict[str, Arrival]:
        """Return the streams whose rows are not staged unchanged: mapped, or without a table."""
        return {stream: Arrival(self._arrived[stream], None) for stream, file in self._streams.items() if file is None}

    @override
    def close(self) -> None:
        if self._load is not None:
            self._load.close()


def _table_of(stream: str) -> File | None:
    return RECEIPTS if stream == RECEIPTS.name else file_of(stream, csv=False)
