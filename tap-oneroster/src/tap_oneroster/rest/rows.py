"""REST records made into records of the warehouse shape, a column at a time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from .._model import Field, File, Kind, Version
from .._model.codec import UserId, line_order, record_class
from ..dates import local_date, read_date
from ..values import Column
from .shapes import attribute
from .tidy import is_secret

if TYPE_CHECKING:
    from msgspec import Struct

    from ..bundle.records import Shape

__all__ = ["RowMaker"]

_TEXTS = {str, type(None)}
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

    def __init__(self, column: Column, shape: Shape) -> None:
        self._column = column
        self._name = column.field.name
        self._zone = shape.zone

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


class RowMaker:
    """Makes records of a stream out of REST records, or out of the objects nested in them."""

    def __init__(self, file: File, version: Version, shape: Shape) -> None:
        self.file = file
        self._version = version
        self._shape = shape
        self._make = record_class(file, secrets=shape.secrets)
        self._columns = [
            (field.name, self._getters(field), self._reader(field)) for field in line_order(file, secrets=shape.secrets)
        ]

    def _getters(self, field: Field) -> list[Callable[[Any], Any]]:
        return [attrgetter(attribute(key)) for key in field.rest_names]

    def _reader(self, field: Field) -> Reader:
        if not field.exists_in(self._version) or self.file.derived:
            field = replace(field, required=())
        column = Column(field, self._version, self._shape.zone)
        named = _BY_NAME.get(field.name)
        if named:
            return named(column)
        if field.rest_kind is Kind.DATETIME:
            return _DayOfMoment(column, self._shape).days
        if field.kind is Kind.DATETIME:
            return _DayOfMoment(column, self._shape).moments
        return _BY_KIND.get(field.kind, _texts)(column)

    def read(
        self,
        records: Sequence[Any],
        deviations: Counter[str],
        given: Mapping[str, Sequence[Any]] | None = None,
    ) -> list[Struct]:
        """Records of the warehouse shape, one for each; `given` holds columns that are not in them."""
        if not records:
            return []
        columns: list[Sequence[Any]] = []
        for name, getters, reader in self._columns:
            if given and name in given:
                columns.append(given[name])
            elif name == "metadata":
                columns.append(self._metadata(records, deviations))
            elif not getters:
                columns.append([None] * len(records))
            else:
                columns.append(reader(_values(records, getters), deviations))
        return list(map(self._make, *columns))

    def _metadata(self, records: Sequence[Any], deviations: Counter[str]) -> list[Any]:
        """Metadata flattened to dotted keys, with the keys that the standard does not have."""
        own = [record.metadata for record in records]
        unknown = [record.unknown_ for record in records]
        for number, key in enumerate(type(records[0]).learned_):
            for position, value in enumerate(map(attrgetter(f"extra_{number}"), records)):
                if value is not None:
                    unknown[position] = {**(unknown[position] or {}), key: value}
        if not any(own) and not any(unknown):
            return own if own.count(None) == len(own) else [None] * len(own)
        return [
            self._flatten(mine, more, deviations) if mine or more else None
            for mine, more in zip(own, unknown, strict=True)
        ]

    def _flatten(
        self, own: dict[str, Any] | None, unknown: dict[str, Any] | None, deviations: Counter[str]
    ) -> dict[str, Any] | None:
        flat: dict[str, Any] = {}
        _flatten_into(flat, own or {}, "")
        if unknown:
            more: dict[str, Any] = {}
            _flatten_into(more, unknown, "")
            deviations["key that the standard does not have"] += len(unknown)
            flat = {**more, **flat}
        if not self._shape.secrets:
            secrets = list(filter(is_secret, flat))
            for key in secrets:
                del flat[key]
                deviations["metadata: key named like a password, left out"] += 1
        taken = {key: value for key, value in flat.items() if self._shape.takes_key(key)}
        if len(taken) < len(flat):
            deviations["metadata key that metadata_keys does not name"] += len(flat) - len(taken)
        return taken or None


def _flatten_into(flat: dict[str, Any], nested: Mapping[str, Any], prefix: str) -> None:
    for key, value in nested.items():
        if isinstance(value, dict):
            _flatten_into(flat, value, f"{prefix}{key}.")
        elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
            numbered = {str(number): one for number, one in enumerate(value)}
            _flatten_into(flat, numbered, f"{prefix}{key}.")
        elif value is not None and value != "":
            flat[prefix + key] = value


def _values(records: Sequence[Any], getters: Sequence[Callable[[Any], Any]]) -> list[Any]:
    """Values of the first key that a record fills."""
    values = list(map(getters[0], records))
    for getter in getters[1:]:
        if None in values:
            values = [getter(record) if value is None else value for value, record in zip(values, records, strict=True)]
    return values
