"""Rows of one CSV file, in chunks of columns."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from typing_extensions import override

from ...source import SourceError
from .csv_blocks import CsvBlocks
from .encoding import BLOCK, UnreadableText
from .fast_split import split
from .header import Header, is_preamble, plain_names

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Sequence

    from ..._core.model import File
    from .encoding import Readable


class RawCells(Protocol):
    """The cells of some plain rows."""

    @property
    def columns(self) -> Sequence[Any]:
        """The cells by column, in the form of the splitter that made them."""

    @property
    def blanks(self) -> bool:
        """True if a cell may have blanks at its ends."""

    def texts(self, position: int) -> Sequence[str]:
        """Return the cells of one column as text."""

    def are_filled(self, position: int) -> bool:
        """True if no cell of one column is blank."""

    def may_hold(self, position: int, word: str) -> bool:
        """True if a cell of one column may contain a word of lower case, in any case."""

    def part(self, start: int, stop: int) -> RawCells:
        """Return the rows from `start` to `stop`."""


Split: TypeAlias = "Callable[[bytes, int], RawCells | None]"
"""Returns the cells of a block with that many columns; None if the block is not plain."""
_NULL = "NULL"
_NULL_BYTES = _NULL.encode()
_SEPARATOR_LINE = "line that names the separator"
_NO_ID = frozenset({"", _NULL})


class Chunk:
    """Rows that have the header's width and an id, as columns of text.

    `numbers` holds the position of each row in the file, from 1; it equals the line number unless a cell contains a
    line break. `may_hold_null` is True if a cell may be the text NULL.
    """

    may_hold_blanks = True
    """False if no cell has blanks at its ends."""

    def __init__(self, columns: Sequence[Sequence[str]], numbers: Sequence[int], *, may_hold_null: bool) -> None:
        self._columns = columns
        self.numbers = numbers
        self.may_hold_null = may_hold_null

    def __len__(self) -> int:
        return len(self.numbers)

    def texts(self, position: int) -> Sequence[str]:
        """Return the cells of one column."""
        return self._columns[position]

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield the cells of each row."""
        return zip(*map(self.texts, range(len(self._columns))), strict=True)

    def part(self, start: int, stop: int) -> Chunk:
        """Return the rows from `start` to `stop`."""
        columns = [cells[start:stop] for cells in self._columns]
        return Chunk(columns, self.numbers[start:stop], may_hold_null=self.may_hold_null)

    def pick(self, places: Sequence[int]) -> Chunk:
        """Return the rows at these positions."""
        columns = [[cells[place] for place in places] for cells in map(self.texts, range(len(self._columns)))]
        return Chunk(columns, [self.numbers[place] for place in places], may_hold_null=self.may_hold_null)


class PlainChunk(Chunk):
    """A chunk that was split without a parser; `raw` are its cells."""

    def __init__(self, raw: RawCells, numbers: Sequence[int], *, may_hold_null: bool) -> None:
        super().__init__(raw.columns, numbers, may_hold_null=may_hold_null)
        self.raw = raw
        self.may_hold_blanks = raw.blanks

    @override
    def texts(self, position: int) -> Sequence[str]:
        return self.raw.texts(position)

    @override
    def part(self, start: int, stop: int) -> Chunk:
        return PlainChunk(self.raw.part(start, stop), self.numbers[start:stop], may_hold_null=self.may_hold_null)


