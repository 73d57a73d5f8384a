"""The Singer side of the target: messages in, one bundle out; the state is written after the bundle is published."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from .._core.model.schema import TENANT
from ..records.record_mapping import file_of, fits, is_receipts, receipt_of
from ..singer.base_target import OneRosterTarget, RecordBeforeSchema
from ..singer.receipts import Arrival
from ..singer.sinks import IgnoredSink
from .build import BundleBuild, BundleOutcome
from .checks import Severity
from .fast_lane import FastLane
from .parquet_lane import ParquetLane
from .report import write_report
from .settings import CONFIG, options_from
from .sinks import FileSink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk import Sink

__all__ = ["TargetOneRosterCSV"]

_LEVELS = {
    Severity.STOP: logging.ERROR,
    Severity.ROW: logging.ERROR,
    Severity.VALUE: logging.WARNING,
    Severity.NOTE: logging.WARNING,
}


class TargetOneRosterCSV(OneRosterTarget):
    """Writes OneRoster 1.1 and 1.2 CSV bundles, which are checked and published as a whole."""

    name = "target-oneroster-csv"
    config_jsonschema = CONFIG
    nothing_done = "Nothing was published."

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._options = options_from(self.config)
        self._bundle: BundleBuild | None = None
        self._streams: dict[str, bool] = {}
        """Streams that sent a schema; True if their rows are staged unchanged."""
        self._receipts: set[str] = set()
        """Streams that contain receipts."""
        self._arrived: Counter[str] = Counter()
        self._columns: dict[str, ParquetLane] = {}

    @property
    def bundle(self) -> BundleBuild:
        """The bundle of this run, created when the first stream sends its schema."""
        if self._bundle is None:
            self._bundle = BundleBuild(self.config["output_path"], self._options, self.config.get("storage_options"))
        return self._bundle

    @override
    def create_sink(
        self, *, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None = None
    ) -> Sink:
        if file := file_of(stream_name):
            return FileSink(self, stream_name, schema, key_properties, file, self.bundle.staging, self.current)
        return IgnoredSink(self, stream_name, schema, key_properties)

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self.message_reader.assert_line_requires(message_dict, {"stream", "schema"})
        self.message_reader.assert_line_requires(message_dict["schema"], {"properties"})
        stream = message_dict["stream"]
        if is_receipts(stream, message_dict["schema"]["properties"]):
            self.bundle.receipts.announced = self.has_receipts = True
            self._receipts.add(stream)
            return
        super()._process_schema_message(message_dict)
        plain = self._as_it_came(stream)
        file = file_of(stream)
        self._streams[stream] = plain and file is not None
        self._lanes.pop(stream, None)
        self._columns.pop(stream, None)
        if plain and file and fits(file, message_dict["schema"]):
            staging, counter = self.bundle.staging, self.get_sink(stream).record_counter_metric
            self._lanes[stream] = FastLane(
                staging,
                staging.stage(file.name),
                counter.increment,
                tenant=TENANT in message_dict["schema"]["properties"],
                # A tap that sends receipts uses the same rules for values; values of other taps are checked.
                trusted=self.bundle.receipts.announced,
            ).take
            if self.bundle.receipts.announced:
                self._columns[stream] = ParquetLane(staging, staging.stage(file.name), self.parquet, self.bundle.early)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self.message_reader.assert_line_requires(message_dict, {"stream", "record"})
        stream = message_dict["stream"]
        if stream in self._receipts:
            self.bundle.receipts.add(receipt_of(message_dict["record"]))
            return
        if stream not in self._streams:
            raise RecordBeforeSchema("A record came before the SCHEMA message of its stream. Nothing was published.")
        self._arrived[stream] += 1
        self.current.version = message_dict.get("version")
        super()._process_record_message(message_dict)

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Do nothing: a bundle is always complete, and receipts prove it."""

    @override
    def has_schema(self, stream: str) -> bool:
        return stream in self._streams or stream in self._receipts

    @override
    def batch_folder(self) -> Path:
        return self.bundle.staging.folder

    @override
    def take_columns(
        self, stream: str, path: Path, columns: dict[str, str], version: int | None, *, keep: bool
    ) -> int | None:
        lane = self._columns.get(stream)
        return lane.take(path, columns, version) if lane else None

    @override
    def finish(self) -> None:
        """Publish the bundle."""
        if self._bundle is not None:
            try:
                with self.progress.working("checking and writing"):
                    self._bundle.publish(self._other_arrivals())
            finally:
                self._bundle.close()
                self._tell(self._bundle.outcome)

    @override
    def staged_in(self) -> Path | None:
        return self._bundle.work.path.parent if self._bundle else None

    def _tell(self, outcome: BundleOutcome) -> None:
        """Log the findings and the outcome, and write the report if one is configured."""
        for finding in outcome.findings:
            self.logger.log(_LEVELS[finding.severity], "%s: %s", finding.severity.value, finding.text())
        for cause, rows in outcome.causes:
            self.logger.error("%s takes with it: %s", cause, ", ".join(f"{name} {n}" for name, n in rows.items()))
        for name, count in outcome.went_along.items():
            self.logger.info("%s: rows that pointed at a deleted row and went with it: %d", name, count)
        for rule, count in outcome.counts.items():
            self.logger.info("%s: %d", rule, count)
        if path := self.config.get("report_path"):
            write_report(outcome, self._options, Path(path))
        if outcome.published:
            written = ", ".join(f"{name} {count}" for name, count in outcome.rows.items())
            self.logger.info("Published a bundle (%s).", written)
            self.logger.info("Rows written: %s.", self.progress.total(sum(outcome.rows.values())))
        elif outcome.reason is None:
            self.logger.info("No records came: nothing was published.")

    def _other_arrivals(self) -> dict[str, Arrival]:
        """Return the streams whose rows are not staged unchanged: mapped, or not part of a bundle."""
        others = {stream: file_of(stream) for stream, as_it_came in self._streams.items() if not as_it_came}
        return {file.name if file else stream: Arrival(self._arrived[stream], None) for stream, file in others.items()}

    @override
    def close(self) -> None:
        if self._bundle is not None:
            self._bundle.close()
