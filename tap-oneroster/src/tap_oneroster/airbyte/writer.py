"""What the tap writes, as Airbyte messages: only streams that were asked for, and how each of them ended."""

from __future__ import annotations

from collections import Counter
from tempfile import SpooledTemporaryFile
from threading import RLock
from typing import Any

from singer_sdk.contrib.msgspec import encoder
from singer_sdk.singerlib import ActivateVersionMessage, Message, RecordMessage, SchemaMessage, StateMessage
from typing_extensions import override

from ..singer.writer import BlockWriter
from . import messages

__all__ = ["AirbyteWriter"]

_IN_MEMORY = 1 << 24
_PIECE = 1 << 20


class AirbyteWriter(BlockWriter):
    """Takes Singer messages and blocks of Singer lines, and writes the Airbyte messages that say the same.

    Airbyte knows no versions: what an attempt wrote cannot be taken back. So where a collection may
    be read again, its records wait, in a nameless file, until the attempt that counts is through.
    """

    def __init__(self) -> None:
        self.streams: frozenset[str] = frozenset()
        """Streams of the configured catalog; nothing is written of others."""
        self._lock = RLock()  # threads that fetch pages write to the log
        self._counts: Counter[str] = Counter()
        self._words: dict[str, str] = {}
        self._held: dict[str, SpooledTemporaryFile[bytes]] = {}
        self._moment = messages.now()

    def tick(self) -> None:
        """Let the records from here on be younger than those before, for what comes twice is told apart by that."""
        self._moment = max(messages.now(), self._moment + 1)

    def emit(self, message: dict[str, Any]) -> None:
        """Write one message of the protocol, at once."""
        with self._lock:
            super().write_lines(encoder.encode(message) + b"\n")
            self.flush()

    @override
    def write_message(self, message: Message) -> None:
        match message:
            case RecordMessage():
                if message.stream in self.streams:
                    line = encoder.encode(messages.record(message.stream, message.record, self._moment))
                    self._write(messages.Block(message.stream, 1, line + b"\n"))
            case SchemaMessage():
                self._say(message.stream, "STARTED")
            case StateMessage() | ActivateVersionMessage():
                """States go out a stream at a time, when it has settled; of versions Airbyte knows nothing."""
            case _:
                raise TypeError(f"{message.type} has no counterpart in the Airbyte protocol")

    @override
    def write_lines(self, lines: bytes | bytearray) -> None:
        """Write a block of Singer RECORD lines of one stream."""
        block = messages.translate(lines, self._moment)
        if block.stream in self.streams:
            self._write(block)

    def _write(self, block: messages.Block) -> None:
        self._say(block.stream, "RUNNING")
        self._counts[block.stream] += block.records
        if held := self._held.get(block.stream):
            held.write(block.lines)
            return
        with self._lock:
            super().write_lines(block.lines)

    def hold(self, stream: str) -> None:
        """Keep the records of a stream back from here on, and forget those that are kept already."""
        if stream in self.streams:
            self._drop(stream)
            self._held[stream] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed where the stream settles

    def settle(self, stream: str, bookmark: dict[str, Any] | None) -> None:
        """A stream is at its end: complete, with what to remember of it, or incomplete (None)."""
        if stream not in self.streams:
            return
        self._say(stream, "STARTED")
        if bookmark is None:
            self._drop(stream)
            self._say(stream, "INCOMPLETE")
            return
        if held := self._held.get(stream):
            held.seek(0)
            with self._lock:
                while piece := held.read(_PIECE):
                    super().write_lines(piece)
        self.emit(messages.state(stream, bookmark, self._counts[stream]))
        self._drop(stream)
        self._say(stream, "COMPLETE")

    def close(self) -> None:
        """End of the run: what has not settled is incomplete."""
        for stream in sorted(self.streams):
            if self._words.get(stream) not in {"COMPLETE", "INCOMPLETE"}:
                self.settle(stream, None)

    def _drop(self, stream: str) -> None:
        self._counts[stream] = 0
        if held := self._held.pop(stream, None):
            held.close()

    def _say(self, stream: str, word: str) -> None:
        """Say how far a stream is, each word once."""
        said = self._words.get(stream)
        if stream not in self.streams or said == word or (word == "STARTED" and said):
            return
        self._words[stream] = word
        self.emit(messages.status(stream, word))
