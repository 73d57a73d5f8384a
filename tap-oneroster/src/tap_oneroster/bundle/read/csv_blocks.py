"""Blocks of a CSV file, and their rows, read by the standard library's parser."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from .encoding import BLOCK, TextBlocks, UnreadableText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .encoding import Readable

_LONGEST_ROW = 32 * 2**20
_GOES_ON = "unexpected end of data"


class CsvBlocks:
    """Reads a file in blocks; all code that reads files of a bundle uses it."""

    def __init__(self, stream: Readable, size: int = BLOCK) -> None:
        self._text = TextBlocks(stream, size)
        self._blocks = iter(self._text)

    @property
    def deviations(self) -> list[str]:
        """Deviations in the encoding of the part that was read so far."""
        return self._text.deviations

    def more(self) -> bytes:
        """Return the next block of whole lines, empty at the end of the file; may raise UnreadableText."""
        return next(self._blocks, b"")

    def rows(self, block: bytes) -> tuple[list[list[str]], bytes]:
        """Return the rows of a block, and the block, extended if a quoted cell continues; may raise UnreadableText."""
        while True:
            rows: list[list[str]] = []
            try:
                # If a row cannot be read, the list holds the rows before it.
                rows.extend(csv.reader(io.StringIO(block.decode(), newline=""), strict=True))
            except csv.Error as error:
                block = self._grown(block, error, rows)
            else:
                return rows, block

    def first_rows(self, block: bytes) -> Iterator[tuple[list[str], bytes]]:
        """Yield each row of a block with the text after it; may raise UnreadableText."""
        done = 0
        while True:
            text = block.decode()
            lines = io.StringIO(text, newline="")
            rows: list[list[str]] = []
            try:
                for row in csv.reader(lines, strict=True):
                    rows.append(row)
                    if len(rows) > done:
                        done += 1
                        yield row, block[len(text[: lines.tell()].encode()) :]
            except csv.Error as error:
                block = self._grown(block, error, [])
            else:
                return

    def _grown(self, block: bytes, error: csv.Error, rows: list[list[str]]) -> bytes:
        """Double the block, so that each byte of a long row is parsed only a few times."""
        if str(error) != _GOES_ON:
            raise UnreadableText(str(error), rows) from None  # the parser's message quotes nothing from the file
        if len(block) > _LONGEST_ROW:
            raise UnreadableText(f"a row longer than {_LONGEST_ROW:,} bytes", rows) from None
        parts, size = [block], 0
        while size < len(block) and (more := self.more()):
            parts.append(more)
            size += len(more)
        if not size:
            raise UnreadableText(str(error), rows) from None
        return b"".join(parts)
