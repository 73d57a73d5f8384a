"""Arrival: what came, whether it came whole, how old it is, and under which columns (pure)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .._core.model import FILES
from ..words import ALL, Cell, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..warehouse import Load

_LEFT = "left as it was"
_HOUR, _DAY = 3600.0, 86400.0
Receipts = list[dict[str, Any]]


def arrival(
    load: Load, loads: Mapping[int, Load], baseline: int | None, receipts: Receipts, *, hours: float, days: float
) -> Iterator[Finding]:
    """Yield what is wrong with the arrival of a load. `hours`, `days`: how old a whole read and the source may be."""
    incomplete = {str(r["collection"]) for r in receipts if r["complete"] is False}
    left = {name for name, table in load.tables.items() if table.outcome == _LEFT}
    for name in sorted(incomplete | left | (set() if load.is_finished else {""})):
        yield Finding("arrival.incomplete", Severity.UNKNOWN, _file(name) if name else Cell())
    if not receipts:
        yield Finding("arrival.receipts", Severity.WARN)
    for receipt in receipts:
        if str(receipt["collection"]) not in incomplete:
            yield from _receipt(receipt)
    parts = [name for name, table in load.tables.items() if not table.whole and name != "syncReceipts"]
    if parts:
        yield Finding("arrival.not-whole", Severity.NOTE, now=len(parts))
    if baseline is not None:
        yield from _missing(load, loads, baseline)
        yield from _late_reads(load, loads, hours)
    newest = source_time(receipts)
    if newest is not None and (age := (load.loaded_at - newest).total_seconds() / _DAY) > days:
        yield Finding("arrival.late", Severity.WARN, now=int(age))


def _receipt(receipt: dict[str, Any]) -> Iterator[Finding]:
    """Yield what a complete receipt says about records that did not arrive as they should."""
    cell = _file(str(receipt["collection"]))
    expected, distinct, received = receipt["expected"], receipt["distinct"], receipt["received"]
    if receipt["rejected"]:
        yield Finding("arrival.rejected", Severity.WARN, cell, now=receipt["rejected"])
    if expected is not None and distinct is not None and distinct < expected:
        yield Finding("arrival.fewer", Severity.WARN, cell, before=expected, now=distinct)
    if received is not None and distinct is not None and distinct < received:
        yield Finding("keys.duplicate", Severity.WARN, cell, before=received, now=distinct)


def _missing(load: Load, loads: Mapping[int, Load], baseline: int) -> Iterator[Finding]:
    """Yield the files that had rows at the baseline, and that did not come, or came empty in a whole load."""
    had: dict[str, int] = {}
    for number in sorted(loads):
        if number <= baseline:
            had.update({name: table.total for name, table in loads[number].tables.items()})
    for name, rows in sorted(had.items()):
        table = load.tables.get(name)
        if name != "syncReceipts" and rows and (table is None or (table.whole and not table.came)):
            yield Finding("arrival.missing", Severity.HOLD, _file(name), before=rows, now=0)


def _late_reads(load: Load, loads: Mapping[int, Load], hours: float) -> Iterator[Finding]:
    for name, table in sorted(load.tables.items()):
        wholes = [
            other.loaded_at
            for other in loads.values()
            if other.number <= load.number and name in other.tables and other.tables[name].whole
        ]
        if not table.whole and wholes and (age := (load.loaded_at - max(wholes)).total_seconds() / _HOUR) > hours:
            yield Finding("arrival.late", Severity.WARN, _file(name), now=int(age / 24))


def source_time(receipts: Receipts) -> datetime | None:
    """Return when the source was changed last, as its receipts say."""
    times = [r["sourceModifiedAt"] for r in receipts if r["sourceModifiedAt"] is not None]
    return datetime.fromtimestamp(max(times) / 1e6, UTC) if times else None


def header(was: Receipts, now: Receipts) -> Iterator[Finding]:
    """Yield the columns that the source added, lost or wrote otherwise since the baseline."""
    before = {str(r["collection"]): r["columns"] for r in was if r["columns"]}
    for receipt in now:
        name, columns = str(receipt["collection"]), receipt["columns"]
        if columns and name in before:
            yield from _columns(name, before[name], columns, is_csv=receipt["mode"] != "rest")


def _columns(name: str, was: Sequence[str], now: Sequence[str], *, is_csv: bool) -> Iterator[Finding]:
    required = {
        header
        for file in FILES
        if file.name == name
        for field in file.fields
        for version in field.required
        for header in (field.header(version), *field.rest_names)
    }
    lower = {column.lower() for column in now}
    for column in was:
        if column not in now:
            lost = column.lower() not in lower
            severity = Severity.HOLD if lost and column in required else Severity.WARN
            yield Finding("arrival.header", severity, _file(name), column, before=1, now=0 if lost else 1)
    known = {column.lower() for column in was}
    for column in now:
        if column.lower() not in known:
            yield Finding("arrival.header", Severity.WARN, _file(name), column, before=0, now=1)
    common = [column for column in was if column in now]
    if is_csv and common != [column for column in now if column in was]:
        yield Finding("arrival.header", Severity.WARN, _file(name))


def arrivals(load: Load, receipts: Receipts, gone: Mapping[str, tuple[int, int]]) -> list[dict[str, Any]]:
    """Return for each file what was promised and what arrived, and of what is gone, how it went (`gone`)."""
    by_file = {str(r["collection"]): r for r in receipts}
    names = [file.name for file in FILES if file.name in load.tables or file.name in by_file]
    rows = []
    for name in names:
        table, receipt = load.tables.get(name), by_file.get(name, {})
        rows.append(
            {
                "load": load.number,
                "file": name,
                "promised": receipt.get("expected"),
                "arrived": table.came if table else 0,
                "rejected": receipt.get("rejected"),
                "complete": receipt.get("complete"),
                "whole": table.whole if table else False,
                "outcome": table.outcome if table else "did not come",
                "header": receipt.get("columns"),
                "marked": gone[name][0] if name in gone else None,
                "vanished": gone[name][1] if name in gone else None,
            }
        )
    return rows


def _file(name: str) -> Cell:
    return Cell(name, ALL, ALL, ALL)
