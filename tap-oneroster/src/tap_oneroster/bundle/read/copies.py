"""Find ids that occur more than once in a file, before the first record is delivered.

A delivered record cannot be withdrawn, so a fast first pass reads the ids from the beginnings of the lines. Only if an
id may be repeated, its rows are read completely.
"""

from __future__ import annotations

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

_BLANKS = [bytes([code]) for code in range(128) if chr(code).isspace() and code != ord("\n")]


def first_cells(stream: Readable, distinct: Distinct) -> Hashes:
    """Return hashes of all ids that may occur more than once in the first column of a file.

    A line may continue a quoted cell, and an id ends at its first comma here: so some of these ids may be false, but no
    repeated id is missing.
    """
    try:
        for block in TextBlocks(stream):
            distinct.add(_beginnings(block))
    except (SourceError, UnreadableText):
        pass  # the reader of the rows fails at the same place and reports it
    return distinct.repeated()


def _beginnings(block: bytes) -> Sequence[str | bytes]:
    """Return the text before the first comma of each line, without quotes and without blanks at the ends."""
    if b'"' in block:
        block = block.replace(b'"', b"")
    lines = block.splitlines() if b"\r" in block else block.split(b"\n")
    cells = [line.partition(b",")[0] for line in lines]
    together = b"\n".join(cells)
    if together.isascii() and not any(blank in together for blank in _BLANKS):
        return cells
    return [cell.decode(errors="replace").strip() for cell in cells]


def ids_of(rows: RowReader, reader: RecordReader, distinct: Distinct) -> Hashes:
    """Return ids that occur more than once if they are not in the first column."""
    try:
        for chunk in rows.chunks():
            distinct.add(reader.values(chunk, "sourcedId"))
    except SourceError:
        pass  # the reader of the rows fails at the same place and reports it
    return distinct.repeated()


def settle_copies(rows: RowReader, reader: RecordReader, repeated: Hashes, copies: Copies) -> Settled:
    """Read the rows whose ids may be repeated, and decide which of them count."""
    ignored: Counter[str] = Counter()
    try:
        for chunk in rows.chunks():
            ids = reader.values(chunk, "sourcedId")
            if wanted := [place for place, one in enumerate(ids) if one in repeated]:
                picked = chunk.pick(wanted)
                records = reader.read(picked, ignored)
                # Columns that hold rows of another stream are not part of the record.
                moved = list(zip(*map(picked.texts, rows.header.moved.values()), strict=True)) or [()] * len(records)
                for record, number, beside in zip(records, picked.numbers, moved, strict=True):
                    copies.take(record, number, beside)
    except SourceError:
        pass  # see above
    copies.groups = {one: group for one, group in copies.groups.items() if group.rows > 1}
    return copies.settle()


def kept_places(chunk: Chunk, ids: Sequence[str], settled: Settled, tell: Callable[[int], None]) -> list[int]:
    """Return the positions of the rows to deliver; `tell` gets the number of each row left out because of a conflict."""
    kept, places = settled.kept, []
    for place, (one, number) in enumerate(zip(ids, chunk.numbers, strict=True)):
        if kept.get(one, number) == number:
            places.append(place)
        elif kept[one] is None:
            tell(number)
    return places
