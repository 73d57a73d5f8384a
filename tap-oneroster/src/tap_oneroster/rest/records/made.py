"""Records that were read a column at a time, and are written without a record object each."""

from __future__ import annotations

from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from ...source import Records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Struct

    from ..._core.codec import EncodedRows
    from ..._core.column_codec import ColumnEncoder
    from ..._core.model import File


class MadeRecords(Records):
    """Columns by field name, in line order; Structs are made on first access."""

    def __init__(
        self, file: File, columns: Mapping[str, Sequence[Any]], make: type[Struct], encoder: ColumnEncoder
    ) -> None:
        self.file = file
        self._columns = columns
        self._make = make
        self._encoder = encoder

    @cached_property
    def records(self) -> list[Struct]:  # type: ignore[override]
        """Return the records, in the order of the service."""
        return list(map(self._make, *self._columns.values()))

    @cached_property
    def rows(self) -> EncodedRows:
        """The encoded records, as the tap writes them."""
        return self._encoder.rows(list(self._columns.values()))

    @override
    def __len__(self) -> int:
        return len(self._columns["sourcedId"])

    @override
    def values(self, name: str) -> Sequence[Any]:
        return self._columns[name]

    @override
    def part(self, start: int, stop: int) -> Records:
        return self._with({name: values[start:stop] for name, values in self._columns.items()})

    @override
    def pick(self, among: Sequence[bool]) -> Records:
        return self._with({name: list(compress(values, among)) for name, values in self._columns.items()})

    def _with(self, columns: Mapping[str, Sequence[Any]]) -> MadeRecords:
        return MadeRecords(self.file, columns, self._make, self._encoder)