class RowReader:
    """Reads one CSV file: first `header`, then chunks.

    Rows with another width and rows without an id are left out: `reject` receives their number and the rule, and they
    are counted in `rejected` and in `deviations`. Rows that repeat the header are skipped and counted.
    """

    def __init__(
        self,
        file: File,
        stream: Readable,
        where: str,
        deviations: Counter[str],
        reject: Callable[[int, str], None] = lambda _number, _rule: None,
        *,
        block_size: int = BLOCK,
    ) -> None:
        self._file = file
        self._where = where
        self._deviations = deviations
        self._tell = reject
        self._blocks = CsvBlocks(stream, block_size)
        self._number = 0
        self.rows = 0
        self.rejected = 0
        self.header, names, self._first = self._read_header()
        self._id = self.header.columns["sourcedId"]
        self._names = plain_names(names)

    def _read_header(self) -> tuple[Header, list[str], bytes]:
        """Read the header; return it, its row, and the rest of the blocks read so far."""
        with self._reading():
            while block := self._blocks.more():
                for row, rest in self._blocks.first_rows(block):
                    self._number += 1
                    if not is_preamble(row):
                        return Header.match(self._file, row, self._where, self._deviations), row, rest
                    if any(plain_names(row)):
                        self._deviations[_SEPARATOR_LINE] += 1
        raise SourceError(f"{self._where}: empty, without even a header row")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn text that cannot be read into SourceError, with the number of the row after which it is."""
        try:
            yield
        except UnreadableText as error:
            raise SourceError(
                f"{self._where}, row {self._number + len(error.rows) + 1:,} or after it: {error};"
                " the file cannot be read on from here"
            ) from None

    def _more(self) -> bytes:
        """Return the next block; empty at the end of the file."""
        with self._reading():
            return self._blocks.more()

    def chunks(self, split: Split = split) -> Iterator[Chunk]:
        """Yield the rows that can be read, some hundreds or thousands at a time."""
        block = self._first or self._more()
        while block:
            chunk = self._plain(block, split) or self._parse(block)
            self.rows += len(chunk)
            if chunk:
                yield chunk
            block = self._more()
        self._deviations.update(self._blocks.deviations)

    def _plain(self, block: bytes, split: Split) -> Chunk | None:
        """Return the chunk of a plain block; None if the block needs the parser."""
        raw = split(block, self.header.width)
        if raw is None or not raw.are_filled(self._id):
            return None
        if raw.may_hold(self._id, self._names[self._id]):
            return None
        may_hold_null = _NULL_BYTES in block
        if may_hold_null and _NULL in map(str.strip, raw.texts(self._id)):
            return None
        rows = len(raw.columns[self._id])
        first = self._number + 1
        self._number += rows
        return PlainChunk(raw, range(first, first + rows), may_hold_null=may_hold_null)

    def _parse(self, block: bytes) -> Chunk:
        """Return the chunk of any block, read by the standard library's CSV parser."""
        with self._reading():
            rows, block = self._blocks.rows(block)
        first = self._number + 1
        self._number += len(rows)
        numbers: Sequence[int] = range(first, first + len(rows))
        odd = set(map(len, rows)) != {self.header.width} or b"\0" in block
        ids = [] if odd else [row[self._id] for row in rows]
        if odd or not _NO_ID.isdisjoint(map(str.strip, ids)) or self._may_repeat(ids):
            kept = [(number, row) for number, row in zip(numbers, rows, strict=True) if self._is_fit(number, row)]
            numbers, rows = [number for number, _ in kept], [row for _, row in kept]
        return Chunk(list(zip(*rows, strict=True)), numbers, may_hold_null=_NULL_BYTES in block)

    def _may_repeat(self, ids: Sequence[str]) -> bool:
        """True if a row with one of these ids may repeat the header."""
        return self._names[self._id] in "\n".join(ids).lower()

    def _is_fit(self, number: int, row: list[str]) -> bool:
        """True if a row can be read; count blank lines and reject rows of another width."""
        if not any(map(str.strip, row)):
            self._deviations["blank line"] += 1
            return False
        if len(row) <= 2 < self.header.width and is_preamble(row):
            self._deviations[_SEPARATOR_LINE] += 1
            return False
        names = plain_names(row) if len(row) == self.header.width and self._may_repeat([row[self._id]]) else []
        if names == self._names:
            self._deviations["header row repeated"] += 1
            return False
        if any("\0" in cell for cell in row):
            rule = "row with a NUL character"
        elif len(row) != self.header.width:
            rule = "row with more or fewer cells than the header"
        elif row[self._id].strip() in _NO_ID:
            rule = "sourcedId: blank"
        elif names and names[self._id] == self._names[self._id]:
            rule = "header row that differs from the first"
        else:
            return True
        self.rejected += 1
        self._deviations[rule] += 1
        self._tell(number, rule)
        return False
