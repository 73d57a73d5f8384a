"""The tap in an Airbyte run: the same streams, with a status message at the end of each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from .._core.errors import HeldBack
from .._core.model import NO_SNAPSHOT
from .._core.shell import INCOMPLETE, stop
from ..singer.run import Run
from ..singer.streams import CollectionStream, ReceiptStream
from ..singer.tap import TapOneRoster
from . import messages
from .writer import AirbyteWriter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from types import FrameType

    from ..source import Records


class AirbyteRun(Run[AirbyteWriter]):
    """A run that reports each failure when it happens."""

    @override
    def fail(self, problem: str | Exception, stream: str | None = None) -> None:
        """Record a failure of the run, and report it."""
        super().fail(problem, stream)
        # A failure that only a person can fix is a config_error, so that Airbyte does not retry.
        kind = "system_error" if self._codes[-1] == INCOMPLETE else "config_error"
        self.writer.emit(messages.error(str(problem), kind, stream if stream in self.writer.streams else None))


class AirbyteTap(TapOneRoster):
    """The tap with Airbyte messages as its output."""

    message_writer_class = AirbyteWriter
    run_class = AirbyteRun

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop at once and log to standard error only: standard output may be in the middle of a line."""
        os.write(2, b"stopped by signal %d; nothing more is written\n" % signum)
        stop(signum)


class AirbyteCollection(CollectionStream):
    """A collection that reports its status at its end."""

    run: AirbyteRun
    _is_complete = False

    @override
    def start_attempt(self, version: int) -> None:
        super().start_attempt(version)
        if self.config["mode"] == "rest":  # in REST mode, a collection that changed during the read is read again
            self.run.writer.hold(self.name)

    @override
    def write_records(self, batch: Records, *, plain: bool) -> Sequence[bool] | None:
        self.run.writer.tick()
        return super().write_records(batch, plain=plain)

    @override
    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Generator[dict[str, Any], Any, Any]:
        failures = len(self.run.failures)
        yield from super()._sync_records(context, write_messages=write_messages)
        well = not self.run.stopped and len(self.run.failures) == failures
        family = cast("list[AirbyteCollection]", self._family)
        if well and (fault := self._overwriting_fault([stream.name for stream in family])):
            self.run.fail(fault, self.name)
            well = False
        for stream in family:
            stream._is_complete = well

    def _overwriting_fault(self, family: Sequence[str]) -> HeldBack | None:
        """Return an error if the destination would delete rows that the source may still hold."""
        if self.run.writer.overwritten.isdisjoint(family):
            return None
        found = [rule for tally, _ in self.run.receipts if tally.file.name in family for rule in tally.facts.deviations]
        if set(NO_SNAPSHOT).isdisjoint(found):
            return None
        return HeldBack(
            f"{self.name}: the service could not prove that nothing is missing, and the destination would delete what"
            " did not come: choose incremental in place of full refresh with overwrite"
        )

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        super().finalize_state_progress_markers(state)
        if self.selected:
            self.run.writer.settle(self.name, self.stream_state if self._is_complete else None)


class AirbyteReceipts(ReceiptStream):
    """The receipts: written if the catalog includes them; an incomplete receipt fails the run in any case."""

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
