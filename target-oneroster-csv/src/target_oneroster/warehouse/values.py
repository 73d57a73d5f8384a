"""A value of any shape a tap may send, as the JSON of the warehouse's own type."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from .._core.model import Field, Kind
from ..records.cells import ShapeError, elements, number

__all__ = ["Unreadable", "Value", "text", "value_of"]

Value = Callable[[Any], Any]
"""Makes a value of a column; None where there is none."""

_PAIR = re.compile(r"\{([^:{}]*):([^{}]*)\}")
_BIGGEST = 2**63


class Unreadable(ValueError):
    """A value is not of its column's type."""


def text(value: Any) -> str | None:
    """Text, as it came; empty text is no value."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, (date, Decimal)):
        return str(value)
    if value is None:
        return None
    raise ShapeError("text")


def _reference(value: Any) -> str | None:
    if isinstance(value, Mapping):  # {"sourcedId": …, "href": …, "type": …}
        value = value.get("sourcedId", value.get("sourced_id"))
    return text(value)


def _list_of(item: Value) -> Value:
    def values(value: Any) -> list[Any] | None:
        if value == "":
            return None
        found = [
            item(one.strip() if isinstance(value, str) and isinstance(one, str) else one) for one in elements(value)
        ]
        return [one for one in found if one is not None]

    return values


def _true_false(value: Any) -> bool | None:
    word = (text(value) or "").strip().lower()
    if word in {"true", "1", "yes", "t"}:
        return True
    if word in {"false", "0", "no", "f"}:
        return False
    if word:
        raise Unreadable
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        value = value.strip() or None
    if value is None:
        return None
    if isinstance(value, (bool, list, Mapping)):
        raise ShapeError("a number")
    try:
        found = float(value)
    except (ValueError, OverflowError, TypeError) as error:
        raise Unreadable from error
    if not math.isfinite(found):
        raise Unreadable
    return found


def _integer(value: Any) -> int | None:
    try:
        exact = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
    except ValueError:
        exact = None
    if exact is None:
        found = _number(value)
        if found is None:
            return None
        if not found.is_integer():
            raise Unreadable
        exact = int(found)
    if not -_BIGGEST <= exact < _BIGGEST:
        raise Unreadable
    return exact


def _date(value: Any) -> str | None:
    if isinstance(value, datetime):
        return value.date().isoformat()
    word = (text(value) or "").strip()
    if not word:
        return None
    if len(word) > 10 and word[10] in "T ":
        _parsed(word)
        word = word[:10]  # the day as it was written
    try:
        return date.fromisoformat(word).isoformat()
    except ValueError as error:
        raise Unreadable from error


def _moment(value: Any) -> str | None:
    found = value if isinstance(value, datetime) else None
    if found is None:
        word = (text(value) or "").strip()
        if not word:
            return None
        found = _parsed(word)
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return found.isoformat().replace("+00:00", "Z")


def _parsed(word: str) -> datetime:
    try:
        return datetime.fromisoformat(word)
    except (ValueError, OverflowError) as error:
        raise Unreadable from error


def _objects(**inner: Value) -> Value:
    """A list of objects with these properties, in whatever case their names come."""
    plain = {name.lower(): name for name in inner}

    def values(value: Any) -> list[dict[str, Any]] | None:
        if value == "":
            return None
        if isinstance(value, str) and not value.lstrip().startswith("["):  # the CSV form: {left:right},{left:right}
            left, right = inner
            return [{left: one[1] or None, right: one[2] or None} for one in _PAIR.finditer(value)]
        found = []
        for item in elements(value):
            if not isinstance(item, Mapping):
                raise ShapeError("a list of objects")
            named = {plain.get(key.lower().replace("_", "")): one for key, one in item.items()}
            found.append({name: make(named[name]) for name, make in inner.items() if named.get(name) is not None})
        return found

    return values


def _object(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value else None
        except ValueError:
            value = None
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ShapeError("an object")
    return dict(value)


_WORDS = _list_of(_reference)
_VALUES: dict[Kind, Value] = {
    Kind.REF: _reference,
    Kind.REFS: _WORDS,
    Kind.STRINGS: _WORDS,
    Kind.WORDS: _WORDS,
    Kind.TRUE_FALSE: _true_false,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.DATETIME: _moment,
    Kind.USER_IDS: _objects(type=text, identifier=text),
    Kind.SCALE_VALUES: _objects(itemValueLHS=text, itemValueRHS=text),
    Kind.OBJECTIVES: _objects(source=text, learningObjectiveIds=_WORDS),
    Kind.OBJECTIVE_SCORES: _objects(
        source=text,
        learningObjectiveResults=_objects(learningObjectiveId=text, score=_number, textScore=text),
    ),
    Kind.OBJECT: _object,
}


def value_of(field: Field) -> Value:
    """The function that makes a value of that field."""
    return _VALUES.get(field.kind, text)
