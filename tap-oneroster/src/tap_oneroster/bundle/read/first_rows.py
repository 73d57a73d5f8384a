"""A look at the first rows of a file, for what a bundle does not declare."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .encoding import TextBlocks, UnreadableText

if TYPE_CHECKING:
    from ..locate.archive import Bundle

__all__ = ["Peek", "peek", "read_rows"]


@dataclass(frozen=True, slots=True)
class Peek:
    """What the first block of a file shows."""

    header: frozenset[str]
    """Names in lower case."""
    has_rows: bool
    stamped: bool
    """Whether a row carries a status, as rows of a delta do."""


def read_rows(bundle: Bundle, name: str) -> list[list[str]]:
    """Rows in the first block of a file that are not blank, as far as they can be read."""
    rows: list[list[str]] = []
    with bundle.open(name) as stream:
        try:
            text = next(iter(TextBlocks(stream)), b"").decode()
            rows.extend(csv.reader(io.StringIO(text, newline=""), strict=True))
        except (csv.Error, UnreadableText):
            pass  # whoever reads the whole file says so
    return [row for row in rows if any(map(str.strip, row))]


def peek(bundle: Bundle, name: str) -> Peek:
    """Look at one file of a bundle."""
    rows = read_rows(bundle, name)
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    position = header.index("status") if "status" in header else None
    stamped = position is not None and any(row[position].strip() for row in rows[1:] if len(row) == len(header))
    return Peek(frozenset(header), len(rows) > 1, stamped)
