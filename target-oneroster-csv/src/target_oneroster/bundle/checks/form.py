"""The form of one CSV file: encoding, header, width of rows.

It is fast, because the rows of a block are neither split nor parsed if the block without its cells is what it must be: so
many commas and a line end, as often as there are rows.
"""

from __future__ import annotations

import csv
from enum import StrEnum
from typing import IO, TYPE_CHECKING

from ..._core.plain_csv import CELL_LIMIT, rows_of_width, split_at_quotes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Form(StrEnum):
    """Rules for the form of every CSV file of a bundle."""

    UTF_8 = "is not UTF-8"
    HEADER = "header is not that of the standard"
    OTHER_COLUMNS = "header has columns other than metadata.* after those of the standard"
    REPEATED_COLUMN = "header has a column more than once"
    WIDTH = "rows with more or fewer cells than the header"
    NO_ROWS = "has no rows"
    LINE_BREAK = "line break in a cell"
    LINE_ENDS = "lines end in different ways"
    QUOTES = "quotes are not as RFC 4180 has them"
    OPEN_QUOTE = "a quoted cell does not end"
    LONG_LINE = "a line is longer than 2 MB"


_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 20
_RECORD_LIMIT = 2_900_000
"""Longest record in bytes; with one more block it is the engine's limit for a line."""
_EXAMPLES = 3
_IN_CELLS = bytes(code for code in range(256) if code not in b",\n")


class ScannedRows:
    """The number of rows of a file, and the broken rules with their counts and lines."""

    def __init__(self) -> None:
        self.count = 0
        self.faults: dict[str, tuple[int, list[int]]] = {}

    def fault(self, rule: str, line: int) -> None:
        """Record that a line breaks a rule."""
        count, lines = self.faults.get(rule, (0, []))
        self.faults[rule] = (count + 1, [*lines, line] if len(lines) < _EXAMPLES else lines)


def scan(source: IO[bytes], columns: Sequence[str]) -> ScannedRows:
    """Read a file to its end, or until it cannot be read further."""
    rows = ScannedRows()
    records = _Records(rows)
    width = 0
    for first, text in _blocks(source, rows):
        if width and not records.open and (even := _even_rows(text, width)):
            rows.count += even
            continue
        for line, record in records.of(first, text.removesuffix(b"\n").split(b"\n")):
            cells = _cells(record, line, rows) if b'"' in record else record.count(b",") + 1
            if not width:
                width = _header(record, columns, rows)
            elif cells:
                rows.count += 1
                if cells != width:
                    rows.fault(Form.WIDTH, line)
        if records.size > _RECORD_LIMIT:
            break
    if records.open:
        rows.fault(Form.OPEN_QUOTE, records.first)
    if not rows.count and not rows.faults:
        rows.fault(Form.NO_ROWS, 1)
    return rows


def _even_rows(text: bytes, width: int) -> int:
    """Return the number of rows if each of them is one line of `width` cells, which a parser need not confirm; else 0."""
    if b"\r" in text or b"\0" in text:
        return 0
    if b'"' in text:
        pieces = split_at_quotes(text)
        if pieces is None or _may_be_long(*pieces):
            return 0
        text = b"".join(pieces[0])
    frame = text.translate(None, _IN_CELLS)
    if not text.endswith(b"\n"):
        frame += b"\n"
    return rows_of_width(frame, width) or 0


