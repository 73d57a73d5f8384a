"""The names of the keys that the records of a service have: what is the header of a file."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..._core.model import Field

__all__ = ["SeenKeys"]


class SeenKeys:
    """Keys that had a value other than null in any record, as the service wrote them.

    A key that was seen is not looked for again, so that a page of the usual form costs next to nothing.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._kind: type | None = None
        self._others: dict[str, Any] = {}
        """How to get the values that are no columns, by key, for records of `_kind`."""

    def as_written(self, records: Iterable[Any]) -> None:
        """Take the keys of records that were decoded without a form."""
        self.names.update(key for one in records for key, value in one.items() if value is not None)

    def column(self, field: Field, values: Sequence[Any], records: Sequence[Any], getters: Sequence[Any]) -> None:
        """Take the keys that hold a field's values; `getters` return those of each of its keys."""
        if self.names.issuperset(field.rest_names) or values.count(None) == len(values):
            return
        for key, getter in zip(field.rest_names, getters, strict=True):
            if any(getter(record) is not None for record in records):
                self.names.add(key)

    def others(self, records: Sequence[Any], fields: Iterable[Field]) -> None:
        """Take the keys that hold no field's value: rows inside of records, and keys that the standard does not have."""
        kind = type(records[0])
        if kind is not self._kind:
            self._kind = kind
            columns = {key for field in fields for key in field.rest_names if field.name != "metadata"}
            names = zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)
            self._others = {key: attrgetter(name) for key, name in names if key not in columns | self.names}
        for key, getter in list(self._others.items()):
            if any(getter(record) is not None for record in records):
                self.names.add(key)
                del self._others[key]
