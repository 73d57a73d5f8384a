"""Map records of any tap to the shape of the warehouse: the model's names, references, lists and types."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from .._core.model import Field, Kind
from .._core.model.schema import TENANT
from ..records.cells import FieldReader, ShapeError, as_it_came, wrong_shape
from ..records.record_mapping import RecordMapping

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .schema import Table

_METADATA = "metadata"
_OBJECT = FieldReader(Field(_METADATA, Kind.OBJECT))
_TENANT = FieldReader(Field(TENANT))


class WarehouseMapping(RecordMapping):
    """Maps the records of one schema to rows of one table.

    Nothing is lost: properties that the standard does not have, and values of another type than their column, are
    stored in `metadata` under their own names.
    """

    def __init__(
        self,
        table: Table,
        properties: Collection[str],
        nested: Collection[str] = (),
        deviations: Counter[str] | None = None,
        unreadable: Counter[str] | None = None,
    ) -> None:
        self.deviations = Counter() if deviations is None else deviations
        """Rules that values broke, by field."""
        self.unreadable = Counter() if unreadable is None else unreadable
        """Number of values of another type than their column, by column."""
        self._table = table
        self._nested = tuple(nested)
        self._keeps = any(field.name == _METADATA for field in table.fields)
        self._plan(properties)

    def _plan(self, properties: Collection[str]) -> None:
        self._planned = set(properties)
        super().__init__(self._table.file, self._table.fields, properties, self._nested)
        self._values = [
            (field.name, self._sources[field.name], FieldReader(field, self.deviations, self._table.zone).read)
            for field in self._table.fields
            if field.name in self._sources and field.name != _METADATA
        ]

    def row(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row of a record, with only those columns that have a value."""
        if not self._planned.issuperset(record):  # the record has properties that its schema lacks
            self._plan([*self._planned, *record])
        row: dict[str, Any] = {}
        kept = self._extras(record) if self._keeps else {}
        if self._table.tenant:
            row[TENANT] = _TENANT.read(record.get(TENANT))[0]
        for name, sources, read in self._values:
            raw = next((record[source] for source in sources if record.get(source) is not None), None)
            if raw is None:
                continue
            try:
                value, lost = read(raw)
            except ShapeError as error:
                raise wrong_shape(self._table.name, name, error) from error
            row[name] = [] if value is None and raw == [] else value
            if lost and value != raw:
                self.unreadable[name] += 1
                kept[name] = as_it_came(raw)
        if kept:
            row[_METADATA] = kept
        return row

    def _extras(self, record: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for source in self._sources.get(_METADATA, ()):
            value = record.get(source)
            try:
                found |= _OBJECT.read(value)[0] or {}
            except ShapeError:
                found[_METADATA] = value
        return found | {key: record[name] for name, key in self._metadata.items() if record.get(name) is not None}
