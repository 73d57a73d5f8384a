"""The cells of plain CSV, as columns, without a CSV parser: three times as fast.

One split at the commas makes the cells of all rows. Where a row ends and the next begins there is
no comma, so these two cells come as one, a *seam*. All rows have the wanted width exactly if each
seam holds one line end and no other cell holds any. Whatever is not plain gets no answer: then a
real parser has to look.

Cells are *raw*: one character a byte of UTF-8, and marks for what a quoted cell may hold. What is
only passed on, as most cells are, need not become text and bytes again; `text` and `Cells`
know what raw cells mean.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CELL_LIMIT", "COMMA", "Cells", "is_plain", "split", "text"]

CELL_LIMIT = csv.field_size_limit()
"""Longest cell that the parser of the standard library takes."""
COMMA, _QUOTE = "\x1f", "\x1e"
"""Stand for a comma and for a quote in a quoted cell."""
_MARKS = COMMA.encode(), _QUOTE.encode()
_CONTROLS = [bytes([code]) for code in range(32) if code not in b"\n\r"]

_AFTER, _BEFORE = {b",", b"\n", b"\r", b""}, {b",", b"\n", b""}


class Cells(NamedTuple):
    """Raw cells of some rows, by column."""

    columns: Sequence[Sequence[str]]
    ascii: bool
    marked: bool
    """Whether marks stand in any."""
    blanks: bool = True
    """Whether any may have blanks at its ends."""

    def texts(self, position: int) -> Sequence[str]:
        """The cells of one column as text."""
        raw = self.columns[position]
        return raw if self.ascii and not self.marked else text("\n".join(raw)).split("\n")

    def are_filled(self, position: int) -> bool:
        """Whether no cell of one column is blank."""
        texts = self.texts(position)
        return all(texts) and not any(map(str.isspace, texts))

    def part(self, start: int, stop: int) -> Cells:
        """Some of the rows."""
        return self._replace(columns=[cells[start:stop] for cells in self.columns])

    def written(self, raw: str) -> bytes:
        """JSON with raw cells in its strings, as it leaves the tap."""
        json = raw.encode("latin-1")
        if b"\\" in json:
            json = json.replace(b"\\", b"\\\\")
        comma, quote = _MARKS
        return json.replace(comma, b",").replace(quote, b'\\"') if self.marked else json


def text(raw: str) -> str:
    """What raw cells mean."""
    return raw.replace(COMMA, ",").replace(_QUOTE, '"').encode("latin-1").decode()


def split(block: bytes, width: int) -> Cells | None:
    """The cells of a block of whole lines that all have `width` cells, as a CSV parser would read them.

    None where there is one column only, a row has another width, a cell holds a control character,
    a quote stands where none belongs, or a cell might be longer than the parser allows.
    """
    if width < 2 or len(block) > CELL_LIMIT or _holds_controls(block):
        return None
    if not block.endswith(b"\n"):
        block += b"\n"
    marked = False
    if b'"' in block:
        bare = _without_quotes(block)
        if bare is None:
            return None
        block, marked = bare
    stride, rows = width - 1, block.count(b"\n")
    cells = block.decode("latin-1").split(",")
    seams = cells[::stride]
    # As many seams as line ends, and one in each: so exactly one in each, and none elsewhere.
    if len(cells) != rows * stride + 1 or not all("\n" in seam for seam in seams[1:]):
        return None
    ends = ",".join(seams)
    if returns := block.count(b"\r"):
        if ends.count("\r\n") != returns:
            return None
        ends = ends.replace("\r\n", "\n")
    pairs = ends.replace("\n", ",").split(",")
    pairs.pop()
    columns = [pairs[::2], *(cells[position::stride] for position in range(1, stride)), pairs[1::2]]
    ascii_only = block.isascii()
    return Cells(columns, ascii_only, marked, blanks=not ascii_only or b" " in block)


def is_plain(block: bytes) -> bool:
    """Whether no cell holds a control character, as far as carriage returns are none, and quotes stand only where they belong."""
    return not _holds_controls(block) and (b'"' not in block or _without_quotes(block) is not None)


def _holds_controls(block: bytes) -> bool:
    return any(control in block for control in _CONTROLS)


def _without_quotes(block: bytes) -> tuple[bytes, bool] | None:
    """The block without its quotes, and whether marks now stand in it."""
    pieces = block.split(b'"')
    outside, inside = pieces[::2], pieces[1::2]
    # Every quote opens or closes a whole cell; a doubled one leaves an empty piece outside.
    if (
        len(outside) == len(inside)
        or not {piece[:1] for piece in outside[1:]} <= _AFTER
        or not {piece[-1:] for piece in outside[:-1]} <= _BEFORE
    ):
        return None
    within = b"".join(inside)
    if b"\n" in within or b"\r" in within:
        return None
    comma, quote = _MARKS
    marked = False
    if b"," in within:
        pieces[1::2] = [piece.replace(b",", comma) for piece in inside]
        marked = True
    if b"" in outside[1:-1]:
        pieces[2:-1:2] = [piece or quote for piece in outside[1:-1]]
        marked = True
    return b"".join(pieces), marked
