"""How the values of one key are read: a column at a time, each kind in its own way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..._core.codec import UserId
from ..._core.coerce import Column
from ..._core.dates import local_date, read_date
from ..._core.model import Field, Kind, Version

if TYPE_CHECKING:
    from ...policy import Policy

__all__ = ["Reader", "reader_of"]

_STATUS = {"active": "active", "tobedeleted": "tobedeleted"}
_GONE = {"inactive", "tobedeleted", "deleted"}

Reader = Callable[[list[Any], "Counter[str]"], Sequence[Any]]
"""Makes the values of a column out of what the records hold."""


def _natively(kind: type, column: Column) -> Reader:
    """Values that JSON has as such pass; text goes through the column's reading."""
    native = {kind, type(None)}

    def read(values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        kinds = set(map(type, values))
        if kinds <= native:
            column.check_required(values, deviations)
            return values
        texts = [value if isinstance(value, str) else None for value in values]
        made = Column(replace(column.field, required=()), Version.V1_2).read(texts, deviations)
        if kind is float:
            deviations[f"{column.field.name}: number as text"] += len(values) - texts.count(None)
        found = [value if type(value) is kind else reading for value, reading in zip(values, made, strict=True)]
        column.check_required(found, deviations)
        return found

    return read


def _ids_of(column: Column) -> Reader:
    def read(values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        ids = [value.sourcedId if value else None for value in values]
        _count_empty(ids, column.field, deviations)
        return column.read(ids, deviations)

    return read


def _id_lists(column: Column) -> Reader:
    def read(values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        lists = [[ref.sourcedId for ref in value if ref.sourcedId] or None if value else None for value in values]
        column.check_required(lists, deviations)
        return lists

    return read


def _texts(column: Column) -> Reader:
    def read(values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        _count_empty(values, column.field, deviations)
        return column.read(values, deviations)

    return read


def _count_empty(values: Sequence[Any], field: Field, deviations: Counter[str]) -> None:
    if "" in values:
        deviations[f"{field.name}: empty text"] += values.count("")


def _user_ids(values: list[Any], deviations: Counter[str]) -> list[Any]:
    """Lists of user ids, an empty list as null, an empty text inside as null."""

    def clean(one: UserId) -> UserId:
        if one.type == "" or one.identifier == "":
            deviations["userIds: empty text"] += 1
            return UserId(one.type or None, one.identifier or None)
        return one

    return [list(map(clean, value)) if value else None for value in values]


def _or_none(values: list[Any], _: Counter[str]) -> list[Any]:
    return [value or None for value in values]


def _status(values: list[Any], deviations: Counter[str]) -> list[Any]:
    """What is not a word of the standard is active, and counted: as in a CSV bundle."""
    if set(values) <= _STATUS.keys():
        return values
    made = []
    for value in values:
        word = (value or "").strip().lower()
        if value in _STATUS:
            made.append(value)
        elif word in _GONE:
            deviations["status: tobedeleted in another word"] += 1
            made.append("tobedeleted")
        elif word in {"", "active"}:
            deviations["status: active in another word, or blank"] += 1
            made.append("active")
        else:
            deviations["status: unknown word"] += 1
            made.append(value)
    return made


_UTC_MILLIS = re.compile(r"(?:\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z\n)+\Z", re.ASCII)


def _are_utc_millis(texts: Sequence[str]) -> bool:
    """Whether a whole column is written as it will be delivered: seen at once, since it mostly is."""
    if not _UTC_MILLIS.match("\n".join(texts) + "\n"):
        return False
    return all(read_date(day)[0] for day in {text[:10] for text in texts})


def _modified(column: Column) -> Reader:
    def read(values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        if None not in values and _are_utc_millis(values):
            return values
        _count_empty(values, column.field, deviations)
        found = column.read(values, deviations)
        if None in values:
            deviations["dateLastModified: missing"] += values.count(None)
        return found

    return read


class _DayOfMoment:
    """Cuts the date out of a date and time, or keeps just the times of those that have one."""

    def __init__(self, column: Column, policy: Policy) -> None:
        self._column = column
        self._name = column.field.name
        self._zone = policy.zone

    def days(self, values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        _count_empty(values, self._column.field, deviations)
        made = []
        for value in values:
            day, rule = local_date(value, self._zone) if value else (None, None)
            if rule:
                deviations[f"{self._name}: {rule}"] += 1
            made.append(day)
        self._column.check_required(made, deviations)
        return made

    def moments(self, values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        timed = [value if value and ":" in value else None for value in values]
        return self._column.read(timed, deviations)


_BY_NAME: dict[str, Callable[[Column], Reader]] = {
    "status": lambda _: _status,
    "dateLastModified": _modified,
    # Texts in REST, though references in CSV.
    "sourcedId": _texts,
    "userProfileSourcedId": _texts,
}
_BY_KIND: dict[Kind, Callable[[Column], Reader]] = {
    Kind.TRUE_FALSE: partial(_natively, bool),
    Kind.NUMBER: partial(_natively, float),
    Kind.REF: _ids_of,
    Kind.REFS: _id_lists,
    Kind.USER_IDS: lambda _: _user_ids,
    Kind.SCALE_VALUES: lambda _: _or_none,
    Kind.OBJECTIVES: lambda _: _or_none,
    Kind.OBJECTIVE_SCORES: lambda _: _or_none,
}


def reader_of(field: Field, version: Version, policy: Policy) -> Reader:
    """The way to read a field of a service of that version."""
    column = Column(field, version, policy.zone)
    named = _BY_NAME.get(field.name)
    if named:
        return named(column)
    if field.rest_kind == Kind.DATETIME:
        return _DayOfMoment(column, policy).days
    if field.kind == Kind.DATETIME:
        return _DayOfMoment(column, policy).moments
    return _BY_KIND.get(field.kind, _texts)(column)
