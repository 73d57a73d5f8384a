"""Values of any shape that a tap may send: read by the core's registry, and written as the text of a CSV cell.

A value that cannot be read passes as its own text, so that the checks find it, count it and name the rule. Only a shape
that cannot be written as text is rejected here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from functools import partial
from operator import attrgetter
from typing import Any

from .._core.codec import encode_value
from .._core.coerce import Column, number_text
from .._core.coerce.lists import list_in
from .._core.coerce.shapes import METADATA_LEVELS
from .._core.model import Field, Kind
from ..errors import TargetError

Cell = Callable[[Any], str]

CONTROL = dict.fromkeys((*range(32), 127), " ")
"""Control characters become spaces, because a cell must not contain a line break."""

_LISTS = {Kind.REFS, Kind.STRINGS, Kind.WORDS}
_OBJECTS = {Kind.USER_IDS, Kind.SCALE_VALUES, Kind.OBJECTIVES, Kind.OBJECTIVE_SCORES}


class ShapeError(ValueError):
    """A value has a shape that its kind cannot be read from. The message says what was expected."""


def wrong_shape(stream: str, name: str, error: ShapeError) -> TargetError:
    """Return the error for a value of another shape in a property."""
    return TargetError(
        f"Stream {stream}, property {name}: {error} was expected, something else came. Reshape it with stream_maps."
    )


class FieldReader:
    """Reads the values of one field; broken rules are counted in `deviations` under `<field>: <rule>`."""

    def __init__(self, field: Field, deviations: Counter[str] | None = None, zone: tzinfo = UTC) -> None:
        self._kind = field.kind
        self._column = Column(field, zone=zone)
        self._deviations = Counter() if deviations is None else deviations

    def read(self, value: Any) -> tuple[Any, bool]:
        """Return the value in the shape of its kind, and True if part of it could not be read."""
        if value is None or value == "":
            return None, False
        if not isinstance(value, str) and (expected := self._other_than(value)):
            raise ShapeError(expected)
        return self._column.take(value, self._deviations)

    def _other_than(self, value: Any) -> str | None:
        """Return the expected shape if the value's shape cannot be repaired with certainty; None if it can."""
        kind = self._kind
        if kind in _LISTS or kind in _OBJECTS:
            inside = [value] if isinstance(value, Mapping) else value
            if not isinstance(inside, (list, tuple)):
                return "a list"
            objects = [isinstance(one, Mapping) for one in inside]
            if kind in _OBJECTS:
                return None if all(objects) else "a list of objects"
            return "text" if any(objects) and kind != Kind.REFS else None
        if kind == Kind.OBJECT:
            return None if isinstance(value, Mapping) else "an object"
        if kind == Kind.REF and isinstance(value, Mapping):
            return None
        if isinstance(value, (list, tuple, Mapping)) or (kind in _NUMBERS and isinstance(value, bool)):
            return "a number" if kind in _NUMBERS else "text"
        return None


ISO_DAY = re.compile(r"\s*(\d{4}-?(\d{2}|W\d)|NULL)", re.ASCII)
_NUMBERS = {Kind.INTEGER, Kind.NUMBER}


