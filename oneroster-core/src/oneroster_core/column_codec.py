"""Encode records that are given as columns of values; the bytes equal those of `encode_rows`.

A column of plain texts goes between quotes as it is; any other column is encoded at once. One join makes all lines, so
that neither record objects nor a search for the end of each content is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .codec import EncodedRows, encode_value, encode_values, line_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .model import File

_WORDS = {None: "null", False: "false", True: "true"}


class ColumnEncoder:
    """Encodes records of one stream; columns are in line order."""

    def __init__(self, file: File, *, secrets: bool = False) -> None:
        names = [field.name for field in line_order(file, secrets=secrets)]
        self._before = [f'{"," if place else "{"}"{name}":' for place, name in enumerate(names)]
        # The content ends where the status begins.
        self._before[names.index("status")] = '\n,"status":'

    def rows(self, columns: Sequence[Sequence[Any]]) -> EncodedRows:
        """Return the encoded records; at least one is required."""
        count = len(columns[0])
        between, texts = [""], []
        for before, values in zip(self._before, columns, strict=True):
            between[-1] += before
            if not any(values) and list(values).count(None) == count:
                between[-1] += "null"
                continue
            quote, cells = _json(values)
            between[-1] += quote
            texts.append(cells)
            between.append(quote)
        between[-1] += "}"
        # Content and rest of a record are a line each.
        halves = join_columns(between, texts, count).encode().split(b"\n")
        return EncodedRows(halves[::2], rests=halves[1::2])


def join_columns(between: Sequence[str], columns: Sequence[Sequence[str]], count: int) -> str:
    """Return `count` lines, each with one text of every column; `between` stands before, between and after these texts."""
    first, last = between[0], between[-1]
    if not columns:
        return "\n".join([last] * count)
    line = [part for text in between[:-1] for part in (text, "")]
    # The end of a line and the beginning of the next are one part.
    line[0] = f"{last}\n{first}"
    parts = line * count
    parts[0] = first
    for place, texts in enumerate(columns):
        parts[2 * place + 1 :: len(line)] = texts
    parts.append(last)
    return "".join(parts)


def _json(values: Sequence[Any]) -> tuple[str, Sequence[str]]:
    """Return the texts of a column, and a quotation mark if they belong between two of them."""
    try:
        together = "".join(values)
    except TypeError:
        kinds = set(map(type, values))
        if kinds <= {bool, type(None)}:
            return "", list(map(_WORDS.__getitem__, values))
        if kinds == {str, type(None)} and _is_plain("".join(filter(None, values))):
            return "", ["null" if value is None else f'"{value}"' for value in values]
    else:
        if _is_plain(together):
            return '"', values
    return "", encode_values(values)


def _is_plain(text: str) -> bool:
    """True if JSON holds a text unchanged."""
    return len(encode_value(text)) == 2 + (len(text) if text.isascii() else len(text.encode()))
