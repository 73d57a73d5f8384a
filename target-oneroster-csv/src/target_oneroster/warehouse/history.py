"""Every version of a row, with the loads in which it began and ended, because upserts overwrite it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .._core.history import ENDED_LOAD, FIRST_LOAD, HISTORY
from .._core.sql import quoted
from .schema import DELETED, EXTRACTED

if TYPE_CHECKING:
    from datetime import datetime

    from .schema import Table
    from .warehouse_file import WarehouseFile

FIRST, ENDED = "_sdc_first_seen_at", "_sdc_ended_at"
_FORMER = "_sdc_last_seen_at"
"""A column of former releases. It changed in every row in every run; `_loads` says when a table was read."""
ADDED = {
    FIRST: ("TIMESTAMPTZ", "When this version of the row was first read."),
    ENDED: ("TIMESTAMPTZ", "When the row was first found to be otherwise, or gone; empty while it stands."),
    DELETED: ("TIMESTAMPTZ", "When the row was found to be gone; empty where another version followed."),
    FIRST_LOAD: ("BIGINT", "Load that brought this version; 0 if that was before loads were numbered."),
    ENDED_LOAD: ("BIGINT", "Load that found the row to be otherwise, or gone; empty while it stands."),
}


class History:
    """The history of one table, changed in the same transaction as the table."""

    def __init__(self, store: WarehouseFile, table: Table, now: datetime, load: int, *, before: int) -> None:
        """Create the history, or adapt it; rows that the table has already were brought by the load `before`."""
        self._store, self._table, self._now, self._load = store, table, now, load
        name = table.name + HISTORY
        self._place = store.place(name)
        self._content = [quoted(name) for name in table.content]
        there = store.columns(name)
        if _FORMER in there:
            store.change(f"ALTER TABLE {self._place} DROP COLUMN {_FORMER}")
        is_new = store.ensure(table, name, ADDED)
        if not is_new and FIRST_LOAD not in there:
            store.run(
                f"UPDATE {self._place} SET {FIRST_LOAD} = 0, {ENDED_LOAD} = CASE WHEN {ENDED} IS NOT NULL THEN 0 END"
            )
        if is_new or not store.one(f"SELECT count(*) FROM {self._place} WHERE {ENDED} IS NULL"):
            self._add(f"{store.place(table.name)} s WHERE {DELETED} IS NULL", before)

    def _add(self, rows: str, load: int) -> None:
        names = ", ".join([*self._content, FIRST, FIRST_LOAD])
        values = ", ".join([*(f"s.{name}" for name in self._content), f"coalesce(s.{EXTRACTED}, ?), ?"])
        self._store.run(f"INSERT INTO {self._place} ({names}) SELECT {values} FROM {rows}", [self._now, load])

    def end(self, gone: str) -> None:
        """End the versions of deleted rows."""
        self._store.run(
            f"UPDATE {self._place} AS h SET {ENDED} = ?, {DELETED} = ?, {ENDED_LOAD} = ? WHERE {ENDED} IS NULL "
            f"AND EXISTS (SELECT 1 FROM {gone} g WHERE {self._table.match('g', 'h')})",
            [self._now, self._now, self._load],
        )

    def take(self, came: str, tombstone: str) -> None:
        """Add the rows that arrived: unchanged, changed, new, or marked as deleted by the source.

        A new version needs a change of content: a change of `dateLastModified` alone makes none.
        """
        run = self._store.run
        compared = [n for n in self._content if n.strip('"') not in {*self._table.keys, "dateLastModified"}]
        same = f"(({', '.join(f's.{n}' for n in compared)}) IS NOT DISTINCT FROM ({', '.join(f'h.{n}' for n in compared)}))"
        marked = tombstone.replace('"status"', 's."status"')
        run(
            f'CREATE TEMP TABLE "versions" AS SELECT s.row AS s, h.rowid AS h, {marked} AS tombstone, '
            f"coalesce(s.{EXTRACTED}, ?) AS seen FROM {came} s "
            f"LEFT JOIN (SELECT *, rowid FROM {self._place} WHERE {ENDED} IS NULL) h ON {self._table.match('s', 'h')} "
            f"WHERE {marked} OR h.rowid IS NULL OR NOT {same}",
            [self._now],
        )
        run(
            f"UPDATE {self._place} AS h SET {ENDED} = v.seen, {DELETED} = CASE WHEN v.tombstone THEN v.seen END, "
            f'{ENDED_LOAD} = ? FROM "versions" v WHERE v.h = h.rowid',
            [self._load],
        )
        self._add(f'{came} s WHERE s.row IN (SELECT s FROM "versions" WHERE NOT tombstone)', self._load)
        run('DROP TABLE "versions"')

    def forget(self, days: int | None) -> None:
        """Remove versions that ended more than so many days ago; none without a number."""
        if days:
            self._store.run(f"DELETE FROM {self._place} WHERE {ENDED} < ?", [self._now - timedelta(days=days)])


def close(store: WarehouseFile, table: Table, now: datetime, load: int) -> None:
    """End all versions of a history that is not kept any more, because nobody knows how long they stand."""
    name = table.name + HISTORY
    if name in store.tables() and ENDED_LOAD in store.columns(name):
        set_ended = f"SET {ENDED} = ?, {ENDED_LOAD} = ?"
        store.run(f"UPDATE {store.place(name)} {set_ended} WHERE {ENDED} IS NULL", [now, load])
