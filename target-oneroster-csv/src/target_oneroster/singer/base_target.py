"""The Singer side of both targets: reads bytes, writes the state only at the end, reports an error in one line."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import click
import duckdb
from singer_sdk import Target, metrics
from singer_sdk.exceptions import RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper import SameRecordTransform
from typing_extensions import override

from .._core import shell
from .._core.log import Progress, hush
from .._core.settings import Configured
from ..errors import Misconfigured, TargetError, is_exhausted, one_line
from ..records.record_mapping import file_of
from .batches import BatchFile, encoding_of, record_lines
from .parquet_batch import ParquetBatch
from .reader import BlockReader, Lane, private_files
from .receipts import Arrival
from .sinks import CurrentRecord

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from types import FrameType

    from singer_sdk import Sink

    from .._core.model import File
    from .._core.stores.work_folder import WorkDir
    from .staging import Staging

_WORDS = shell.WORDS | {
    "enum": "Setting {setting} takes one of: {allowed}.",
    "type": "Setting {setting} takes a value of type {allowed}.",
    "required": "Setting {setting} is required.",
}
"""Messages for settings that break a rule of their schema, as full sentences like all errors of the targets."""


class RecordBeforeSchema(TargetError, RecordsWithoutSchemaException):
    """A record arrived before the schema of its stream."""


class Run(Protocol):
    """What a target makes of the records of one run."""

    @property
    def staging(self) -> Staging:
        """The rows that have arrived so far."""

    @property
    def work(self) -> WorkDir:
        """The folder of the run."""

    def close(self) -> None:
        """Remove the run's files on disk. Can be called more than once."""


_Run = TypeVar("_Run", bound=Run)


