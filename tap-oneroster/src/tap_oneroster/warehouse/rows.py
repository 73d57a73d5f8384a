"""Rows of the warehouse as records: the values as the tap delivers them, whatever the source was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .._core.codec import TYPES, line_order, record_class
from .._core.model import Kind
from .._core.sql import quoted
from ..source import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from .._core.model import Field, File
    from ..policy import Policy

_STRUCTS = frozenset({Kind.USER_IDS, Kind.SCALE_VALUES, Kind.OBJECTIVES, Kind.OBJECTIVE_SCORES})


class RowReader:
    """Makes records of one file; `columns` are those that the warehouse has."""

    def __init__(self, of: File, columns: Collection[str], policy: Policy) -> None:
        self._file = of
        self._make = record_class(of, secrets=policy.secrets)
        self._policy = policy
        fields = line_order(of, secrets=policy.secrets)
        self.select = ", ".join(_expression(its) if its.name in columns else "NULL" for its in fields)
        """The columns of the query, in the order of the record's fields."""
        readers = [(place, self._reader(its)) for place, its in enumerate(fields) if its.name in columns]
        self._readers = [(place, read) for place, read in readers if read]

    def _reader(self, its: Field) -> Callable[[Any], Any] | None:
        if its.name == "metadata":
            return self._metadata
        if its.kind in _STRUCTS:
            of = TYPES[its.kind]
            return lambda value: msgspec.convert(value, of)
        return None

    def _metadata(self, text: str | None) -> dict[str, Any] | None:
        found = msgspec.json.decode(text, type=dict[str, Any]) if text else {}
        return {key: value for key, value in found.items() if self._policy.takes_key(key)} or None

    def read(self, rows: Sequence[tuple[Any, ...]]) -> Records:
        """Return the records of some rows."""
        if not self._readers:
            return Records(self._file, [self._make(*row) for row in rows])
        columns = list(zip(*rows, strict=True))
        for place, read in self._readers:
            columns[place] = tuple(map(read, columns[place]))
        return Records(self._file, list(map(self._make, *columns)))


def _expression(its: Field) -> str:
    name = quoted(its.name)
    if its.kind == Kind.DATETIME:
        return f"strftime({name} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')"
    return f"{name}::VARCHAR" if its.kind == Kind.DATE or its.name == "metadata" else name
