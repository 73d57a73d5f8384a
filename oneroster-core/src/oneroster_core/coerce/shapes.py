"""Convert JSON values whose shape does not match their kind; every repair is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from ..model import Kind
from .lists import list_in
from .texts import NO_ID, is_loss, number_text, read_number

METADATA_LEVELS = 100
"""Nested keys of metadata become one key down to this level; Python 3.12 and newer decode many thousands of levels."""


class Shaper:
    """Converts the values of one key, and counts each repair under `<key>: <rule>`.

    With `rest`, a reference must be an object, and a text in its place is counted; an id that is missing is an empty
    text, which the reader of the column counts.
    """

    def __init__(self, key: str, deviations: Counter[str], *, rest: bool = False) -> None:
        self._key = key
        self._deviations = deviations
        self._rest = rest
        self.lost = False
        """True after a value could not be read."""

    def fit(self, kind: Kind, value: Any) -> Any:
        """Return the value in the shape of `kind`."""
        if kind in _OBJECTS:
            return self.objects(value, partial(_members, members=_OBJECTS[kind], deviations=self._deviations))
        shape: Callable[[Shaper, Any], Any] = _SHAPES.get(kind, Shaper.text)
        return shape(self, value)

    def _count(self, rule: str) -> None:
        self.lost = self.lost or is_loss(rule)
        self._deviations[f"{self._key}: {rule}"] += 1

    def text(self, value: Any) -> str | None:
        """Return the value as text; None if it cannot be one."""
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool):
            self._count("true or false where text belongs")
            return str(value).lower()
        if isinstance(value, int | float):
            self._count("number where text belongs")
            return number_text(value)
        if isinstance(value, date | datetime):
            return value.isoformat()
        if isinstance(value, Decimal):
            return str(value)
        if isinstance(value, list) and len(value) <= 1:
            self._count("list where one value belongs")
            return self.text(value[0]) if value else None
        self._count("unreadable text")
        return None

    def true_false(self, value: Any) -> bool | str | None:
        """Return a boolean, or a text that may hold one."""
        return value if isinstance(value, bool) else self.text(value)

    def number(self, value: Any) -> float | str | None:
        """Return a number, or a text that may hold one."""
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            self._count("unreadable number")
            return None
        try:
            return float(value)
        except OverflowError:
            self._count("unreadable number")
            return None

    def integer(self, value: Any) -> float | str | None:
        """Return an integer without loss of digits, or what `number` returns."""
        return value if type(value) is int else self.number(value)

    def ref(self, value: Any) -> str | None:
        """Return the id of a reference. A plain text is taken as the id; a list with one element as that element."""
        if value is None:
            return None
        if isinstance(value, Mapping):  # {"sourcedId": …, "href": …, "type": …}
            found = self.text(value.get("sourcedId", value.get("sourced_id")))
        elif isinstance(value, list) and len(value) <= 1:
            self._count("list where one value belongs")
            return self.ref(value[0]) if value else None
        else:
            if value and self._rest:
                self._count("reference written as text")
            found = self.text(value)
        if not found and not self._rest:
            self._count(NO_ID)
            return None
        return found or ""

    def _elements(self, value: Any) -> list[Any]:
        if value is None:
            return []
        if isinstance(value, list):
            return value
        if value != "":
            self._count("one value where a list belongs")
            return [value]
        self._count(_EMPTY)
        return []

    def refs(self, value: Any) -> list[str] | None:
        """Return the ids of a list of references."""
        if isinstance(value, str) and (
            listed := list_in(value.strip()) or (value.split(",") if "," in value else None)
        ):
            self._count("list written as text")
            value = [part for part in listed if not isinstance(part, str) or part.strip()]
        return [ref for element in self._elements(value) if (ref := self.ref(element)) is not None] or None

    def texts(self, value: Any) -> list[str] | str | None:
        """Return a list of texts, or one text that may hold a list."""
        if isinstance(value, str):
            return value
        return [text for element in self._elements(value) if (text := self.text(element)) is not None] or None

    def strict_number(self, value: Any) -> float | None:
        """Return a number, also from text: used in objects whose members are not read again later."""
        found = self.number(value)
        if isinstance(found, str):
            self._count("number as text")
            found, rule = read_number(found)
            if rule:
                self._count(rule)
        return found

    def strict_texts(self, value: Any) -> list[str] | None:
        """Return a list of texts, never a single text."""
        found = self.texts(value)
        return [found] if isinstance(found, str) else found

    def objects(self, value: Any, shape: Callable[[dict[str, Any]], Any]) -> list[Any] | None:
        """Return a list of objects."""
        kept = []
        for element in self._elements(value):
            if isinstance(element, dict):
                kept.append(shape(element))
            else:
                self._count("element that is not an object")
        return kept or None

    def results(self, value: Any) -> list[Any] | None:
        """Return the results for learning objectives."""
        return self.objects(value, partial(_members, members=_RESULT, deviations=self._deviations))

    def object(self, value: Any) -> dict[str, Any] | None:
        """Return the value if it is an object; otherwise count it and return None."""
        if value is None or isinstance(value, dict):
            return value
        self._count(_EMPTY if value == "" else "not an object")
        return None


_EMPTY = "empty text"
_SHAPES: dict[Kind, Callable[[Shaper, Any], Any]] = {
    Kind.TRUE_FALSE: Shaper.true_false,
    Kind.NUMBER: Shaper.number,
    Kind.INTEGER: Shaper.integer,
    Kind.REF: Shaper.ref,
    Kind.REFS: Shaper.refs,
    Kind.STRINGS: Shaper.texts,
    Kind.WORDS: Shaper.texts,
    Kind.OBJECT: Shaper.object,
}

_Members = dict[str, Callable[[Shaper, Any], Any]]
_RESULT: _Members = {"learningObjectiveId": Shaper.text, "score": Shaper.strict_number, "textScore": Shaper.text}
_OBJECTS: dict[Kind, _Members] = {
    Kind.USER_IDS: {"type": Shaper.text, "identifier": Shaper.text},
    Kind.SCALE_VALUES: {"itemValueLHS": Shaper.text, "itemValueRHS": Shaper.text},
    Kind.OBJECTIVES: {"source": Shaper.text, "learningObjectiveIds": Shaper.strict_texts},
    Kind.OBJECTIVE_SCORES: {"source": Shaper.text, "learningObjectiveResults": Shaper.results},
}


def _members(value: dict[str, Any], members: _Members, deviations: Counter[str]) -> dict[str, Any]:
    """Return an object with these members, matched without regard to case; drop all other members."""
    named = {key.lower().replace("_", ""): one for key, one in value.items()}
    return {key: shape(Shaper(key, deviations), named.get(key.lower())) for key, shape in members.items()}
