"""Inspect the first rows of a file, for facts that the bundle does not declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .csv_blocks import CsvBlocks
from .encoding import UnreadableText
from .header import is_preamble, plain_names

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..locate.archive import Bundle

_ENOUGH = 1000
"""Number of rows to inspect."""


@dataclass(frozen=True, slots=True)
class Peek:
    """Facts from the first rows of a file."""

    header: frozenset[str]
    """Names in lower case."""
    has_rows: bool
    stamped: bool
    """True if a row has a status, as rows of a delta do."""


def read_rows(bundle: Bundle, name: str) -> Generator[list[str]]:
    """Yield the rows of a file without blank rows and Excel's preamble; raise UnreadableText if it is not CSV."""
    with bundle.open(name) as stream:
        blocks = CsvBlocks(stream)
        while block := blocks.more():
            try:
                rows, _ = blocks.rows(block)
            except UnreadableText as error:
                yield from error.rows
                raise
            yield from (row for row in rows if not is_preamble(row))


def peek(bundle: Bundle, name: str) -> Peek:
    """Inspect the header and the first rows of a file, as far as they can be read."""
    header: list[str] = []
    seen, stamped = 0, False
    rows = read_rows(bundle, name)
    try:
        header = plain_names(next(rows, []))
        position = header.index("status") if "status" in header else None
        for row in rows:
            if header[0] in row[0].lower() and plain_names(row) == header:
                continue
            seen += 1
            stamped = position is not None and len(row) == len(header) and bool(row[position].strip())
            if stamped or seen >= _ENOUGH:
                break
    except UnreadableText:
        pass  # the reader of the whole file reports it
    finally:
        rows.close()
    return Peek(frozenset(header), seen > 0, stamped)
