"""Airbyte output: records of the chosen streams, and the final status of each."""

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

_IN_MEMORY = 1 << 24
_PIECE = 1 << 20


class AirbyteWriter(BlockWriter):
    """Takes Singer messages and blocks of Singer lines, and writes the equivalent Airbyte messages.

    Airbyte has no versions, so records of a failed attempt cannot be withdrawn. If a collection may be read again, its
    records wait in a temporary file until an attempt succeeds.
    """

    def __init__(self) -> None:
        self.streams: frozenset[str] = frozenset()
        """Streams of the configured catalog; nothing is written for others."""
        self.overwritten: frozenset[str] = frozenset()
        """Streams whose tables the destination replaces by what arrives."""
        self._lock = RLock()  # threads that fetch pages also write to the log
        self._counts: Counter[str] = Counter()
        self._words: dict[str, str] = {}
        self._held: dict[str, SpooledTemporaryFile[bytes]] = {}
        self._moment = messages.now()

    def tick(self) -> None:
        """Advance `emitted_at`, so that the later of two copies of a record has the later timestamp."""
        self._moment = max(messages.now(), self._moment + 1)

    def emit(self, message: dict[str, Any]) -> None:
        """Write one message of the protocol at once."""
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
                """States are written by stream, in `settle`; Airbyte has no versions."""
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
        """Hold back the records of a stream from now on, and drop those that are already held back."""
        if stream in self.streams:
            self._drop(stream)
            self._held[stream] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed where the stream settles

    def settle(self, stream: str, bookmark: dict[str, Any] | None) -> None:
        """End a stream: complete with its bookmark, or incomplete if `bookmark` is None."""
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
        """End the run: streams that have not ended are incomplete."""
        for stream in sorted(self.streams):
            if self._words.get(stream) not in {"COMPLETE", "INCOMPLETE"}:
                self.settle(stream, None)

    def _drop(self, stream: str) -> None:
        self._counts[stream] = 0
        if held := self._held.pop(stream, None):
            held.close()

    def _say(self, stream: str, word: str) -> None:
        """Write the status of a stream if it has changed."""
        said = self._words.get(stream)
        if stream not in self.streams or said == word or (word == "STARTED" and said):
            return
        self._words[stream] = word
        self.emit(messages.status(stream, word))
