"""Every consumer of the registry of readings, asked for one value of one field."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from oneroster_core.coerce import is_loss
from tap_oneroster._core.codec import encode_rows
from tap_oneroster._core.model import Kind, Version, file
from tap_oneroster.bundle.read.columns import ColumnReader
from tap_oneroster.bundle.read.lines import LineReader
from tap_oneroster.bundle.read.records import RecordReader
from tap_oneroster.bundle.read.rows import RowReader
from tap_oneroster.policy import Policy
from tap_oneroster.rest.records.decode import PageDecoder
from tap_oneroster.rest.records.forms import forms_of
from tap_oneroster.rest.records.rows import RowMaker
from target_oneroster._core.model import file as target_file
from target_oneroster.records.cells import ISO_DAY, as_it_came, cell_text
from target_oneroster.records.record_mapping import RecordMapping
from target_oneroster.warehouse.record_mapping import WarehouseMapping
from target_oneroster.warehouse.schema import Table

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = tuple[Any, set[str]]
"""A value as JSON has it, and the rules that were broken."""

# How REST writes is counted besides: it has types, so a text in the place of one is worth a note.
_NOTES = {"number as text", "list written as text", "reference written as text", "one value where a list belongs"}
_NOTES |= {"empty text", "required, but blank"}
POLICY = Policy()


def _none() -> Counter[str]:
    return Counter()


def _rules(field: str, deviations: Counter[str]) -> set[str]:
    rules = {rule.removeprefix(f"{field}: ") for rule in deviations if rule.startswith(f"{field}: ")}
    return rules - _NOTES - {"column missing"}


def _chunks(name: str, field: str, text: str) -> Any:
    out = io.StringIO(newline="")
    row = {"sourcedId": "x", field: text}
    writer = csv.DictWriter(out, ["sourcedId", *([field] if field != "sourcedId" else []), "identifier of ours"])
    writer.writeheader()
    writer.writerow(row)
    return RowReader(file(name), io.BytesIO(out.getvalue().encode()), "a file", Counter())


def _by_records(name: str, field: str, text: str) -> Answer:
    rows, odd = _chunks(name, field, text), _none()
    reader = RecordReader(file(name), rows.header, Version.V1_2, POLICY, Counter())
    (record,) = [record for chunk in rows.chunks() for record in reader.read(chunk, odd)]
    return msgspec.to_builtins(getattr(record, field)), _rules(field, odd)


def _by_lines(name: str, field: str, text: str) -> Answer:
    rows, odd = _chunks(name, field, text), _none()
    records = RecordReader(file(name), rows.header, Version.V1_2, POLICY, Counter())
    lines = LineReader(file(name), rows.header, Version.V1_2, POLICY, records)
    (chunk,) = rows.chunks()
    made = lines.rows(chunk, odd) or encode_rows(records.read(chunk, odd))
    return json.loads(made.lines)[field], _rules(field, odd)


def _by_columns(name: str, field: str, text: str) -> Answer:
    rows, odd = _chunks(name, field, text), _none()
    records = RecordReader(file(name), rows.header, Version.V1_2, POLICY, Counter())
    columns = ColumnReader(file(name), rows.header, Version.V1_2, POLICY, records)
    (chunk,) = rows.chunks(columns.split)
    batch = columns.read(chunk, odd)
    if batch is None:
        (record,) = records.read(chunk, odd)
        return msgspec.to_builtins(getattr(record, field)), _rules(field, odd)
    (value,) = batch.arrays[field].to_pylist()
    kind = file(name).field(field).kind
    if value is not None and kind == Kind.DATE:
        value = value.isoformat()
    if value is not None and kind == Kind.DATETIME:
        value = value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value, _rules(field, odd)


def _by_rest(name: str, field: str, text: str) -> Answer:
    its, odd = file(name), _none()
    of = its.field(field)
    value: Any = {"sourcedId": text} if of.kind == Kind.REF else text
    if of.kind in {Kind.USER_IDS, Kind.SCALE_VALUES} or (of.kind == Kind.REF and not text.strip()):
        raise NotImplementedError  # objects there
    body = msgspec.json.encode({its.collection.wrapper: [{"sourcedId": "x", of.rest_names[0]: value}]})
    decoder = PageDecoder(its, forms_of(its, secrets=False, derived=()))
    page = decoder.decode(body, odd)
    (record,) = RowMaker(its, Version.V1_2, POLICY).make(page.take([0], odd), odd).records
    key = of.rest_names[0]  # shapes are counted under the key of REST
    return msgspec.to_builtins(getattr(record, field)), _rules(field, odd) | _rules(key, odd)


def _by_csv_target(name: str, field: str, text: str) -> Answer:
    its, odd = target_file(name), _none()
    of = its.field(field)
    mapping = RecordMapping(its, (its.field("status"), of), ["sourcedId", field], deviations=odd)
    return mapping.cells({"sourcedId": "x", field: text})[1], _rules(field, odd)


def _by_warehouse(name: str, field: str, text: str) -> Answer:
    mapping = WarehouseMapping(Table(target_file(name)), ["sourcedId", field])
    row = mapping.row({"sourcedId": "x", field: text})
    return msgspec.to_builtins(row.get(field)), _rules(field, mapping.deviations)


def cell_for(name: str, field: str, text: str, value: Any, rule: str | None) -> str:
    """Return the cell that a value gives in a bundle: what could not be read is left for the checks."""
    of = target_file(name).field(field)
    if (rule and is_loss(rule)) or (of.kind.name == Kind.DATE.name and not ISO_DAY.match(text)):
        return as_it_came(text)
    if value is None:
        return ""
    write = cell_text(of)
    if of.kind.name == Kind.USER_IDS.name:  # the target has its own copy of the model
        return ",".join("{" + ":".join(one or "" for one in pair.values()) + "}" for pair in value)
    return write(value) if write else value


CONSUMERS: dict[str, Callable[[str, str, str], Answer]] = {
    "CSV records": _by_records,
    "CSV lines": _by_lines,
    "CSV columns": _by_columns,
    "REST": _by_rest,
    "target-oneroster-csv": _by_csv_target,
    "target-oneroster-duckdb": _by_warehouse,
}
