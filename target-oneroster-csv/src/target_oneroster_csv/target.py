"""The Singer side of the target: messages in, one bundle out, state only after it is in place."""

from __future__ import annotations

import logging
import os
from collections import Counter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
from singer_sdk import Sink, Target
from singer_sdk.exceptions import RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.plugin_base import JSONSchemaValidator
from typing_extensions import override

from ._model.schema import TENANT, read_words
from .build import Bundle, Outcome
from .checks import Severity
from .errors import BundleError, one_line
from .lanes import FastLane, fits
from .reader import BlockReader, Lane
from .receipts import Arrival
from .report import write_report
from .settings import CONFIG, config_fault, options_from
from .shapes import file_of, is_receipts, receipt_of
from .sinks import FileSink, IgnoredSink

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["TargetOneRosterCSV"]

_LEVELS = {
    Severity.STOP: logging.ERROR,
    Severity.ROW: logging.ERROR,
    Severity.VALUE: logging.WARNING,
    Severity.NOTE: logging.WARNING,
}


class RecordBeforeSchema(BundleError, RecordsWithoutSchemaException):
    """A record came before its stream's schema."""


class TargetOneRosterCSV(Target):
    """Writes OneRoster 1.1 and 1.2 CSV bundles, checked and published whole."""

    name = "target-oneroster-csv"
    config_jsonschema = CONFIG
    capabilities = [  # noqa: RUF012 - the SDK's own declaration
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    message_reader_class = BlockReader
    message_reader: BlockReader

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._options = options_from(self.config)
        self._bundle: Bundle | None = None
        self._published = False
        self._lanes: dict[str, Lane] = {}
        self._streams: dict[str, bool] = {}
        """Streams that sent a schema, and whether their rows are staged as they came."""
        self._receipts: set[str] = set()
        """Streams that carry receipts."""
        self._arrived: Counter[str] = Counter()
        self.version: int | None = None
        """Version of the record message at hand."""
        self.message_reader.lane_of = self._lanes.get

    @property
    def bundle(self) -> Bundle:
        """The bundle of this run, begun when the first stream announces itself."""
        if self._bundle is None:
            self._bundle = Bundle(self.config["output_path"], self._options, self.config.get("storage_options"))
        return self._bundle

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        return FileSink if file_of(stream_name) else IgnoredSink

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self.message_reader.assert_line_requires(message_dict, {"stream", "schema"})
        self.message_reader.assert_line_requires(message_dict["schema"], {"properties"})
        stream = message_dict["stream"]
        if is_receipts(stream, message_dict["schema"]["properties"]):
            self.bundle.receipts.announced = True
            self._receipts.add(stream)
            return
        super()._process_schema_message(message_dict)
        maps = self.mapper.stream_maps[stream]
        plain = len(maps) == 1 and type(maps[0]) is SameRecordTransform and not maps[0].flattening_enabled
        file = file_of(stream)
        self._streams[stream] = plain and file is not None
        self._lanes.pop(stream, None)
        if plain and file and fits(file, message_dict["schema"]):
            staging, counter = self.bundle.staging, self.get_sink(stream).record_counter_metric
            self._lanes[stream] = FastLane(
                staging,
                staging.stage(file.name),
                counter.increment,
                tenant=TENANT in message_dict["schema"]["properties"],
            ).take

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
        self.version = message_dict.get("version")
        super()._process_record_message(message_dict)

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Nothing to do: a bundle is whole or it is not, and the receipts say which."""

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        raise BundleError("BATCH messages are not supported. Turn batch_config off in the tap.")

    @override
    def process_endofpipe(self) -> None:
        """Publish, then let the SDK acknowledge the state."""
        if self._bundle is not None:
            try:
                self._bundle.publish(self._other_arrivals())
            finally:
                self._bundle.close()
                self._tell(self._bundle.outcome)
        self._published = True
        super().process_endofpipe()

    def _tell(self, outcome: Outcome) -> None:
        """Say in the log, and in a report where one is wanted, what was found and done."""
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
        elif outcome.reason is None:
            self.logger.info("No records came: nothing was published.")

    def _other_arrivals(self) -> dict[str, Arrival]:
        """Streams whose rows are not staged as they came: mapped, or not part of a bundle."""
        others = {stream: file_of(stream) for stream, as_it_came in self._streams.items() if not as_it_came}
        return {file.name if file else stream: Arrival(self._arrived[stream], None) for stream, file in others.items()}

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        """Acknowledge only what is in place: the SDK would do it every five minutes."""
        if self._published:
            super()._write_state_message(state)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Write nothing more: no bundle, no state (the SDK would drain, and exit 0)."""
        if self._bundle is not None:
            self._bundle.close()
        os._exit(128 + signum)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Offer stream maps and flattening; leave out what no code here reads."""
        super(Target, cls).append_builtin_config(config_jsonschema)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings; an error names the setting, never its value (the SDK's quote it)."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        read_words(self._config, schema)
        faults = sorted({config_fault(error) for error in JSONSchemaValidator(schema).iter_errors(self._config)})
        if faults and raise_errors:
            raise BundleError(" ".join(faults))
        return faults

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the configuration files; a fault is one line."""
        try:
            return super().cb_config(ctx, param, value)
        except FileNotFoundError:
            raise BundleError("--config names a file that is not there.") from None
        except ValueError:
            raise BundleError("--config names a file that is not JSON.") from None

    @classmethod
    @override
    def invoke(
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        file_input: IO[str] | None = None,
        **kwargs: Any,
    ) -> None:
        target: TargetOneRosterCSV | None = None
        super(Target, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        try:
            target = cls(config=config.config if config else {}, parse_env_config=bool(config and config.parse_env))
            target.listen(file_input)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except Exception as error:
            raise BundleError(one_line(error)) from None
        finally:
            if target is not None and target._bundle is not None:
                target._bundle.close()