class OneRosterTarget(Configured, Target, Generic[_Run]):
    """A target that reads blocks of lines, and acknowledges the state only after its work is done."""

    capabilities = [  # noqa: RUF012 - the SDK's own declaration
        PluginCapabilities.ABOUT,
        PluginCapabilities.BATCH,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    message_reader: BlockReader
    nothing_done: ClassVar[str]
    """The sentence in errors that describes the outcome of the run."""
    not_in_records: ClassVar[Collection[str]] = ()
    """Columns of Parquet files that their records do not have."""

    def __init__(self, **kwargs: Any) -> None:
        hush(self.logger, metrics.get_metrics_logger())
        self._run: _Run | None = None
        self._lanes: dict[str, Lane] = {}
        kwargs.setdefault("message_reader", BlockReader(self._lanes, self.nothing_done, self._say_how_far))
        super().__init__(**kwargs)
        self.progress = Progress(self.logger.info)
        self.progress.begin("reading")
        self.has_receipts = False
        """True if the tap has said that receipts will come, as ours does."""
        self._finished = False
        self._streams: dict[str, File | None] = {}
        """Streams that sent a schema, and the file or table that stores their records unchanged, if any."""
        self._arrived: Counter[str] = Counter()
        """Number of single records, by stream."""
        self.current = CurrentRecord()
        self._spent: list[BatchFile] = []

    def begin(self) -> _Run:
        """Return what takes the records of this run."""
        raise NotImplementedError

    @property
    def run(self) -> _Run:
        """What takes the records of this run; it is created when the first stream sends its schema."""
        if self._run is None:
            self._run = self.begin()
        return self._run

    def close(self) -> None:
        """Remove the run's files on disk. Can be called more than once."""
        if self._run is not None:
            self._run.close()

    def finish(self) -> None:
        """Store the received rows in their final place."""
        raise NotImplementedError

    def take_columns(
        self, stream: str, path: Path, columns: dict[str, str], version: int | None, *, keep: bool
    ) -> int | None:
        """Stage a Parquet file as it is and return the number of its rows; None if its records have to be taken.

        `columns` are its columns and their types; `keep`: the file is not a copy of this run.
        """
        raise NotImplementedError

    def other_arrivals(self) -> dict[str, Arrival]:
        """Return the streams whose rows are not staged unchanged, by the names in receipts: mapped ones, and unknown ones."""
        return {
            known.name if (known := file_of(stream, csv=False)) else stream: Arrival(self._arrived[stream], None)
            for stream, file in self._streams.items()
            if file is None
        }

    def has_schema(self, stream: str) -> bool:
        """True if the schema of a stream has come."""
        return stream in self._streams

    def create_sink(self, **of_the_stream: Any) -> Sink:
        """Return the sink of a stream (stream_name, schema, key_properties). singer-sdk 0.55 calls it."""
        raise NotImplementedError

    @override
    def get_sink_class(self, stream_name: str) -> type[Sink]:
        """Return what singer-sdk 0.54 calls in order to make a sink."""
        return self._sink_for_054  # type: ignore[return-value]

    def _sink_for_054(self, *, target: Target, **of_the_stream: Any) -> Sink:
        assert target is self  # noqa: S101
        return self.create_sink(**of_the_stream)

    @cached_property
    def parquet(self) -> ParquetBatch:
        """What looks into Parquet files."""
        return ParquetBatch(self.not_in_records)

    def _begin_record(self, message: dict[str, Any]) -> str:
        """Return the stream of a RECORD message, and note what it says beside its record."""
        self.message_reader.assert_line_requires(message, {"stream", "record"})
        stream: str = message["stream"]
        if not self.has_schema(stream):
            raise RecordBeforeSchema(f"A record came before the SCHEMA message of its stream. {self.nothing_done}")
        self._arrived[stream] += 1
        self.current.version = message.get("version")
        self.current.time_extracted = message.get("time_extracted")
        return stream

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        """Take files of rows: Parquet in the model's shape as it is, other files record by record."""
        self.message_reader.assert_line_requires(message_dict, {"stream", "encoding", "manifest"})
        stream = message_dict["stream"]
        if not self.has_schema(stream):
            raise RecordBeforeSchema(f"A batch came before the SCHEMA message of its stream. {self.nothing_done}")
        kind, _ = encoding_of(message_dict, self.nothing_done)
        if kind not in {"parquet", "jsonl"}:
            raise TargetError(
                f"Batches must be Parquet, or JSON lines: set batch_config.encoding.format in the tap. {self.nothing_done}"
            )
        files = [
            BatchFile(url, number, stream, self.nothing_done)
            for number, url in enumerate(message_dict["manifest"], start=1)
        ]
        if kind == "parquet":
            for file in files:
                self._take_parquet(file, message_dict)
        else:
            for block in record_lines(message_dict, files, self.nothing_done):
                self.message_reader.take(block)
        self._spent += files

    def _take_parquet(self, file: BatchFile, message: dict[str, Any]) -> None:
        stream, version = message["stream"], message.get("version")
        path = file.local(self.run.staging.folder)
        try:
            columns = self.parquet.columns(path)
            rows = self.take_columns(stream, path, columns, version, keep=file.is_local)
            if rows is not None:
                self.get_sink(stream).record_counter_metric.increment(rows)
                return
            for record in self.parquet.rows(path):
                self._process_record_message({"stream": stream, "record": record, "version": version})
        except duckdb.Error as error:  # its message may hold values
            if is_exhausted(error):
                raise
            raise file.fault(type(error).__name__) from None

    def _say_how_far(self, lines: int) -> None:
        """Say how much came; on a terminal only if the tap, whose line moves there, too, is not ours."""
        if not (self.progress.moves and self.has_receipts):
            self.progress.report(lines, "lines")

    @override
    def process_endofpipe(self) -> None:
        """Finish, then let the SDK acknowledge the state."""
        with private_files():
            self.finish()
        for file in self._spent:
            file.remove()
        self._finished = True
        super().process_endofpipe()

    def _begin_stream(self, stream: str, file: File | None) -> File | None:
        """Note the file of a stream whose schema has come; return None if stream maps or flattening change its records."""
        maps = self.mapper.stream_maps[stream]
        is_as_it_came = len(maps) == 1 and type(maps[0]) is SameRecordTransform and not maps[0].flattening_enabled
        self._streams[stream] = file if is_as_it_came else None
        self._lanes.pop(stream, None)
        return self._streams[stream]

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        """Acknowledge the state only after `finish`; the SDK would do it every five minutes."""
        if self._finished:
            super()._write_state_message(state)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Write no data and no state after a signal; the SDK would finish the work and exit with 0."""
        self.close()
        shell.stop(signum)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add stream maps and flattening; leave out settings that the target does not use."""
        super(Target, cls).append_builtin_config(config_jsonschema)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings; an error names the setting, never its value (the SDK's errors quote it)."""
        faults = self.setting_errors(_WORDS)
        if faults and raise_errors:
            raise Misconfigured(" ".join(sorted(faults)))
        return faults

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the configuration files; an error is one line."""
        with shell.config_files():
            return super().cb_config(ctx, param, value)

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
        target: OneRosterTarget[_Run] | None = None
        super(Target, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        try:
            target = cls(config=config.config if config else {}, parse_env_config=bool(config and config.parse_env))
            target.listen(file_input)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except Exception as error:
            folder = target._run.work.path.parent if target and target._run else None
            raise TargetError(one_line(error, cls.nothing_done, folder)) from None
        finally:
            if target is not None:
                target.close()
                if parquet := target.__dict__.pop("parquet", None):
                    parquet.close()
