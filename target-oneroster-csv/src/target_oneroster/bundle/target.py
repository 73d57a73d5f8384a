"""The Singer side of the target: messages in, one bundle out; the state is written after the bundle is published."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from .._core.model.schema import TENANT
from ..records.record_mapping import file_of, fits, is_receipts, receipt_of
from ..singer.base_target import OneRosterTarget
from ..singer.sinks import IgnoredSink
from .build import BundleBuild, BundleOutcome
from .checks import Severity
from .fast_lane import FastLane
from .parquet_lane import ParquetLane
from .report import write_report
from .settings import CONFIG, options_from
from .sinks import FileSink

if TYPE_CHECKING:
    from singer_sdk import Sink

_LEVELS = {
    Severity.STOP: logging.ERROR,
    Severity.ROW: logging.ERROR,
    Severity.VALUE: logging.WARNING,
    Severity.NOTE: logging.WARNING,
}


class TargetOneRosterCSV(OneRosterTarget[BundleBuild]):
    """Writes OneRoster 1.1 and 1.2 CSV bundles, which are checked and published as a whole."""

    name = "target-oneroster-csv"
    config_jsonschema = CONFIG
    nothing_done = "Nothing was published."

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._options = options_from(self.config)
        self._receipts: set[str] = set()
        """Streams that contain receipts."""
        self._columns: dict[str, ParquetLane] = {}

    @override
    def begin(self) -> BundleBuild:
        return BundleBuild(self.config["output_path"], self._options, self.config.get("storage_options") or {})

    @override
    def create_sink(self, **of_the_stream: Any) -> Sink:
        if file := file_of(of_the_stream["stream_name"]):
            return FileSink(file, self.run.staging, self.current, target=self, **of_the_stream)
        return IgnoredSink(self, **of_the_stream)

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self.message_reader.assert_line_requires(message_dict, {"stream", "schema"})
        self.message_reader.assert_line_requires(message_dict["schema"], {"properties"})
        stream = message_dict["stream"]
        if is_receipts(stream, message_dict["schema"]["properties"]):
            self.run.receipts.announced = self.has_receipts = True
            self._receipts.add(stream)
            return
        super()._process_schema_message(message_dict)
        self._columns.pop(stream, None)
        file = self._begin_stream(stream, file_of(stream))
        if file and fits(file, message_dict["schema"]):
            staging, counter = self.run.staging, self.get_sink(stream).record_counter_metric
            self._lanes[stream] = FastLane(
                staging,
                staging.stage(file.name),
                counter.increment,
                tenant=TENANT in message_dict["schema"]["properties"],
                # A tap that sends receipts uses the same rules for values; values of other taps are checked.
                trusted=self.run.receipts.announced,
            ).take
            if self.run.receipts.announced:
                self._columns[stream] = ParquetLane(staging, staging.stage(file.name), self.parquet, self.run.early)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        if self._begin_record(message_dict) in self._receipts:
            self.run.receipts.add(receipt_of(message_dict["record"]))
        else:
            super()._process_record_message(message_dict)

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Do nothing: a bundle is always complete, and receipts prove it."""

    @override
    def has_schema(self, stream: str) -> bool:
        return super().has_schema(stream) or stream in self._receipts

    @override
    def take_columns(
        self, stream: str, path: Path, columns: dict[str, str], version: int | None, *, keep: bool
    ) -> int | None:
        lane = self._columns.get(stream)
        return lane.take(path, columns, version) if lane else None

    @override
    def finish(self) -> None:
        """Publish the bundle."""
        if self._run is not None:
            try:
                with self.progress.working("checking and writing"):
                    self._run.publish(self.other_arrivals())
            finally:
                self._run.close()
                self._tell(self._run.outcome)

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
