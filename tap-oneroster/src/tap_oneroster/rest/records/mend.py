"""Records that do not fit their form, mended so that they do; every repair is counted.

What cannot be mended with certainty becomes null, or the element is left out. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..._core.coerce import read_number
from ..._core.model import Kind
from .forms import SKIPPED, UNKNOWN, Form, Forms, NestedForm

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

__all__ = ["is_secret", "mend", "spelt"]

_MISSPELT = {
    # From a definition that many services were generated from.
    "americanIndianOrAlsakaNative": "americanIndianOrAlaskaNative",
}
_SECRET = re.compile(r"(?i)(.*\.)?(pass(word|wd|code|phrase)?|pwd|secret)\Z")


def spelt(key: str, forms: Forms) -> str | None:
    """The key of the standard that is meant, whatever its letter case; None where there is none."""
    if key in forms:
        return key
    wanted = _MISSPELT.get(key, key).lower()
    return next((known for known in forms if known.lower() == wanted), None)


def is_secret(key: str) -> bool:
    """Whether a key that the standard does not know is named like a password."""
    return _SECRET.match(key) is not None


class _Mender:
    """Mends the values of one key."""

    def __init__(self, key: str, deviations: Counter[str]) -> None:
        self._key = key
        self._deviations = deviations

    def count(self, rule: str) -> None:
        self._deviations[f"{self._key}: {rule}"] += 1

    def text(self, value: Any) -> str | None:
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool):
            self.count("true or false where text belongs")
            return str(value).lower()
        if isinstance(value, int | float):
            self.count("number where text belongs")
            return str(value)
        if isinstance(value, list) and len(value) <= 1:
            self.count("list where one value belongs")
            return self.text(value[0]) if value else None
        self.count("unreadable text")
        return None

    def true_false(self, value: Any) -> bool | str | None:
        return value if isinstance(value, bool) else self.text(value)

    def number(self, value: Any) -> float | str | None:
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.count("unreadable number")
            return None
        try:
            return float(value)
        except OverflowError:
            self.count("unreadable number")
            return None

    def ref(self, value: Any) -> dict[str, str] | None:
        """A reference; as bare text it is taken for the id, as a list of one for that one."""
        if value is None:
            return None
        if isinstance(value, dict):
            found = self.text(value.get("sourcedId"))
        elif isinstance(value, list) and len(value) <= 1:
            self.count("list where one value belongs")
            return self.ref(value[0]) if value else None
        else:
            if value:
                self.count("reference written as text")
            found = self.text(value)
        if not found:
            self.count("reference without sourcedId")
            return None
        return {"sourcedId": found}

    def _elements(self, value: Any) -> list[Any]:
        if value is None:
            return []
        if isinstance(value, list):
            return value
        if value != "":
            self.count("one value where a list belongs")
            return [value]
        self.count("empty text")
        return []

    def refs(self, value: Any) -> list[dict[str, str]] | None:
        if isinstance(value, str) and "," in value:
            self.count("list written as text")
            value = [part.strip() for part in value.split(",") if part.strip()]
        return [ref for element in self._elements(value) if (ref := self.ref(element))] or None

    def texts(self, value: Any) -> list[str] | str | None:
        if isinstance(value, str):
            return value
        return [text for element in self._elements(value) if (text := self.text(element)) is not None] or None

    def strict_number(self, value: Any) -> float | None:
        """A number, also where it came as text: for objects that pass as they are."""
        found = self.number(value)
        if isinstance(found, str):
            self.count("number as text")
            found, rule = read_number(found)
            if rule:
                self.count(rule)
        return found

    def strict_texts(self, value: Any) -> list[str] | None:
        found = self.texts(value)
        return [found] if isinstance(found, str) else found

    def objects(self, value: Any, mend_one: Callable[[dict[str, Any]], Any]) -> list[Any] | None:
        kept = []
        for element in self._elements(value):
            if isinstance(element, dict):
                kept.append(mend_one(element))
            else:
                self.count("element that is not an object")
        return kept or None

    def results(self, value: Any) -> list[Any] | None:
        return self.objects(value, partial(_mend_members, members=_RESULT, deviations=self._deviations))

    def object(self, value: Any) -> dict[str, Any] | None:
        if value is None or isinstance(value, dict):
            return value
        self.count("empty text" if value == "" else "not an object")
        return None


_MEND: dict[Kind, Callable[[_Mender, Any], Any]] = {
    Kind.TRUE_FALSE: _Mender.true_false,
    Kind.NUMBER: _Mender.number,
    Kind.REF: _Mender.ref,
    Kind.REFS: _Mender.refs,
    Kind.STRINGS: _Mender.texts,
    Kind.WORDS: _Mender.texts,
    Kind.OBJECT: _Mender.object,
}


_Members = dict[str, Callable[[_Mender, Any], Any]]

_RESULT: _Members = {
    "learningObjectiveId": _Mender.text,
    "score": _Mender.strict_number,
    "textScore": _Mender.text,
}
_OBJECTS: dict[Kind, _Members] = {
    Kind.USER_IDS: {"type": _Mender.text, "identifier": _Mender.text},
    Kind.SCALE_VALUES: {"itemValueLHS": _Mender.text, "itemValueRHS": _Mender.text},
    Kind.OBJECTIVES: {"source": _Mender.text, "learningObjectiveIds": _Mender.strict_texts},
    Kind.OBJECTIVE_SCORES: {"source": _Mender.text, "learningObjectiveResults": _Mender.results},
}


def _mend_members(value: dict[str, Any], members: _Members, deviations: Counter[str]) -> dict[str, Any]:
    """A small object of fixed members; what else it holds is left out."""
    return {key: read(_Mender(key, deviations), value.get(key)) for key, read in members.items()}


def _mend_value(key: str, value: Any, form: Form, deviations: Counter[str]) -> Any:
    mender = _Mender(key, deviations)
    if isinstance(form, NestedForm):
        return mender.objects(value, partial(mend, forms=form.forms, deviations=deviations))
    if not isinstance(form, Kind):
        return None
    if form in _OBJECTS:
        return mender.objects(value, partial(_mend_members, members=_OBJECTS[form], deviations=deviations))
    read: Callable[[_Mender, Any], Any] = _MEND.get(form, _Mender.text)
    return read(mender, value)


def mend(
    record: Mapping[str, Any],
    forms: Forms,
    deviations: Counter[str],
    *,
    learned: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """The record in its form. Keys that the standard does not have go under `UNKNOWN`.

    Those in `learned` stay where they are.
    """
    fitting: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for key, value in record.items():
        if key in forms:
            if forms[key] is not SKIPPED:
                fitting[key] = _mend_value(key, value, forms[key], deviations)
        elif key in learned:
            fitting[key] = value
        else:
            meant = spelt(key, forms)
            if meant:
                others[meant] = value
                deviations[f"{meant}: key in another spelling"] += 1
            elif value is not None:
                unknown[key] = value
    for key, value in others.items():
        if fitting.get(key) is None and forms[key] is not SKIPPED:
            fitting[key] = _mend_value(key, value, forms[key], deviations)
    if unknown:
        fitting[UNKNOWN] = unknown
    return fitting
