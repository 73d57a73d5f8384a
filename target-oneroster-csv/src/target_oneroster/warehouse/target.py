"""The Singer side of the warehouse: messages in, tables in one DuckDB file; the state is written after they are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities
from typing_extensions import override

from .._core.model import RECEIPTS
from .._core.model.schema import TENANT
from ..records.record_mapping import file_of, fits
from ..singer.base_target import OneRosterTarget
from .fast_lane import RawLane
from .load import Load
from .report import report
from .schema import ADDED
from .settings import CONFIG, options_from
from .sinks import TableSink, UnknownSink

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from singer_sdk import Sink

    from .._core.model import File
    from .staging import Stage


class TargetOneRosterDuckDB(OneRosterTarget[Load]):
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

    @override
    def begin(self) -> Load:
        return Load(self.config["filepath"], self._options)

    @override
    def create_sink(self, **of_the_stream: Any) -> Sink:
        if file := _table_of(of_the_stream["stream_name"]):
            stage = self._stage_of(file, of_the_stream["schema"])
            return TableSink(stage, self.run.staging, self.current, target=self, **of_the_stream)
        return UnknownSink(self, **of_the_stream)

    def _stage_of(self, file: File, schema: Mapping[str, Any]) -> Stage:
        return self.run.staging.stage(file, tenant=TENANT in schema["properties"])

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        super()._process_schema_message(message_dict)
        stream, schema = message_dict["stream"], message_dict["schema"]
        file = self._begin_stream(stream, _table_of(stream))
        if stream == RECEIPTS.name:
            self.run.receipts.announced = self.has_receipts = True
        elif file and fits(file, schema):
            # A tap that sends receipts counts and types its records; records of other taps are checked.
            lane = RawLane(self._stage_of(file, schema), trusted=self.run.receipts.announced)
            counter = self.get_sink(stream).record_counter_metric

            def take(block: bytes, lines: int) -> bool:
                if not lane.take(block, lines):
                    return False
                counter.increment(lines)
                self.run.activated.pop(file.name, None)
                return True

            self._lanes[stream] = take

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        file = _table_of(self._begin_record(message_dict))
        if file and file.name == RECEIPTS.name:
            self.run.receipts.add(message_dict["record"])
        elif file:
            self.run.activated.pop(file.name, None)
        super()._process_record_message(message_dict)

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Record that a read reached its end: rows that it did not bring are deleted after all others are loaded."""
        file = _table_of(message_dict["stream"])
        if file and self._options.activate_version:
            self.run.activated[file.name] = message_dict["version"]

    @override
    def take_columns(
        self, stream: str, path: Path, columns: dict[str, str], version: int | None, *, keep: bool
    ) -> int | None:
        table = self._streams[stream]
        trusted = stream in self._lanes and self.run.receipts.announced  # the values are those of the registry
        if not (trusted and table and self.run.staging.stages[table.name].takes(columns)):
            return None
        rows = self.parquet.size(path)
        self.run.staging.stages[table.name].add_parquet(path, rows, columns, version, keep=keep)
        self.run.activated.pop(table.name, None)
        return rows

    @override
    def finish(self) -> None:
        """Load the rows."""
        if self._run is not None:
            try:
                with self.progress.working("loading"):
                    self._run.finish(self.other_arrivals(), self.progress.begin)
            finally:
                self._run.close()
                report(self._run.outcome, self.logger, self.progress.total)


def _table_of(stream: str) -> File | None:
    return RECEIPTS if stream == RECEIPTS.name else file_of(stream, csv=False)