def as_it_came(value: Any) -> str:
    """Return the text of a value that could not be read."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def words(values: list[str]) -> str:
    """Return a list as one cell. Commas inside elements are removed, because a list cannot escape them."""
    text = ",".join(values)
    if text.count(",") < len(values) and " " not in text and text[:1] != "," and text[-1:] != "," and ",," not in text:
        return text
    return ",".join([v for v in (value.replace(",", "").strip() for value in values) if v])


def _words_of_all(lists: Sequence[list[str] | None]) -> list[str]:
    """Return `words` of a column; all lists are looked through together, because hardly any has something odd."""
    every = [values or () for values in lists]
    texts = list(map(",".join, every))
    together = "\n".join(["", *texts, ""])
    if (
        together.count(",") == sum(map(len, every)) - sum(map(bool, every))
        and " " not in together
        and not any(odd in together for odd in (",,", "\n,", ",\n"))
    ):
        return texts
    return [words(values) if values else "" for values in lists]


def elements(value: Any) -> Iterator[Any]:
    """Yield the elements of a list, whether it arrived as a list, as JSON text, as one object or separated by commas."""
    if isinstance(value, str):
        # A database's array column may arrive as text, if it passed through a file.
        listed = list_in(value.strip())
        value = value.split(",") if listed is None else listed
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise ShapeError("a list")
    yield from value


_ENDS_AN_ELEMENT = {ord(character): None for character in ",{}"}


def pairs(values: list[tuple[str | None, str | None]]) -> str:
    """Return `{left:right}` elements, without characters that would end an element early."""
    return ",".join([f"{{{_plain(left)}:{_plain(right)}}}" for left, right in values])


def _pairs_of_all(lists: Sequence[Any], left: str, right: str) -> list[str]:
    """Return `pairs` of a column of lists of objects with these attributes, in the same way as `_words_of_all`."""
    both = attrgetter(left, right)
    every = [[both(one) for one in values] if values else () for values in lists]
    texts = [",".join([f"{{{one or ''}:{other or ''}}}" for one, other in values]) for values in every]
    together = "\n".join(texts)
    count, filled = sum(map(len, every)), sum(map(bool, every))
    if together.count("{") == together.count("}") == count and together.count(",") == count - filled:
        return texts
    return [pairs(list(values)) for values in every]


def _plain(value: str | None) -> str:
    return (value or "").translate(_ENDS_AN_ELEMENT)


def flat_metadata(
    value: Mapping[str, Any], prefix: str = "", levels: int = METADATA_LEVELS
) -> Iterator[tuple[str, str]]:
    """Yield metadata as dotted keys and texts; empty values are left out, and what is deeper than `levels` is JSON."""
    for key, item in value.items():
        if isinstance(item, Mapping) and levels:
            yield from flat_metadata(item, f"{prefix}{key}.", levels - 1)
        elif isinstance(item, Mapping):
            yield f"{prefix}{key}", encode_value(item).decode()
        elif isinstance(item, (list, tuple)):
            if item:
                yield f"{prefix}{key}", words([i if isinstance(i, str) else json.dumps(i) for i in item])
        elif item is not None and item != "":
            yield (
                f"{prefix}{key}",
                item if isinstance(item, str) else json.dumps(item) if isinstance(item, bool) else number_text(item),
            )


def metadata_text(value: Mapping[str, Any] | None) -> str:
    """Return metadata as one staged cell: flat JSON with sorted keys, or an empty text."""
    if not value:
        return ""
    flat = {key.translate(CONTROL): text.translate(CONTROL) for key, text in flat_metadata(value)}
    return json.dumps(flat, sort_keys=True, ensure_ascii=False) if flat else ""


_ENDS = {Kind.USER_IDS: ("type", "identifier"), Kind.SCALE_VALUES: ("itemValueLHS", "itemValueRHS")}
"""What stands left and right in the elements of these kinds."""


def _objects(kind: Kind) -> Cell:
    both = attrgetter(*_ENDS[kind])
    return lambda values: pairs(list(map(both, values)))


_TEXTS: dict[Kind, Cell] = {
    Kind.REFS: words,
    Kind.STRINGS: words,
    Kind.WORDS: words,
    Kind.TRUE_FALSE: {True: "true", False: "false"}.__getitem__,
    Kind.INTEGER: str,
    Kind.NUMBER: number_text,
    **{kind: _objects(kind) for kind in _ENDS},
}
"""Functions that write the values of a kind as a cell; other kinds are texts."""


def whole(value: float) -> str:
    """Return the rounded text of a percentage, which REST sends as a float, for a cell that accepts digits only."""
    return str(round(value))


def cell_text(field: Field) -> Cell | None:
    """Return the function that writes a value of that field; None if the value is already the text."""
    return whole if field.csv_kind == Kind.INTEGER else _TEXTS.get(field.kind)


def column_text(field: Field) -> Callable[[Sequence[Any]], list[str]] | None:
    """Return the function that writes a column of values, also missing ones, as `cell_text` does; None if none is faster."""
    if field.kind in _ENDS:
        return partial(_pairs_of_all, left=_ENDS[field.kind][0], right=_ENDS[field.kind][1])
    return _words_of_all if field.kind in _LISTS else None


def cell_of(field: Field, deviations: Counter[str] | None = None, zone: tzinfo = UTC) -> Cell:
    """Return the function that turns a value of that field into its cell."""
    reader, write = FieldReader(field, deviations, zone), cell_text(field)

    def cell(came: Any) -> str:
        value, lost = reader.read(came)
        if lost or (field.kind == Kind.DATE and isinstance(came, str) and not ISO_DAY.match(came)):
            return as_it_came(came)  # a bundle takes days in ISO 8601 only
        if value is None:
            return ""
        text: str = write(value) if write else value
        return text

    return cell
