"""The text of a CSV cell, from a value of any shape a tap may send.

A value that cannot be read passes as its own text: the checks find it there, count it and name
the rule. Only a shape that has no text at all is refused here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from .._core.model import Field, Kind

__all__ = [
    "CONTROL",
    "Cell",
    "ShapeError",
    "cell_of",
    "elements",
    "flat_metadata",
    "metadata_text",
    "number",
    "pairs",
    "words",
]

Cell = Callable[[Any], str]

CONTROL = dict.fromkeys((*range(32), 127), " ")
"""Control characters become spaces: a cell may not hold a line break."""


class ShapeError(ValueError):
    """A value has a shape that no text can be made of."""


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number(value)
    raise ShapeError("text")


def _reference(value: Any) -> str:
    if isinstance(value, Mapping):  # {"sourcedId": …, "href": …, "type": …}
        value = value.get("sourcedId", value.get("sourced_id"))
    return _text(value)


def number(value: float) -> str:
    """Decimal text of a number: a dot, no exponent, no needless zeros."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return repr(value)
    if value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    text = repr(value)
    return text if "e" not in text else f"{value:.20f}".rstrip("0").rstrip(".")


def _number(value: Any) -> str:
    if isinstance(value, str):
        text = value.strip()
        try:
            return number(float(text)) if "." in text or "e" in text.lower() else text
        except ValueError:
            return text
    return _text(value)


def _whole(value: Any) -> str:
    """A percentage that REST sends as a float, in a cell that takes digits only."""
    text = _number(value)
    try:
        return str(round(float(text))) if text else ""
    except (ValueError, OverflowError):
        return text


_TRUE_FALSE = dict.fromkeys(("1", "t", "y", "yes"), "true") | dict.fromkeys(("0", "f", "n", "no"), "false")


def _true_false(value: Any) -> str:
    text = _text(value).strip().lower()
    return _TRUE_FALSE.get(text, text)


def words(values: list[str]) -> str:
    """A list in one cell. An element cannot hold a comma: there is no escape for it."""
    text = ",".join(values)
    if text.count(",") < len(values) and " " not in text and text[:1] != "," and text[-1:] != "," and ",," not in text:
        return text
    return ",".join([v for v in (value.replace(",", "").strip() for value in values) if v])


def _json_list(text: str) -> list[Any] | None:
    """The list that a text is the JSON of."""
    if text.startswith("[") and text.endswith("]"):
        with suppress(ValueError):
            found = json.loads(text)
            return found if isinstance(found, list) else None
    return None


_ARRAY_ELEMENT = re.compile(r'("(?:[^"\\]|\\.)*"|[^",{}\\]+)(?:,|$)')
_ESCAPED = re.compile(r"\\(.)")


def _array(text: str) -> list[str] | None:
    """The elements of an array as PostgreSQL writes it: `{a,"b c",NULL}`."""
    if not (text.startswith("{") and text.endswith("}")):
        return None
    found: list[str] = _ARRAY_ELEMENT.findall(text[1:-1])
    if ",".join(found) != text[1:-1]:
        return None  # an array of arrays, or something else in braces
    return [_ESCAPED.sub(r"\1", e[1:-1]) if e.startswith('"') else e for e in found if e != "NULL"]


def elements(value: Any) -> Iterator[Any]:
    """The elements of a list that came as a list, as the text of one, as one object or with commas."""
    if isinstance(value, str):
        # An array column of a database may arrive as its text, when it came by way of a file.
        text = value.strip()
        value = _json_list(text)
        if value is None:
            value = _array(text)
        if value is None:
            value = text.split(",")
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, (list, tuple)):
        raise ShapeError("a list")
    yield from value


def _words(value: Any) -> str:
    return words([_text(item) for item in elements(value)]) if value is not None else ""


def _references(value: Any) -> str:
    return words([_reference(item) for item in elements(value)]) if value is not None else ""


_ENDS_AN_ELEMENT = {ord(character): None for character in ",{}"}


def pairs(values: list[tuple[str | None, str | None]]) -> str:
    """`{left:right}` elements; what would end an element early is left out of it."""
    return ",".join([f"{{{_plain(left)}:{_plain(right)}}}" for left, right in values])


def _plain(value: Any) -> str:
    return (value if isinstance(value, str) else _text(value)).translate(_ENDS_AN_ELEMENT)


def _pairs_of(left: str, right: str) -> Cell:
    def cell(value: Any) -> str:
        if isinstance(value, str):
            if (listed := _json_list(value.strip())) is None:
                return value
            value = listed
        if value is None:
            return ""
        found = []
        for item in elements(value):
            if not isinstance(item, Mapping):
                raise ShapeError("a list of objects")
            lower = {k.lower().replace("_", ""): v for k, v in item.items()}
            found.append((lower.get(left.lower()), lower.get(right.lower())))
        return pairs(found)

    return cell


def flat_metadata(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Metadata as dotted keys and texts; empty values are left out."""
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from flat_metadata(item, f"{prefix}{key}.")
        elif isinstance(item, (list, tuple)):
            if item:
                yield f"{prefix}{key}", words([i if isinstance(i, str) else json.dumps(i) for i in item])
        elif item is not None and item != "":
            yield f"{prefix}{key}", _text(item)


def metadata_text(value: Mapping[str, Any] | None) -> str:
    """Metadata as one staged cell: flat JSON, keys sorted, or nothing."""
    if not value:
        return ""
    flat = {key.translate(CONTROL): text.translate(CONTROL) for key, text in flat_metadata(value)}
    return json.dumps(flat, sort_keys=True, ensure_ascii=False) if flat else ""


_CELLS: dict[Kind, Cell] = {
    Kind.GUID: _text,
    Kind.REF: _reference,
    Kind.REFS: _references,
    Kind.STRINGS: _words,
    Kind.WORDS: _words,
    Kind.TRUE_FALSE: _true_false,
    Kind.INTEGER: _number,
    Kind.NUMBER: _number,
    Kind.USER_IDS: _pairs_of("type", "identifier"),
    Kind.SCALE_VALUES: _pairs_of("itemValueLHS", "itemValueRHS"),
}


def cell_of(field: Field) -> Cell:
    """The function that turns a value of that field into its cell."""
    if field.csv_kind == Kind.INTEGER:
        return _whole
    return _CELLS.get(field.kind, _text)
