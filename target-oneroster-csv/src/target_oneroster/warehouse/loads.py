"""The table `_loads`: each load has a number, and a row for each table that it brought or left as it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import schema_table
from .counts import Counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .counts import TableCounts
    from .warehouse_file import WarehouseFile

NAME = "_loads"
LOADED, LEFT = "loaded", "left as it was"
_ABOUT = "The loads of this warehouse: a row for each load and table, with a tenant for each tenant. Key: load, table, tenant."
_COLUMNS = {
    "load": ("BIGINT", "Number of the load: 1, 2, and so on."),
    "loadedAt": ("TIMESTAMPTZ", "Start of the load, which is _sdc_received_at of the rows that it brought."),
    "finishedAt": ("TIMESTAMPTZ", "When all tables were in place; empty if the load broke off."),
    "table": ("VARCHAR", "Name of the table."),
    "came": (
        "BIGINT",
        "Rows that came, one for each key, without those marked tobedeleted: new + changed + unchanged.",
    ),
    "new": ("BIGINT", "Rows that were not present before, also those that came back."),
    "changed": ("BIGINT", "Rows that differ from those before in another column than dateLastModified."),
    "unchanged": ("BIGINT", "Rows that were present before and do not differ."),
    "deleted": ("BIGINT", "Rows that were present before, and were marked tobedeleted or found to be gone."),
    "total": ("BIGINT", "Rows that were present after the load: those before + new - deleted."),
    "whole": ("BOOLEAN", "True if the table was read as a whole: rows that did not come were found to be gone."),
    "outcome": ("VARCHAR", f"'{LOADED}', or '{LEFT}' if what came was refused: then the other numbers are 0."),
    "note": ("VARCHAR", "Why it was left as it was, or what was remarkable; empty if nothing was."),
    "tenant": ("VARCHAR", "The tenant; empty in a warehouse without tenants."),
}


class Loads:
    """The loads of one warehouse, and the number of the present one."""

    def __init__(self, store: WarehouseFile, now: datetime) -> None:
        self._store, self._now = store, now
        self._place = store.place(NAME)
        self._waiting: dict[str, list[Sequence[Any]]] = {NAME: [], schema_table.NAME: []}
        store.keep(NAME, _COLUMNS, _ABOUT)
        store.keep(schema_table.NAME, schema_table.COLUMNS, schema_table.ABOUT)
        self.number = store.one(f"SELECT max(load) FROM {self._place}") + 1

    def add(self, table: str, counts: TableCounts, outcome: str = LOADED) -> None:
        """Add the rows of one table; `write` writes them."""
        for tenant, c in (counts.tenants or {None: Counts()}).items():
            numbers = [c.came, c.new, c.changed, c.unchanged, c.deleted, c.total, c.whole]
            row = [self.number, self._now, None, table, *numbers, outcome, counts.note or None, tenant]
            self._waiting[NAME].append(row)

    def describe(self, columns: Iterable[Sequence[Any]]) -> None:
        """Add rows of the table `_schema`; `write` writes them."""
        self._waiting[schema_table.NAME] += columns

    def write(self) -> None:
        """Write the rows that were added: in the transaction that changes their table, or before the file is seen."""
        self._store.insert(NAME, _COLUMNS, self._waiting[NAME])
        self._store.insert(schema_table.NAME, schema_table.COLUMNS, self._waiting[schema_table.NAME])
        for rows in self._waiting.values():
            rows.clear()

    def finish(self) -> None:
        """Record that all tables are in place."""
        self.write()
        self._store.run(f'UPDATE {self._place} SET "finishedAt" = ? WHERE load = ?', [datetime.now(UTC), self.number])
