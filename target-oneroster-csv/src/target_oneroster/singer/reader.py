"""Read Singer lines in blocks: runs of records of one stream go to their lane, other lines are processed one by one."""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any

import msgspec
from singer_sdk.singerlib.encoding import GenericSingerReader, SingerMessageType
from typing_extensions import override

from ..errors import TargetError

Lane = Callable[[bytes, int], bool]
"""Takes a number of record lines of its stream; returns False and takes none if it cannot process all."""

_BLOCK = 1 << 20
_LINE_LIMIT = 2 << 20
_RECORD = b'"record"'


class BlockReader(GenericSingerReader[bytes]):
    """Reads Singer messages as bytes, a megabyte at a time.

    `lanes` are the fast paths of the streams that have one; `tell` is told how many lines have come. `nothing_done` is
    the sentence in errors that describes the outcome of the run.
    """

    def __init__(
        self,
        lanes: Mapping[str, Lane] | None = None,
        nothing_done: str = "",
        tell: Callable[[int], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self._lanes: Mapping[str, Lane] = {} if lanes is None else lanes
        self._nothing_done = nothing_done
        self._tell = tell
        self._heads: dict[bytes, str] = {}
        self._line = 0
        self._callbacks: dict[str, Callable[[dict[str, Any]], None]] = {}
        self._counts: Counter[str] = Counter()

    @property
    @override
    def default_input(self) -> IO[bytes]:
        return sys.stdin.buffer

    @override
    def process_lines(
        self, file_input: IO[bytes] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        self._callbacks, self._counts = callbacks, Counter()
        gc.disable()  # records contain no cycles, and looking for them takes a tenth of the time
        source = file_input or self.default_input
        _widen(source)
        try:
            with private_files():
                for block in blocks(source):
                    self.take(block)
                    self._tell(self._line)
        finally:
            gc.enable()
        return self._counts

    def take(self, block: bytes) -> None:
        """Process whole lines, from the input or from batch files."""
        head = self._head(block)
        # The lane rejects a block that also contains other lines.
        if head and self._to_lane(head, block, block.count(b"\n" + head) + 1):
            return
        run: list[bytes] = []
        run_head = b""
        for line in block.split(b"\n")[:-1]:
            head = self._head(line)
            if run and head != run_head:
                self._take_run(run_head, run)
                run = []
            if head:
                run_head = head
                run.append(line)
            else:
                self._take_line(line)
        if run:
            self._take_run(run_head, run)

    def _head(self, text: bytes) -> bytes:
        """Return the text before the record in the first line, if its stream has a lane; otherwise empty."""
        end = text.find(_RECORD, 0, 400)
        head = text[:end] if end > 0 else b""
        return head if head in self._heads and self._heads[head] in self._lanes else b""

    def _to_lane(self, head: bytes, text: bytes, lines: int) -> bool:
        lane = self._lanes.get(self._heads[head])
        if lane is None or not lane(text, lines):
            return False
        self._counts[SingerMessageType.RECORD] += lines
        self._line += lines
        return True

    def _take_run(self, head: bytes, run: list[bytes]) -> None:
        if self._to_lane(head, b"\n".join((*run, b"")), len(run)):
            return
        for line in run:
            self._take_line(line)

    def _take_line(self, line: bytes) -> None:
        self._line += 1
        if not line.strip():
            return
        message = self.deserialize_json(line)
        kind = message.get("type")
        callback = self._callbacks.get(kind) if isinstance(kind, str) else None
        if callback is None:
            raise TargetError(f"Line {self._line} of the input is a message of a type that Singer does not know.")
        callback(message)
        self._counts[str(kind)] += 1
        if kind == SingerMessageType.RECORD:
            self._learn(line, message["stream"])

    def _learn(self, line: bytes, stream: str) -> None:
        """Remember how this tap begins its record lines, if type and stream come first."""
        head = line[: max(line.find(_RECORD), 0)]
        if not head or head in self._heads:
            return
        try:
            start = msgspec.json.decode(head + b'"record":null}')
        except msgspec.DecodeError:
            return
        if start == {"type": "RECORD", "stream": stream, "record": None}:
            self._heads[head] = stream

    @override
    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        """Parse one line; the error names its number, never its text."""
        try:
            message = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # the last: nested too deeply
            message = None
        if not isinstance(message, dict):
            raise TargetError(f"Line {self._line} of the input is not a JSON object. {self._nothing_done}")
        return message

    @override
    def assert_line_requires(  # type: ignore[override] # the SDK's is static, and called on the reader as well
        self, line_dict: dict[str, Any], requires: set[str]
    ) -> None:
        if missing := requires - set(line_dict):
            raise TargetError(f"A Singer message lacks {', '.join(sorted(missing))}. {self._nothing_done}")


@contextmanager
def private_files() -> Iterator[None]:
    """Make new files and folders accessible to their owner only, or less if the umask is stricter."""
    before = os.umask(0o077)
    os.umask(before | 0o077)
    try:
        yield
    finally:
        os.umask(before)


def _widen(source: Any) -> None:
    """Enlarge a pipe's buffer to the size of a read, so that the tap can continue meanwhile; Linux only."""
    with suppress(ImportError, AttributeError, OSError):  # not a pipe, or the limit for pipes is reached
        import fcntl

        fcntl.fcntl(source.fileno(), fcntl.F_SETPIPE_SZ, _BLOCK)


def blocks(source: Any) -> Iterator[bytes]:
    """Yield whole lines from bytes or text, about a megabyte at a time."""
    source = getattr(source, "buffer", source)
    rest: list[bytes] = []
    waiting = 0
    # read1 returns the available bytes, so the lines of a slow tap do not wait until a block is full.
    read = getattr(source, "read1", source.read)
    while piece := read(_BLOCK):
        data = piece.encode() if isinstance(piece, str) else piece
        end = data.rfind(b"\n") + 1
        if end:
            yield b"".join((*rest, data[:end]))
            rest, waiting = [], 0
        if end < len(data):
            rest.append(data[end:])
            waiting += len(data) - end
            if waiting > _LINE_LIMIT:
                raise TargetError(f"A line of the input is longer than {_LINE_LIMIT >> 20} MB.")
    if rest:
        yield b"".join(rest) + b"\n"
