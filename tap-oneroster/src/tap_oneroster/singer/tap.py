"""The tap: which streams exist, in which order they run, and how a run ends."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk import Tap, metrics
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from typing_extensions import override

from .._core import shell
from .._core.log import hush
from .._core.model import FILES, VIEWS, File, Version, file
from .._core.settings import Configured
from ..receipts.summary import summary_lines
from ..twin.settings import policy_errors
from .config_check import combination_errors
from .given import catalog_error, state_error
from .run import Run
from .settings import SETTINGS
from .stream_maps import register
from .streams import CollectionStream, ReceiptStream
from .writer import BlockWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import FrameType

    from singer_sdk import Stream
    from singer_sdk.singerlib import Catalog, CatalogEntry

    from ..source import Source


class TapOneRoster(Configured, Tap):
    """Singer tap for OneRoster 1.1 and 1.2, over REST and CSV."""

    name = "tap-oneroster"
    config_jsonschema = SETTINGS.to_dict()
    message_writer_class = BlockWriter
    collection_class = CollectionStream
    receipt_class = ReceiptStream
    run_class: ClassVar[type[Run[Any]]] = Run
    capabilities = [  # noqa: RUF012
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.BATCH,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **kwargs: Any) -> None:
        hush(self.logger, metrics.get_metrics_logger())
        super().__init__(**kwargs)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Validate like the SDK, but with messages that name the setting and its allowed values, never its value.

        Without `raise_errors`, as in discovery, settings may be missing, but those that are set must be valid.
        """
        errors = self.setting_errors()
        if not errors:
            errors = combination_errors(self._config) if raise_errors else policy_errors(self._config)
        if errors:
            raise ConfigValidationError("; ".join(errors), errors=errors, schema=self.config_jsonschema)
        return errors

    @cached_property
    def run(self) -> Run[Any]:
        """The objects that the streams of a run share."""
        return self.run_class(
            config=self.config,
            started_at=self.initialized_at,
            user_agent=f"{self.name}/{self.plugin_version}",
            writer=self.message_writer,
            logger=self.logger,
            selected=lambda: frozenset(name for name, stream in self.streams.items() if stream.selected),
        )

    @property
    def source(self) -> Source:
        """The service or the bundles, opened when the first stream is read."""
        return self.run.source

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        """Streams by name; receipts are last, because they describe all others."""
        streams = super().streams
        name = ReceiptStream.name
        if name in streams and next(reversed(streams)) != name:
            streams[name] = streams.pop(name)
        return streams

    @property
    @override
    def catalog(self) -> Catalog:
        """The given catalog, completed: old ones have no keys, small ones lack streams (and the receipts)."""
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
        """Return all streams that the settings allow; receipts report those that the source lacks."""
        streams = {of.name: self.collection_class(self, self.run, of) for of in self._files()}
        for stream in streams.values():
            if (parent := self._parent(stream.file)) in streams:
                stream.belongs_to(streams[parent])
        return [*streams.values(), self.receipt_class(self, self.run)]

    def _files(self) -> list[File]:
        wide = self.config["mode"] != "csv"
        only_1_1 = self.config["oneroster_version"] == Version.V1_1.value
        files = [f for f in FILES if f.csv or (wide and not only_1_1)]
        if policy := self.run.policy:
            from .._core.twin.plan import reduced  # a tap without a policy need not wait for it

            return [reduced(f, policy.elements[f.name]) for f in files if f.name in policy.elements]
        if self.config["include_views"]:
            files += [replace(file(view.parent), name=view.name, collection=view.collection) for view in VIEWS]
        return files

    def _parent(self, of: File) -> str | None:
        """Return the stream whose records contain this one's: in REST as in the model, in CSV only for roles.

        A warehouse has a table for each, so that none is made of another.
        """
        mode = self.config["mode"]
        if of.derived and (mode == "rest" or (mode == "csv" and of.name == "roles")):
            return of.derived.parent
        return None

    @override
    def setup_mapper(self) -> None:
        """Register the stream maps; an error in one is reported in one line."""
        super(Tap, self).setup_mapper()
        register(self.mapper, self.catalog)

    def records(self, stream: str) -> Iterator[dict[str, Any]]:
        """Yield the records of one stream, for programs that embed the tap; raise SourceError last if any are missing."""
        return cast("CollectionStream", self.streams[stream]).get_records(None)

    @override  # type: ignore[misc]  # final, but receipts must open and close every run
    def sync_all(self) -> None:
        is_first = not self.state.get("bookmarks")
        if refusal := self.run.memory.refusal(self.state.get("bookmarks", {})):
            raise shell.Refused(f"{refusal}; nothing was read")
        self.streams[ReceiptStream.name]._write_schema_message()
        self.run.remove_leftovers()
        try:
            super().sync_all()
        finally:
            self.run.close()
            self.run.progress.end()
        for line in summary_lines(self.run.receipts, self.run.progress.total, is_first=is_first):
            self.logger.info("%s", line)
        self._raise_failures()

    def _raise_failures(self) -> None:
        if failures := self.run.failures:
            more = f" (and {len(failures) - 1} more, above)" if failures[1:] else ""
            raise shell.FAILURES[self.run.exit_code](failures[0] + more)

    @override  # type: ignore[misc]  # final, but it selects, reads and prints what is off by default, too
    def run_sync_dry_run(self, dry_run_record_limit: int | None = 1, streams: Iterable[Stream] | None = None) -> bool:
        tried = [stream for stream in streams or self.streams.values() if stream.selected]
        done = super().run_sync_dry_run(dry_run_record_limit, tried)
        self._raise_failures()
        return done

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        if problem := state_error(state):
            raise shell.Refused(f"--state: {problem}; nothing was read")
        super().load_state(state)

    @classmethod
    @override
    def cb_config(cls, ctx: Any, param: Any, value: tuple[str, ...]) -> Any:
        with shell.config_files():
            return super().cb_config(ctx, param, value)

    @classmethod
    @override
    def cb_discover(cls, ctx: Any, param: Any, value: bool) -> None:
        if value:
            config = ctx.params["config"]
            with shell.refusing(ConfigValidationError):
                tap = cls(
                    config=config.config, parse_env_config=config.parse_env, validate_config=False, setup_mapper=False
                )
            tap.run_discovery()
            ctx.exit()

    @classmethod
    @override
    def cb_test(cls, ctx: Any, param: Any, value: str) -> None:
        with shell.refusing(ConfigValidationError):
            super().cb_test(ctx, param, value)

    @classmethod
    @override
    def invoke(cls, *, state: IO[str] | None = None, catalog: IO[str] | None = None, **options: Any) -> None:
        state, catalog = shell.json_object("--state", state), shell.json_object("--catalog", catalog)
        if catalog and (problem := catalog_error(catalog.getvalue())):
            raise shell.Refused(f"--catalog: {problem}; nothing was read")
        with shell.refusing(ConfigValidationError):
            super().invoke(state=state, catalog=catalog, **options)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop at once and write nothing more: a killed run must not look finished."""
        self.logger.error("stopped by signal %d; nothing more is written", signum)
        if "run" in self.__dict__:
            self.run.abandon_batches()
        shell.stop(signum)


def held_back(given: CatalogEntry, own: CatalogEntry) -> bool:
    """True if Meltano's `*.*` selected the columns of a stream that is off by default, but not the stream itself."""
    columns = [metadata for breadcrumb, metadata in given.metadata.items() if breadcrumb]
    off = own.metadata.root.selected_by_default is False and given.metadata.root.selected is False
    return off and any(metadata.selected for metadata in columns)
