"""The names of the keys that the records of a service have: what is the header of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .forms import column_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from ..._core.model import Field

_MOST = 500
"""Some services use ids as keys; such keys would have no end."""


class SeenKeys:
    """Keys that had a value other than null in any record, as the service wrote them.

    Keys whose values the tap skips are left out: passwords, and rows of streams that are not selected. A key that was seen
    is not looked for again, so that a page of the usual form costs next to nothing.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._kind: type | None = None
        self._others: dict[str, Any] = {}
        """Functions that return the values that are no columns, by key, for records of `_kind`."""

    def as_written(self, records: Iterable[Any], skipped: Collection[str]) -> None:
        """Take the keys of records that were decoded without a form, but no more than a table may have.

        `skipped` are in lower case.
        """
        for one in records:
            if len(self.names) >= _MOST:
                return
            self.names.update(k for k, value in one.items() if value is not None and k.lower() not in skipped)

    def column(self, field: Field, values: Sequence[Any], records: Sequence[Any], getters: Sequence[Any]) -> None:
        """Take the keys that hold a field's values; `getters` return the values of each of its keys."""
        if self.names.issuperset(field.rest_names) or values.count(None) == len(values):
            return
        self._add(records, zip(field.rest_names, getters, strict=True))

    def others(self, records: Sequence[Any], fields: Iterable[Field]) -> None:
        """Take the keys that hold no field's value: rows inside of records, and keys that the standard does not have."""
        kind = type(records[0])
        if kind is not self._kind:
            self._kind = kind
            known = {key for field in fields for key in field.rest_names if field.name != "metadata"} | self.names
            names = zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)
            types = kind.__annotations__
            self._others = {k: column_of(n) for k, n in names if k not in known and types[n] is not msgspec.Raw}
        for key in self._add(records, self._others.items()):
            del self._others[key]

    def _add(self, records: Sequence[Any], getters: Iterable[tuple[str, Any]]) -> list[str]:
        """Add the keys that have a value, and return them."""
        found = [key for key, getter in getters if getter(records).count(None) < len(records)]
        self.names.update(found)
        return found
