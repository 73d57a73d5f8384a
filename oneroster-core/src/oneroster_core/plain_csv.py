"""Prove the form of CSV text without parsing it: the width of its rows, and quotation marks only where CSV allows them.

Without its cells, a block of rows of one width is the same text in each row: commas and a line end. This text is the
*frame* of the block.
"""

from __future__ import annotations

import csv

CELL_LIMIT = csv.field_size_limit()
"""Longest cell that the standard library's parser accepts."""
_AFTER, _BEFORE = {b",", b"\n", b"\r", b""}, {b",", b"\n", b""}
"""What may follow the end of a quoted cell, and precede its beginning; nothing, between two halves of a doubled quote."""


def rows_of_width(frame: bytes, width: int) -> int | None:
    """Return the number of rows of a frame; None if a row has not `width` cells, or if the frame holds anything else."""
    rows, rest = divmod(len(frame), width)
    return rows if not rest and frame == (b"," * (width - 1) + b"\n") * rows else None


def split_at_quotes(block: bytes) -> tuple[list[bytes], list[bytes]] | None:
    """Return the pieces of a block outside of quoted cells and those inside, in turn; a doubled quote is an empty piece outside.

    Return None if a quotation mark does not open or close a whole cell, or if a quoted cell holds a line end.
    """
    pieces = block.split(b'"')
    outside, inside = pieces[::2], pieces[1::2]
    if (
        len(outside) == len(inside)
        or not {piece[:1] for piece in outside[1:]} <= _AFTER
        or not {piece[-1:] for piece in outside[:-1]} <= _BEFORE
    ):
        return None
    within = b"".join(inside)
    return None if b"\n" in within or b"\r" in within else (outside, inside)
