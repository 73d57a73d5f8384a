"""The tap in an Airbyte run: the same streams, and how each of them ended."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from .._core.shell import INCOMPLETE, stop
from ..singer.run import Run
from ..singer.streams import CollectionStream, ReceiptStream
from ..singer.tap import TapOneRoster
from . import messages
from .writer import AirbyteWriter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import FrameType

    from ..source import Records

__all__ = ["AirbyteTap"]


class AirbyteRun(Run[AirbyteWriter]):
    """A run that says what fails when it fails."""

    @override
    def fail(self, problem: str | Exception, stream: str | None = None) -> None:
        """Note that the run cannot end well, and say so."""
        super().fail(problem, stream)
        # What only a person can change is not worth another try.
        kind = "system_error" if self._codes[-1] == INCOMPLETE else "config_error"
        self.writer.emit(messages.error(str(problem), kind, stream if stream in self.writer.streams else None))


class AirbyteTap(TapOneRoster):
    """The tap, writing Airbyte messages."""

    message_writer_class = AirbyteWriter
    run_class = AirbyteRun

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop at once; standard output, where the log goes too, may be in the middle of a line."""
        os.write(2, b"stopped by signal %d; nothing more is written\n" % signum)
        stop(signum)


class AirbyteCollection(CollectionStream):
    """A collection that says how it ended."""

    run: AirbyteRun
    _is_complete = False

    @override
    def start_attempt(self, version: int) -> None:
        super().start_attempt(version)
        if self.config["mode"] == "rest":  # where a collection that moved is read again
            self.run.writer.hold(self.name)

    @override
    def write_records(self, batch: Records, *, plain: bool) -> None:
        self.run.writer.tick()
        super().write_records(batch, plain=plain)

    @override
    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Generator[dict[str, Any], Any, Any]:
        failures = len(self.run.failures)
        yield from super()._sync_records(context, write_messages=write_messages)
        well = not self.run.stopped and len(self.run.failures) == failures
        for stream in cast("list[AirbyteCollection]", self._family):
            stream._is_complete = well

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        super().finalize_state_progress_markers(state)
        if self.selected:
            self.run.writer.settle(self.name, self.stream_state if self._is_complete else None)


class AirbyteReceipts(ReceiptStream):
    """The receipts, which go out where they are in the catalog; what they say makes the run fail in any case."""

    run: AirbyteRun

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        self.run.writer.tick()
        yield from super().get_records(context)

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        super().finalize_state_progress_markers(state)
        self.run.writer.settle(self.name, self.stream_state)


AirbyteTap.collection_class = AirbyteCollection
AirbyteTap.receipt_class = AirbyteReceipts
