"""Map records of any tap to cells: names and shapes are matched with the model once for each schema."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, tzinfo
from typing import Any

from .._core.model import FILES, RECEIPTS, VIEWS, Field, File, Kind, Version
from .._core.model.schema import TENANT, json_schema
from .._core.present_rows import DELETED
from .cells import Cell, ShapeError, cell_of, flat_metadata, metadata_text, wrong_shape

_METADATA = "metadata"
"""Set by log-based taps, and by loaders that keep deleted rows: the row is deleted."""


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


_FILES = {_plain(f.name): f for f in FILES}
_VIEWS = {_plain(view.name) for view in VIEWS}
_RECEIPT = {_plain(field.name): field for field in RECEIPTS.fields}


def _table(stream: str) -> str:
    """Return the table part of a stream name, which a database tap may prefix with its schema."""
    return _plain(stream.replace(".", "-").rpartition("-")[2])


def file_of(stream: str, *, csv: bool = True) -> File | None:
    """Return the file of a stream, regardless of case; with `csv`, only a file that bundles have."""
    found = _FILES.get(_plain(stream)) or _FILES.get(_table(stream))
    return found if found and (found.csv or not csv) else None


def fits(file: File, schema: Mapping[str, Any]) -> bool:
    """True if records of that schema have the model's names and types."""
    known = json_schema(file, tenant=True, secrets=True)["properties"]
    for name, wanted in schema.get("properties", {}).items():
        types = wanted.get("type")
        if name not in known or types is None:
            return False
        kinds = set(types if isinstance(types, list) else [types])
        if not kinds - {"null"} <= set(known[name]["type"] if isinstance(known[name]["type"], list) else ["string"]):
            return False
    return True


def is_view(stream: str) -> bool:
    """True if a stream repeats rows of another stream."""
    return _table(stream) in _VIEWS


def is_receipts(stream: str, properties: Iterable[str]) -> bool:
    """True if a stream contains the receipts of its run; a database may compute them in a view.

    Receipts stored in a warehouse belong to the runs that filled it and have their run ids, so they prove nothing here.
    """
    ours = _table(stream) == _plain(RECEIPTS.name)
    return ours and (stream == RECEIPTS.name or "runid" not in {_plain(name) for name in properties})


def receipt_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a receipt with the model's names, and the file name of its collection."""
    receipt = dict(record)
    for name, value in record.items():
        if field := _RECEIPT.get(_plain(name)):
            receipt[field.name] = _typed(field, value) if isinstance(value, str) else value
    if file := file_of(str(receipt.get("collection"))):
        receipt["collection"] = file.name
    return receipt


def _typed(field: Field, text: str) -> Any:
    """Return a receipt's value from text; a value that cannot be read proves nothing."""
    match field.kind:
        case Kind.TRUE_FALSE:
            return cell_of(field)(text) == "true"
        case Kind.INTEGER:
            return int(text) if text.strip().isdecimal() else None
        case _:
            return text or None


def _names(field: Field) -> Iterable[str]:
    yield field.name
    yield field.header(Version.V1_1)
    yield from field.rest_names


class RecordMapping:
    """Maps the records of one schema to the cells of one file.

    Rules that values break are counted in `deviations`; `zone` is the zone of times without one.
    """

    def __init__(
        self,
        file: File,
        fields: tuple[Field, ...],
        properties: Collection[str],
        nested: Iterable[str] = (),
        *,
        deviations: Counter[str] | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self._file = file
        self._fields = fields
        known: dict[str, str] = {}
        for rank in range(3):  # a field's own name takes precedence over another field's REST name
            for field in file.fields:
                if field.csv or field in fields or field.name == _METADATA:
                    names = [(field.name,), (field.header(Version.V1_1),), field.rest_names][rank]
                    for name in names:
                        known.setdefault(_plain(name), field.name)
        not_kept = {
            _plain(n) for f in file.fields if not f.csv and f not in fields and f.name != _METADATA for n in _names(f)
        }
        elsewhere = {TENANT, *nested}
        self._sources: dict[str, list[str]] = {}
        self.unknown: list[str] = []
        self._metadata: dict[str, str] = {}
        for name in properties:
            plain = _plain(name)
            if plain in known:
                self._sources.setdefault(known[plain], []).append(name)
            elif name.lower().startswith("metadata."):
                self._metadata[name] = name[len("metadata.") :]
            elif name not in elsewhere and plain not in not_kept and not name.startswith("_sdc_"):
                self.unknown.append(name)
                self._metadata[name] = name
        self._cells: list[tuple[list[str], Cell, str]] = [
            (self._sources.get(field.name, []), cell_of(field, deviations, zone), field.name)
            for field in fields
            if field.name != _METADATA
        ]
        self._id = (self._sources.get("sourcedId", []), cell_of(file.fields[0]), file.fields[0].name)
        self._keep = any(field.name == _METADATA for field in fields)
        self._status = [cell[-1] for cell in self._cells].index("status") if DELETED in properties else None

    def row_id(self, record: Mapping[str, Any]) -> str:
        """Return the record's sourcedId; empty if it has none."""
        return self._cell(record, *self._id)

    def cells(self, record: Mapping[str, Any]) -> list[str]:
        """Return the cells of a record, in the order of the file's staged fields."""
        cells = [self._cell(record, *plan) for plan in self._cells]
        if self._status is not None and record.get(DELETED):
            cells[self._status] = "tobedeleted"
        if self._keep:
            cells.append(self._metadata_cell(record))
        return cells

    def named_cells(self, record: Mapping[str, Any]) -> dict[str, str]:
        """Return the cells of a record by field name."""
        return {field: self._cell(record, names, cell, field) for names, cell, field in self._cells}

    def _cell(self, record: Mapping[str, Any], names: list[str], cell: Cell, field: str) -> str:
        for name in names:
            if (value := record.get(name)) is not None:
                try:
                    return cell(value)
                except ShapeError as error:
                    raise wrong_shape(self._file.name, field, error) from error
        return ""

    def _metadata_cell(self, record: Mapping[str, Any]) -> str:
        found: dict[str, Any] = {}
        for name in self._sources.get(_METADATA, []):
            value = record.get(name)
            if isinstance(value, str):
                try:
                    value = json.loads(value)
                except ValueError:
                    value = None
            if isinstance(value, Mapping):
                found |= dict(flat_metadata(value))
        found |= {key: record[name] for name, key in self._metadata.items() if record.get(name) is not None}
        return metadata_text(found)
