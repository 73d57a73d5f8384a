"""A look at the first rows of a file, for what a bundle does not declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .csv_blocks import BrokenRows, CsvBlocks
from .encoding import UnreadableText
from .header import is_preamble, plain_names

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..locate.archive import Bundle

__all__ = ["Peek", "peek", "read_rows"]

_ENOUGH = 1000
"""Rows that are looked at."""


@dataclass(frozen=True, slots=True)
class Peek:
    """What the first rows of a file show."""

    header: frozenset[str]
    """Names in lower case."""
    has_rows: bool
    stamped: bool
    """True if a row carries a status, as rows of a delta do."""


def read_rows(bundle: Bundle, name: str) -> Generator[list[str]]:
    """Yield the rows of a file, without blank ones and what Excel puts before them; raise UnreadableText where it is no CSV."""
    with bundle.open(name) as stream:
        blocks = CsvBlocks(stream)
        while block := blocks.more():
            try:
                rows, _ = blocks.rows(block)
            except BrokenRows as error:
                yield from error.rows
                raise
            yield from (row for row in rows if not is_preamble(row))


def peek(bundle: Bundle, name: str) -> Peek:
    """Return what the header and the first rows of a file show, as far as they can be read."""
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
        pass  # whoever reads the whole file says so
    finally:
        rows.close()
    return Peek(frozenset(header), seen > 0, stamped)
