"""Read the values of one key, a whole column at a time, by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import tzinfo
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ..._core.codec import ScaleValue, UserId
from ..._core.coerce import Column
from ..._core.coerce.dates import are_utc_millis, local_date
from ..._core.coerce.texts import NO_ID, NULL
from ..._core.coerce.words import read_statuses
from ..._core.model import Field, Kind, Version

if TYPE_CHECKING:
    from ...policy import Policy

Reader = Callable[[list[Any], "Counter[str]"], Sequence[Any]]
"""Returns the values of a column from the raw values of the records."""


_PAIRS = {Kind.USER_IDS: UserId, Kind.SCALE_VALUES: ScaleValue}


def _natively(kind: type, column: Column) -> Reader:
    """Return a reader that passes values of a JSON type unchanged and reads texts."""
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


def _id_lists(column: Column) -> Reader:
    def read(values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        lists: Sequence[Any] = [[ref.sourcedId for ref in value] if value else None for value in values]
        ids = list(chain.from_iterable(filter(None, lists)))
        if not all(ids) or NULL in ids or column.are_padded(ids):
            lists, rules = zip(*map(column.reading, lists), strict=True)
            column.count_rules(deviations, rules)
            if empty := ids.count(""):
                column.count(deviations, NO_ID, empty)
        column.check_required(lists, deviations)
        return lists

    return read


def _texts(column: Column) -> Reader:
    def read(values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        found = column.read(values, deviations)
        if found is not values:  # otherwise no text is empty
            _count_empty(values, column.field, deviations)
        return found

    return read


def _count_empty(values: Sequence[Any], field: Field, deviations: Counter[str]) -> None:
    if not all(values) and "" in values:
        deviations[f"{field.name}: {NO_ID if is_reference(field) else 'empty text'}"] += values.count("")


def _each(column: Column) -> Reader:
    """Return a reader for lists of objects, one value at a time."""

    def read(values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        found, rules = zip(*map(column.reading, values), strict=True)
        column.count_rules(deviations, rules)
        return found

    return read


def _pairs(column: Column) -> Reader:
    """Return a reader for lists of pairs; a page in which every pair has both members needs no reading."""
    each, members = _each(column), attrgetter(*_PAIRS[column.field.kind].__struct_fields__)

    def read(values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        pairs = chain.from_iterable(filter(None, values))
        if all(map(all, map(members, pairs))):
            return _or_none(values, deviations)
        return each(values, deviations)

    return read


def _or_none(values: list[Any], _: Counter[str]) -> list[Any]:
    return [value or None for value in values]


def _modified(column: Column) -> Reader:
    def read(values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        if all(values) and are_utc_millis(values):
            return values
        _count_empty(values, column.field, deviations)
        found = column.read(values, deviations)
        if None in values:
            deviations["dateLastModified: missing"] += values.count(None)
        return found

    return read


def _days(column: Column, zone: tzinfo) -> Reader:
    """Return a reader that extracts the date from a date and time."""

    def read(values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        _count_empty(values, column.field, deviations)
        made = []
        for value in values:
            day, rule = local_date(value, zone) if value else (None, None)
            if rule:  # the text may be a placeholder for null
                day, rule = column.reading(value)
            if rule:
                column.count(deviations, rule, 1)
            made.append(day)
        column.check_required(made, deviations)
        return made

    return read


def _moments(column: Column) -> Reader:
    """Return a reader of those values that have a time."""

    def read(values: list[Any], deviations: Counter[str]) -> Sequence[Any]:
        return column.read([value if value and ":" in value else None for value in values], deviations)

    return read


_BY_NAME: dict[str, Callable[[Column], Reader]] = {
    "status": lambda _: read_statuses,
    "dateLastModified": _modified,
    # These are texts in REST, though references in CSV.
    "sourcedId": _texts,
    "userProfileSourcedId": _texts,
}
_BY_KIND: dict[Kind, Callable[[Column], Reader]] = {
    Kind.TRUE_FALSE: partial(_natively, bool),
    Kind.NUMBER: partial(_natively, float),
    Kind.REFS: _id_lists,
    Kind.USER_IDS: _pairs,
    Kind.SCALE_VALUES: _pairs,
    Kind.OBJECTIVES: lambda _: _or_none,
    Kind.OBJECTIVE_SCORES: lambda _: _or_none,
}


def is_reference(field: Field) -> bool:
    """True if the raw value is a reference to a record; its reader takes the id."""
    return field.kind == Kind.REF and field.name not in _BY_NAME and field.rest_kind != Kind.DATETIME


def reader_of(field: Field, version: Version, policy: Policy) -> Reader:
    """Return the reader for a field in a service of that version."""
    column = Column(field, version, policy.zone)
    named = _BY_NAME.get(field.name)
    if named:
        return named(column)
    if field.rest_kind == Kind.DATETIME:
        return _days(column, policy.zone)
    if field.kind == Kind.DATETIME:
        return _moments(column)
    return _BY_KIND.get(field.kind, _texts)(column)
