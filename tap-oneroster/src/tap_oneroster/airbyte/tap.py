"""The tap in an Airbyte run: the same streams, and how each of them ended."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from ..singer.streams import CollectionStream, ReceiptStream
from ..singer.tap import TapOneRoster
from ..source import MissingCollection
from . import messages
from .writer import AirbyteWriter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import FrameType

    from ..source import Records

__all__ = ["AirbyteTap"]


class AirbyteTap(TapOneRoster):
    """The tap, writing Airbyte messages."""

    message_writer_class = AirbyteWriter

    @property
    @override
    def writer(self) -> AirbyteWriter:
        return cast("AirbyteWriter", self.message_writer)

    @override
    def fail(self, problem: str | Exception, stream: str | None = None) -> None:
        """Note that the run cannot end well, and say so."""
        from .._core.http.auth import NoToken

        super().fail(problem, stream)
        # What only the settings or the vendor can change is not worth another try.
        kind = "config_error" if isinstance(problem, str | NoToken | MissingCollection) else "system_error"
        self.writer.emit(messages.error(str(problem), kind, stream if stream in self.writer.streams else None))

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop at once; standard output, where the log goes too, may be in the middle of a line."""
        os.write(2, b"stopped by signal %d; nothing more is written\n" % signum)
        os._exit(128 + signum)


class AirbyteCollection(CollectionStream):
    """A collection that says how it ended."""

    _tap: AirbyteTap
    _is_complete = False

    @override
    def set_version(self, version: int) -> None:
        super().set_version(version)
        if self.config["mode"] == "rest":  # where a collection that moved is read again
            self._tap.writer.hold(self.name)

    @override
    def write_records(self, batch: Records, *, plain: bool) -> None:
        self._tap.writer.tick()
        super().write_records(batch, plain=plain)

    @override
    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Generator[dict[str, Any], Any, Any]:
        failures = len(self._tap.failures)
        yield from super()._sync_records(context, write_messages=write_messages)
        well = not self._tap.stopped and len(self._tap.failures) == failures
        for stream in cast("list[AirbyteCollection]", self._family):
            stream._is_complete = well

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        super().finalize_state_progress_markers(state)
        if self.selected:
            self._tap.writer.settle(self.name, self.stream_state if self._is_complete else None)


class AirbyteReceipts(ReceiptStream):
    """The receipts, which go out where they are in the catalog; what they say makes the run fail in any case."""

    _tap: AirbyteTap

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        self._tap.writer.tick()
        yield from super().get_records(context)

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        super().finalize_state_progress_markers(state)
        self._tap.writer.settle(self.name, self.stream_state)


AirbyteTap.collection_class = AirbyteCollection
AirbyteTap.receipt_class = AirbyteReceipts
