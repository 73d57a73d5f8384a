"""Every version of a row, with the times at which it was first and last seen, because upserts overwrite it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.sql import quoted
from .schema import DELETED, EXTRACTED

if TYPE_CHECKING:
    from datetime import datetime

    from .schema import Table
    from .warehouse_file import WarehouseFile

__all__ = ["ADDED", "SUFFIX", "History"]

SUFFIX = "_history"
FIRST, LAST, ENDED = "_sdc_first_seen_at", "_sdc_last_seen_at", "_sdc_ended_at"
ADDED = {
    FIRST: ("TIMESTAMPTZ", "When this version of the row was first read."),
    LAST: ("TIMESTAMPTZ", "When it was last read; later reads brought only what had changed, or other rows."),
    ENDED: ("TIMESTAMPTZ", "When the row was first found to be otherwise, or gone; empty while it stands."),
    DELETED: ("TIMESTAMPTZ", "When the row was found to be gone; empty where another version followed."),
}


class History:
    """The history of one table, changed in the same transaction as the table."""

    def __init__(self, store: WarehouseFile, table: Table, now: datetime) -> None:
        self._store, self._table, self._now = store, table, now
        self._place = store.place(table.name + SUFFIX)
        self._content = [quoted(name) for name in table.content]
        if store.ensure(table, table.name + SUFFIX, ADDED):
            self._add(  # it begins with the existing rows
                f"coalesce({EXTRACTED}, ?)", f"{store.place(table.name)} s WHERE {DELETED} IS NULL"
            )

    def _add(self, seen: str, rows: str) -> None:
        names = ", ".join([*self._content, FIRST, LAST])
        values = ", ".join([*(f"s.{name}" for name in self._content), f"coalesce(s.{EXTRACTED}, ?)"])
        self._store.run(
            f"INSERT INTO {self._place} ({names}) SELECT {values}, {seen} FROM {rows}",
            [self._now] * 2,
        )

    def end(self, gone: str) -> None:
        """End the versions of deleted rows."""
        self._store.run(
            f"UPDATE {self._place} AS h SET {ENDED} = ?, {DELETED} = ? WHERE {ENDED} IS NULL "
            f"AND EXISTS (SELECT 1 FROM {gone} g WHERE {self._table.match('g', 'h')})",
            [self._now] * 2,
        )

    def take(self, came: str, tombstone: str) -> None:
        """Add the rows that arrived: unchanged, changed, new, or marked as deleted by the source.

        A new version needs a change of content: a change of `dateLastModified` alone makes none.
        """
        run = self._store.run
        compared = [n for n in self._content if n.strip('"') not in {*self._table.keys, "dateLastModified"}]
        same = (
            f"({', '.join(f's.{n}' for n in compared)}) IS NOT DISTINCT FROM ({', '.join(f'h.{n}' for n in compared)})"
        )
        marked = tombstone.replace('"status"', 's."status"')
        run(
            f'CREATE TEMP TABLE "versions" AS SELECT s.row AS s, h.rowid AS h, {marked} AS tombstone, '
            f"h.rowid IS NOT NULL AND {same} AS same, coalesce(s.{EXTRACTED}, ?) AS seen FROM {came} s "
            f"LEFT JOIN (SELECT *, rowid FROM {self._place} WHERE {ENDED} IS NULL) h ON {self._table.match('s', 'h')}",
            [self._now],
        )
        run(
            f'UPDATE {self._place} AS h SET {LAST} = v.seen FROM "versions" v WHERE v.h = h.rowid AND v.same AND NOT v.tombstone'
        )
        run(
            f"UPDATE {self._place} AS h SET {ENDED} = v.seen, {DELETED} = CASE WHEN v.tombstone THEN v.seen END "
            f'FROM "versions" v WHERE v.h = h.rowid AND (v.tombstone OR NOT v.same)'
        )
        self._add(
            f"coalesce(s.{EXTRACTED}, ?)",
            f'{came} s WHERE s.row IN (SELECT s FROM "versions" WHERE NOT tombstone AND NOT same)',
        )
        run('DROP TABLE "versions"')
