"""The tap: which streams there are, in which order they run, and how a run ends."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, cast
from uuid import uuid4

from click import ClickException
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from typing_extensions import override

from .._core.model import FILES, VIEWS, File, Version, file
from .._core.model.schema import read_words
from .._core.shell import json_object, unreadable
from ..batch_files.batch_files import BatchFiles
from ..receipts.summary import summary_lines
from .config_check import combination_errors, explain
from .settings import SETTINGS
from .stream_maps import register
from .streams import CollectionStream, ReceiptStream
from .writer import BlockWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import FrameType

    from singer_sdk import Stream
    from singer_sdk.singerlib import Catalog, CatalogEntry

    from ..receipts.tally import Tally
    from ..source import Source

__all__ = ["TapOneRoster"]


class TapOneRoster(Tap):
    """Singer tap for OneRoster 1.1 and 1.2, over REST and CSV."""

    name = "tap-oneroster"
    config_jsonschema = SETTINGS.to_dict()
    message_writer_class = BlockWriter
    collection_class = CollectionStream
    receipt_class = ReceiptStream
    capabilities = [  # noqa: RUF012
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        TapCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.BATCH,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **kwargs: Any) -> None:
        self.run_id = str(uuid4())
        self.receipts: list[tuple[Tally, dict[str, Any]]] = []
        self.failures: list[str] = []
        self.stopped = False
        """Set where nothing more can be read: the streams that are left say nothing."""
        super().__init__(**kwargs)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """As the SDK, but a problem names the setting and what it may be, never its value."""
        from singer_sdk.plugin_base import JSONSchemaValidator

        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        read_words(self._config, schema)
        errors = [explain(e) for e in JSONSchemaValidator(schema).iter_errors(self._config)]
        if not errors and raise_errors:
            errors = combination_errors(self._config)
        if errors and raise_errors:
            raise ConfigValidationError("; ".join(errors), errors=errors, schema=schema)
        return errors

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """Streams by name; receipts come last, since they speak of all others."""
        streams = super().streams
        name = ReceiptStream.name
        if name in streams and next(reversed(streams)) != name:
            streams[name] = streams.pop(name)
        return streams

    @property
    @override
    def catalog(self) -> Catalog:
        """The catalog that was given, made whole: old ones have no keys, small ones lack streams (and the receipts)."""
        if self._catalog is None and (given := self.input_catalog):
            self._catalog = self._singer_catalog
            for name, own in self._catalog.items():
                if name in given and name != ReceiptStream.name:
                    self._catalog[name] = replace(given[name], key_properties=own.key_properties)
                    if held_back(given[name], own):
                        self.logger.info("%s: stays in the source; its columns are selected, the stream is not", name)
            if unknown := sorted(given.keys() - self._catalog.keys()):
                self.logger.warning("not offered with these settings, though in the catalog: %s", ", ".join(unknown))
        return super().catalog

    @override
    def discover_streams(self) -> Sequence[Stream]:
        """All streams that the settings allow; what the source lacks, the receipts say."""
        streams = {of.name: self.collection_class(self, of) for of in self._files()}
        for stream in streams.values():
            if parent := self._parent(stream.file):
                stream.belongs_to(streams[parent])
        return [*streams.values(), self.receipt_class(self)]

    def _files(self) -> list[File]:
        rest = self.config["mode"] == "rest"
        only_1_1 = self.config["oneroster_version"] == Version.V1_1.value
        files = [f for f in FILES if f.csv or (rest and not only_1_1)]
        if self.config["include_views"]:
            files += [replace(file(view.parent), name=view.name, collection=view.collection) for view in VIEWS]
        return files

    def _parent(self, of: File) -> str | None:
        """Stream whose records hold those of this one: in REST as the model says, in CSV roles."""
        if of.derived and (self.config["mode"] == "rest" or of.name == "roles"):
            return of.derived.parent
        return None

    @cached_property
    def source(self) -> Source:
        """The service or the bundles, opened when the first stream is read."""
        from ..open_source import make_source

        return make_source(
            self.config,
            streams=frozenset(name for name, stream in self.streams.items() if stream.selected),
            user_agent=f"{self.name}/{self.plugin_version}",
            say=self.logger.info,
        )

    @override
    def setup_mapper(self) -> None:
        """Give selected streams their maps; what is wrong with one is one line."""
        super(Tap, self).setup_mapper()
        register(self.mapper, self.catalog)

    @cached_property
    def batches(self) -> BatchFiles | None:
        """Where records leave as files: their writer."""
        config = self.config.get("batch_config")
        return BatchFiles(config, self.run_id) if config else None

    @property
    def writer(self) -> BlockWriter:
        """The message writer, as what it is."""
        return cast("BlockWriter", self.message_writer)

    @property
    def source_name(self) -> str:
        """Name of the source in receipts, where it could not be opened."""
        from ..open_source import source_name

        return source_name(self.config)

    def records(self, stream: str) -> Iterator[dict[str, Any]]:
        """Records of one stream, for those who embed the tap: as they are read, then SourceError if not all came."""
        return cast("CollectionStream", self.streams[stream]).get_records(None)

    @override  # type: ignore[misc]  # final, but receipts must open and close every run
    def sync_all(self) -> None:
        self.streams[ReceiptStream.name]._write_schema_message()
        try:
            super().sync_all()
        finally:
            if "source" in self.__dict__:
                for problem in self.source.problems:
                    self.fail(problem)
                self.source.close()
            self.discard_batches()  # of a collection that was cut off in the middle
        for line in summary_lines(self.receipts):
            self.logger.info("%s", line)
        self._raise_failures()

    def _raise_failures(self) -> None:
        if self.failures:
            raise ClickException(
                f"{self.failures[0]}" + (f" (and {len(self.failures) - 1} more, above)" if self.failures[1:] else "")
            )

    @override  # type: ignore[misc]  # final, but it selects, reads and prints what is off by default, too
    def run_sync_dry_run(self, dry_run_record_limit: int | None = 1, streams: Iterable[Stream] | None = None) -> bool:
        tried = [stream for stream in streams or self.streams.values() if stream.selected]
        done = super().run_sync_dry_run(dry_run_record_limit, tried)
        self._raise_failures()
        return done

    def fail(self, problem: str | Exception, stream: str | None = None) -> None:
        """Note that the run cannot end well, and because of which collection."""
        del stream  # for those who report it apart from the line
        self.logger.error("%s", problem)
        self.failures.append(str(problem))

    def discard_batches(self) -> None:
        """Remove the files that were written and not announced."""
        if self.batches:
            self._name_left(self.batches.discard())

    def _name_left(self, files: list[str]) -> None:
        """Name files of batches that are of no use to anyone and still there."""
        if files:
            self.logger.warning("not announced, to be removed by hand: %s", ", ".join(files))

    @classmethod
    @override
    def cb_config(cls, ctx: Any, param: Any, value: tuple[str, ...]) -> Any:
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, TypeError, ValueError) as error:
            raise unreadable("--config", error) from None

    @classmethod
    @override
    def invoke(cls, *, state: IO[str] | None = None, catalog: IO[str] | None = None, **options: Any) -> None:
        super().invoke(state=json_object("--state", state), catalog=json_object("--catalog", catalog), **options)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop at once and write nothing more: a run that was killed must not look finished."""
        self.logger.error("stopped by signal %d; nothing more is written", signum)
        if self.batches:
            self._name_left(self.batches.abandon())
        os._exit(128 + signum)


def held_back(given: CatalogEntry, own: CatalogEntry) -> bool:
    """Whether a stream that is off by default looks chosen by its columns and is not: Meltano's `*.*` makes it so."""
    columns = [metadata for breadcrumb, metadata in given.metadata.items() if breadcrumb]
    off = own.metadata.root.selected_by_default is False and given.metadata.root.selected is False
    return off and any(metadata.selected for metadata in columns)
