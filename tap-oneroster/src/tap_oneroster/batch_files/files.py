"""The files of one stream in one attempt, written in a thread while the stream is read."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from click import ClickException

from .._core.coerce.dates import to_utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor, Future

    from ..source import Records
    from .lines import JsonLines
    from .parquet import ParquetFormat

_BLOCK = 4 << 20
"""Approximate number of bytes passed to the thread at once; in Parquet, one row group."""


@dataclass(eq=False, repr=False)
class StreamFiles:
    """Cuts records into files of at most `size`, which `new` names and `open` opens.

    At most one block waits for the thread, so memory stays constant.
    """

    stream: str
    version: int
    size: int
    format: JsonLines | ParquetFormat
    new: Callable[[], str]
    open: Callable[[str], IO[bytes]]
    thread: Executor
    names: list[str] = field(default_factory=list)
    """Files that were begun but not taken."""
    in_hand: str | None = None
    """File that is being announced: if the run stops now, it is unknown whether it was."""
    _block: list[Any] = field(default_factory=list)
    _bytes: int = 0
    _begin: str | None = None
    """File that begins with the current block."""
    _sink: Any = None  # used by the thread only
    _whole: int = 0
    _taken: int = 0
    _busy: Future[None] | None = None

    def __post_init__(self) -> None:
        self._records = self.size  # records of the last file; full at first, so the first record begins a file

    def write(self, batch: Records) -> None:
        """Add records; they are split only if a file cannot hold all of them."""
        for start in range(0, len(batch), self.size):
            piece = batch.part(start, start + self.size) if len(batch) > self.size else batch
            if self._records + len(piece) > self.size:
                self._next_file()
            portion, size = self.format.portion(piece)
            self._block.append(portion)
            self._bytes += size
            self._records += len(piece)
            if self._bytes >= _BLOCK:
                self._hand_over()

    def take(self) -> Iterator[str]:
        """Yield the name of each complete file once. Files that were not taken here still have to be removed."""
        while self._taken < self._whole:
            # Recorded before the name is given to anyone: a file that may have been announced is never removed.
            self._taken += 1
            self.in_hand = self.names.pop(0)
            yield self.in_hand
            self.in_hand = None

    def end(self) -> None:
        """Complete all files; raise ClickException if one cannot be written."""
        self._hand_over()
        self._do(self._close)
        self._wait()

    def give_up(self) -> None:
        """Like `end`, for files that will not be used."""
        self._block = []
        with suppress(ClickException):
            self.end()

    def _next_file(self) -> None:
        self._hand_over()
        self._begin = self.new()
        self.names.append(self._begin)
        self._records = 0

    def _hand_over(self) -> None:
        block, self._block, self._bytes = self._block, [], 0
        begin, self._begin = self._begin, None
        if not block:
            return
        stamps = {"_sdc_extracted_at": to_utc_text(datetime.now(UTC)), "_sdc_table_version": self.version}

        def work() -> None:
            if begin:
                self._close()
                self._sink = self.format.open(self.open(begin))
            if self._sink:
                self._sink.write(block, stamps)

        self._do(work)

    def _close(self) -> None:
        sink, self._sink = self._sink, None
        if sink:
            sink.close()
            self._whole += 1

    def _do(self, work: Callable[[], None]) -> None:
        self._wait()
        self._busy = self.thread.submit(work)

    def _wait(self) -> None:
        busy, self._busy = self._busy, None
        try:
            if busy:
                busy.result()
        except (ValueError, OverflowError) as error:  # raised by pyarrow, whose messages contain values
            raise ClickException(
                f"{self.stream}: rows do not fit into the format of batch_config ({type(error).__name__});"
                " take jsonl, and report it"
            ) from None
        except Exception as error:  # the exception types depend on the store
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            raise ClickException(
                f"{self.stream}: a file of the batch cannot be written ({reason}); check batch_config.storage"
            ) from None