def _may_be_long(outside: list[bytes], inside: list[bytes]) -> bool:
    """True if a cell may be longer than the parser accepts; a cell has one piece, and one more for each doubled quote."""
    doubled = b"".join([b"," if piece else b"." for piece in outside[1:-1]])
    pieces = max(map(len, doubled.split(b","))) + 1
    if pieces * (max(map(len, inside)) + 1) > CELL_LIMIT:
        return True
    half = max(CELL_LIMIT // 2, 1)  # a longer cell would fill one of these parts
    return any(
        b"," not in part and b"\n" not in part
        for piece in outside
        if len(piece) > CELL_LIMIT
        for part in (piece[start : start + half] for start in range(0, len(piece) - half, half))
    )


def _header(record: bytes, columns: Sequence[str], rows: ScannedRows) -> int:
    """Check the header; return its width."""
    try:
        names = next(csv.reader([record.decode("utf-8", "replace")]), [])
    except csv.Error:
        names = []
    standard, more = names[: len(columns)], names[len(columns) :]
    if standard != list(columns):
        rows.fault(Form.HEADER, 1)
    elif not all(name.startswith("metadata.") for name in more):
        rows.fault(Form.OTHER_COLUMNS, 1)
    if len(set(names)) < len(names):
        rows.fault(Form.REPEATED_COLUMN, 1)
    return max(len(names), 1)


def _cells(record: bytes, line: int, rows: ScannedRows) -> int:
    """Return the number of cells of a record with quotes; 0 if it cannot be parsed."""
    try:
        return len(next(csv.reader([record.decode("utf-8", "replace")], strict=True)))
    except csv.Error:
        rows.fault(Form.QUOTES, line)
        return 0


class _Records:
    """Joins lines to records; a record of several lines is a fault, and counts as one record."""

    def __init__(self, rows: ScannedRows) -> None:
        self.open = False
        """True if a quoted cell has begun and not ended."""
        self.first = 0
        self.size = 0
        self._rows = rows
        self._pieces: list[bytes] = []

    def of(self, number: int, lines: list[bytes]) -> Iterator[tuple[int, bytes]]:
        """Yield the records that end in these lines, with the numbers of their first lines."""
        for line, text in enumerate(lines, number):
            odd = text.count(b'"') & 1
            if not self.open and not odd:
                if b"\r" in text:
                    self._rows.fault(Form.LINE_BREAK, line)
                yield line, text
                continue
            self.first = self.first if self.open else line
            self._pieces.append(text)
            self.size += len(text)
            self.open ^= bool(odd)
            if not self.open:
                self._rows.fault(Form.LINE_BREAK, self.first)
                yield self.first, b" ".join(self._pieces)
                self._pieces, self.size = [], 0


def _blocks(source: IO[bytes], rows: ScannedRows) -> Iterator[tuple[int, bytes]]:
    """Yield blocks of valid UTF-8: the number of the first line, and lines that end in LF; the first line on its own.

    Reading stops at a block that is not UTF-8.
    """
    rest, begun, number = b"", False, 1
    mixed, ends = False, set[bytes]()
    while True:
        data = source.read(_BLOCK)
        if not begun:
            data, begun = data.removeprefix(_BOM), True
        block = rest + data
        end = block.rfind(b"\n") + 1 if data else len(block)
        whole, rest = block[:end], block[end:]
        try:
            whole.decode()
        except UnicodeDecodeError as error:
            rows.fault(Form.UTF_8, number + whole[: error.start].count(b"\n"))
            return
        breaks, returns = whole.count(b"\n"), whole.count(b"\r\n") if b"\r" in whole else 0
        ends |= {kind for kind, count in ((b"\r\n", returns), (b"\n", breaks - returns)) if count}
        if len(ends) > 1 and not mixed:  # the engine may not be able to read mixed line ends
            mixed = True
            rows.fault(Form.LINE_ENDS, number)
        if returns:  # one byte is found faster than two
            whole = whole.replace(*((b"\r", b"") if returns == whole.count(b"\r") else (b"\r\n", b"\n")))
        first = whole.find(b"\n") + 1 if number == 1 else 0
        for part in filter(None, (whole[:first], whole[first:])):
            yield number, part
            number += part.count(b"\n") + (not part.endswith(b"\n"))
        if len(rest) > _RECORD_LIMIT:
            rows.fault(Form.LONG_LINE, number)
            return
        if not data:
            return
