"""Blocks of a CSV file, and the rows in them as the parser of the standard library reads them."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from .encoding import BLOCK, TextBlocks, UnreadableText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .encoding import Readable

__all__ = ["BrokenRows", "CsvBlocks"]

_LONGEST_ROW = 32 * 2**20
_GOES_ON = "unexpected end of data"


class BrokenRows(UnreadableText):
    """Rows that are no CSV. `rows` are those before."""

    def __init__(self, problem: str, rows: list[list[str]]) -> None:
        super().__init__(problem)
        self.rows = rows


class CsvBlocks:
    """Reads a file block by block; whatever looks into a file reads it through this."""

    def __init__(self, stream: Readable, size: int = BLOCK) -> None:
        self._text = TextBlocks(stream, size)
        self._blocks = iter(self._text)

    @property
    def deviations(self) -> list[str]:
        """What is odd about the encoding, as far as the file was read."""
        return self._text.deviations

    def more(self) -> bytes:
        """Return the next block of whole lines, empty at the end of the file; raise UnreadableText."""
        return next(self._blocks, b"")

    def rows(self, block: bytes) -> tuple[list[list[str]], bytes]:
        """Return the rows of a block, and the block, which grows where a quoted cell goes on in the next; raise BrokenRows."""
        while True:
            rows: list[list[str]] = []
            try:
                # Where a row cannot be read, those before it are in the list.
                rows.extend(csv.reader(io.StringIO(block.decode(), newline=""), strict=True))
            except csv.Error as error:
                block = self._grown(block, error, rows)
            else:
                return rows, block

    def first_rows(self, block: bytes) -> Iterator[tuple[list[str], bytes]]:
        """Yield the rows of a block one by one, each with what follows it; raise BrokenRows."""
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
                block = self._grown(block, error, rows)
            else:
                return

    def _grown(self, block: bytes, error: csv.Error, rows: list[list[str]]) -> bytes:
        """The block and as much again, so that however long a row is, each byte of it is parsed a few times only."""
        if str(error) != _GOES_ON:
            raise BrokenRows(str(error), rows) from None  # its text quotes nothing from the file
        if len(block) > _LONGEST_ROW:
            raise BrokenRows(f"a row longer than {_LONGEST_ROW:,} bytes", rows) from None
        parts, size = [block], 0
        while size < len(block) and (more := self.more()):
            parts.append(more)
            size += len(more)
        if not size:
            raise BrokenRows(str(error), rows) from None
        return b"".join(parts)
