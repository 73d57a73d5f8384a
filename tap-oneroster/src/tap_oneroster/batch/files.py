"""The files of one stream in one attempt to read it, written in a thread beside the reading."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from click import ClickException

from ..dates import to_utc_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

    from .layout import Sink

__all__ = ["StreamFiles"]

_BLOCK = 8 << 20
"""So many bytes of lines are handed to the thread at a time; in Parquet they are a row group."""


class StreamFiles:
    """Cuts lines into files of at most `size` records, which `new` names and `open_` opens.

    No more than one block waits for the thread, so memory stays flat.
    """

    def __init__(
        self,
        stream: str,
        version: int,
        size: int,
        *,
        new: Callable[[], str],
        open_: Callable[[str], Sink],
        thread: Executor,
    ) -> None:
        self.version = version
        self.names: list[str] = []
        self._stream = stream
        self._size = size
        self._new = new
        self._open = open_
        self._thread = thread
        self._records = size  # of the last file; a full one, so that the first record begins one
        self._block: list[bytes] = []
        self._bytes = 0
        self._sink: Sink | None = None  # the thread's alone
        self._busy: Future[None] | None = None

    def write(self, lines: bytes, records: int) -> None:
        """Add so many records, given as lines of JSON."""
        while records:
            if self._records == self._size:
                self._next_file()
            taken = min(records, self._size - self._records)
            piece, rest = (lines, b"") if taken == records else _cut(lines, taken)
            self._block.append(piece)
            self._bytes += len(piece)
            self._records += taken
            lines, records = rest, records - taken
            if self._bytes >= _BLOCK:
                self._hand_over()

    def end(self) -> None:
        """Return once all files are whole; ClickException where one could not be written."""
        self._hand_over()
        self._do(self._close)
        self._wait()

    def give_up(self) -> None:
        """As `end`, for files that nobody will read."""
        self._block = []
        with suppress(ClickException):
            self.end()

    def _next_file(self) -> None:
        self._hand_over()
        name = self._new()
        self.names.append(name)
        self._records = 0

        def work() -> None:
            self._close()
            self._sink = self._open(name)

        self._do(work)

    def _hand_over(self) -> None:
        block, self._block, self._bytes = self._block, [], 0
        if not block:
            return
        stamps = {"_sdc_extracted_at": to_utc_text(datetime.now(UTC)), "_sdc_table_version": self.version}

        def work() -> None:
            if self._sink:
                self._sink.write(b"".join(block), stamps)

        self._do(work)

    def _close(self) -> None:
        sink, self._sink = self._sink, None
        if sink:
            sink.close()

    def _do(self, work: Callable[[], None]) -> None:
        self._wait()
        self._busy = self._thread.submit(work)

    def _wait(self) -> None:
        busy, self._busy = self._busy, None
        try:
            if busy:
                busy.result()
        except ValueError as error:  # pyarrow's; its words hold values
            raise ClickException(
                f"{self._stream}: rows do not fit into the format of batch_config ({type(error).__name__});"
                " take jsonl, and report it"
            ) from None
        except Exception as error:  # whatever the store calls it
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            raise ClickException(
                f"{self._stream}: a file of the batch cannot be written ({reason}); check batch_config.storage"
            ) from None


def _cut(lines: bytes, count: int) -> tuple[bytes, bytes]:
    """The first so many lines, and the others."""
    *first, rest = lines.split(b"\n", count)
    return b"\n".join([*first, b""]), rest
