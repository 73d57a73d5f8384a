"""Ids that stand in a file more than once: found before the first record is delivered.

A record that was delivered cannot be taken back, so the ids are read ahead, in one quick pass over
the beginnings of the lines. Only where an id may come again, the rows in question are read as well.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from ...source import SourceError
from .encoding import TextBlocks, UnreadableText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..._core.copies.records import Copies, Settled
    from ...receipts.distinct import Distinct, Hashes
    from .encoding import Readable
    from .records import RecordReader
    from .rows import Chunk, RowReader

__all__ = ["first_cells", "ids_of", "kept_places", "settle_copies"]

_FIRST = re.compile(rb"\n([^,]*)")
_BLANKS = [bytes([code]) for code in range(128) if chr(code).isspace() and code != ord("\n")]


def first_cells(stream: Readable, distinct: Distinct) -> Hashes:
    """Hashes of all ids that may stand more than once in the first column of a file.

    A line may be the continuation of a quoted cell, and an id is cut at its first comma: so some of these
    ids may be none, but no id that does come again is missing.
    """
    try:
        for block in TextBlocks(stream):
            distinct.add(_beginnings(block))
    except (SourceError, UnreadableText):
        pass  # whoever reads the rows comes to the same place, and says so there
    return distinct.repeated()


def _beginnings(block: bytes) -> Sequence[str | bytes]:
    """What stands before the first comma of each line, without quotes and without blanks at the ends."""
    if b'"' in block:
        block = block.replace(b'"', b"")
    lines = block.count(b"\n")
    cells: list[bytes] = _FIRST.findall(b"\n" + block)
    if len(cells) != lines + 1 or block.count(b"\r") not in {0, lines}:  # a line without a comma, or other line ends
        cells = [line.partition(b",")[0] for line in block.splitlines()]
    together = b"\n".join(cells)
    if together.isascii() and not any(blank in together for blank in _BLANKS):
        return cells
    return [cell.decode(errors="replace").strip() for cell in cells]


def ids_of(rows: RowReader, reader: RecordReader, distinct: Distinct) -> Hashes:
    """Ids that stand more than once, where they are not in the first column."""
    try:
        for chunk in rows.chunks():
            distinct.add(reader.values(chunk, "sourcedId"))
    except SourceError:
        pass  # whoever reads the rows comes to the same place, and says so there
    return distinct.repeated()


def settle_copies(rows: RowReader, reader: RecordReader, repeated: Hashes, copies: Copies) -> Settled:
    """Read the rows whose ids may stand more than once, and decide which of them count."""
    ignored: Counter[str] = Counter()
    try:
        for chunk in rows.chunks():
            ids = reader.values(chunk, "sourcedId")
            if wanted := [place for place, one in enumerate(ids) if one in repeated]:
                picked = chunk.pick(wanted)
                records = reader.read(picked, ignored)
                # Columns that are rows of another stream are no part of the record.
                moved = list(zip(*map(picked.texts, rows.header.moved.values()), strict=True)) or [()] * len(records)
                for record, number, beside in zip(records, picked.numbers, moved, strict=True):
                    copies.take(record, number, beside)
    except SourceError:
        pass  # as above
    copies.groups = {one: group for one, group in copies.groups.items() if group.rows > 1}
    return copies.settle()


def kept_places(chunk: Chunk, ids: Sequence[str], settled: Settled, tell: Callable[[int], None]) -> list[int]:
    """Places of the rows that are delivered; `tell` gets the number of each row that is left out in a conflict."""
    kept, places = settled.kept, []
    for place, (one, number) in enumerate(zip(ids, chunk.numbers, strict=True)):
        if kept.get(one, number) == number:
            places.append(place)
        elif kept[one] is None:
            tell(number)
    return places
