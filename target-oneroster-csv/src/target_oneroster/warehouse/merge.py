"""Merge one stream into its table, by key, in one transaction: new, changed, deleted and restored rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._core.model import RECEIPTS
from .._core.model.schema import TENANT
from .._core.sql import quoted
from .counts import TableCounts, by_tenant
from .history import History, close
from .schema import DELETED, EXTRACTED, RECEIVED, VERSION
from .schema_table import note_columns

if TYPE_CHECKING:
    from datetime import datetime

    from .loads import Loads
    from .schema import Table
    from .staging import Came
    from .warehouse_file import WarehouseFile

TOMBSTONE = "coalesce(\"status\" = 'tobedeleted', false)"


@dataclass(frozen=True, slots=True)
class Parent:
    """The parent of derived rows: each parent record that arrived has brought all of its rows."""

    owner: str
    """Column of the derived row that names the parent."""
    rows: str | None
    """FROM clause of the parents that arrived; None if none did, or if they are not proven."""
    whole: bool = False
    """True if all parents arrived: derived rows of other parents are deleted."""


@dataclass(frozen=True, slots=True)
class MergePlan:
    """How to merge the staged rows of one stream."""

    table: Table
    came: Came
    rows: str
    """FROM clause of the staged rows that count, with their number as `row`."""
    now: datetime
    loads: Loads
    counts: TableCounts
    """Where to count; it has the tenants whose rows were to come, and what was remarkable of them."""
    superseded: str | None = None
    """Query for rows that a later copy of their parent lacks."""
    snapshot: bool = False
    """True if rows that did not arrive are deleted."""
    parent: Parent | None = None
    hard: bool = False
    history: bool = False
    keep_days: int | None = None
    """Versions that ended longer ago are removed from the history."""
    stamp: bool = False
    """True if unchanged rows also get the new version, because another run may continue it."""

    def count_what_came(self, store: WarehouseFile, rows: str, tombstone: str) -> None:
        """Count the rows that came, and see for which tenants the table was read as a whole."""
        tenants = self.table.tenant
        what = ["count(*)", f"count(*) FILTER (NOT ({tombstone}))"]
        found = by_tenant(store, what, rows, tenants=tenants) if self.came.records else {}
        for tenant, (every, came) in found.items():
            counts = self.counts.of(tenant)
            counts.came, counts.whole = came, self.snapshot and every > 0
        if self.parent and self.parent.rows and self.parent.whole:
            for tenant in by_tenant(store, ["count(*)"], f"{self.parent.rows} p", tenants=tenants):
                self.counts.of(tenant).whole = True

    def record(self, store: WarehouseFile) -> None:
        """Add the counts to the loads of the warehouse, and what the columns hold now."""
        if self.table.file.name != RECEIPTS.name:
            self.loads.add(self.table.name, self.counts)
            note_columns(store, self)


def merge(store: WarehouseFile, plan: MergePlan) -> None:
    """Merge the rows that arrived into a table, in one transaction."""
    store.run("BEGIN TRANSACTION")
    store.ensure(plan.table)
    _Merge(store, plan).run()
    plan.record(store)
    plan.loads.write()
    store.run("COMMIT")


class _Merge:
    """The statements of one transaction."""

    def __init__(self, store: WarehouseFile, plan: MergePlan) -> None:
        self._store, self._plan, self._table = store, plan, plan.table
        self._target = store.place(plan.table.name)
        self._keys = plan.table.keys
        self._tombstone = TOMBSTONE if plan.table.has_status else "false"

    def run(self) -> None:
        store, plan = self._store, self._plan
        self._take_rows()
        plan.count_what_came(store, '"came"', self._tombstone)
        load = plan.loads.number
        history = History(store, self._table, plan.now, load, before=load - 1) if plan.history else None
        if not history:
            close(store, self._table, plan.now, load)
        empty = not store.one(f"SELECT count(*) FROM (SELECT 1 FROM {self._target} LIMIT 1)")
        if not empty:
            self._find_gone()
            if history:
                history.end('"gone"')
            self._remove_gone()
        if history:
            history.take('"came"', self._tombstone)
            history.forget(plan.keep_days)
        if empty:
            self._insert_all()
        else:
            self._merge()
            if plan.stamp:
                self._stamp()
        plan.counts.count_total(store, self._target, tenants=self._table.tenant)
        store.run('DROP VIEW "came"')
        for name in ("gone", "touched"):
            store.run(f"DROP TABLE IF EXISTS temp.{quoted(name)}")

    def _take_rows(self) -> None:
        """Create the view `came`: the rows that count, without derived rows that a later copy of their parent lacks."""
        where = f" WHERE row NOT IN ({self._plan.superseded})" if self._plan.superseded else ""
        self._store.run(f'CREATE TEMP VIEW "came" AS SELECT * FROM {self._plan.rows}{where}')

    def _find_gone(self) -> None:
        """Create the table `gone`: existing rows that should have arrived but did not."""
        plan, store = self._plan, self._store
        causes: list[str] = []
        if plan.snapshot and plan.came.records:
            causes.append(
                f"w.{VERSION} IS DISTINCT FROM {plan.came.version if plan.came.version is not None else 'NULL'}"
            )
        if plan.parent:
            owner = quoted(plan.parent.owner)
            causes.append(f'w.{owner} IN (SELECT {owner} FROM "came")')
            if plan.parent.rows:
                causes.append(f'w.{owner} IN (SELECT "sourcedId" FROM {plan.parent.rows})')
                if plan.parent.whole:
                    causes.append("true")
        keys = ", ".join(f"w.{quoted(key)}" for key in self._keys)
        if not causes:
            causes = ["false"]
        within = ""
        if self._table.tenant:
            tenants = [f'SELECT {TENANT} FROM "came"']
            if plan.parent and plan.parent.rows:
                tenants.append(f"SELECT {TENANT} FROM {plan.parent.rows}")
            within = f"w.{TENANT} IN ({' UNION '.join(tenants)}) AND "
        store.run(
            f'CREATE TEMP TABLE "gone" AS SELECT w.rowid AS row, {keys} FROM {self._target} w '
            f"WHERE w.{DELETED} IS NULL AND {within}({' OR '.join(causes)}) "
            f'AND NOT EXISTS (SELECT 1 FROM "came" s WHERE {self._table.match("s", "w")})'
        )
        for tenant, (gone,) in by_tenant(store, ["count(*)"], '"gone"', tenants=self._table.tenant).items():
            self._plan.counts.of(tenant).deleted += gone

    def _remove_gone(self) -> None:
        these = 'rowid IN (SELECT row FROM "gone")'
        if self._plan.hard:
            self._store.run(f"DELETE FROM {self._target} WHERE {these}")
        else:
            self._store.run(f"UPDATE {self._target} SET {DELETED} = ? WHERE {these}", [self._plan.now])

    def _insert_all(self) -> None:
        keep = f" WHERE NOT ({self._tombstone})" if self._plan.hard else ""
        deleted = f"CASE WHEN {self._tombstone} THEN ?::TIMESTAMPTZ END"
        self._insert(deleted, f'"came" s{keep}', [self._plan.now])
        for counts in self._plan.counts.tenants.values():
            counts.new = counts.came

    def _insert(self, deleted: str, rows: str, parameters: list[object]) -> None:
        content = [quoted(name) for name in self._table.content]
        names = ", ".join([*content, EXTRACTED, RECEIVED, DELETED, VERSION])
        values = ", ".join(
            [*(f"s.{name}" for name in content), f"coalesce(s.{EXTRACTED}, ?)", "?", deleted, f"s.{VERSION}"]
        )
        now = self._plan.now
        self._store.run(f"INSERT INTO {self._target} ({names}) SELECT {values} FROM {rows}", [now, now, *parameters])

    def _merge(self) -> None:
        store, now, match = self._store, self._plan.now, self._table.match("s", "w")
        tombstone = self._tombstone.replace('"status"', 's."status"')
        tenant = f", s.{TENANT}" if self._table.tenant else ""
        store.run(
            f'CREATE TEMP TABLE "touched" AS SELECT s.row AS s, w.rowid AS w, w.{DELETED} AS deleted, '
            f"{tombstone} AS tombstone, {self._differs(but='dateLastModified')} AS differs{tenant} "
            f'FROM "came" s LEFT JOIN {self._target} w ON {match} '
            f"WHERE w.rowid IS NULL OR {self._differs()} OR (w.{DELETED} IS NOT NULL) <> {tombstone}"
        )
        was = "w IS NOT NULL AND deleted IS NULL"
        what = [
            f"count(*) FILTER (NOT tombstone AND NOT ({was}))",
            f"count(*) FILTER (NOT tombstone AND {was} AND differs)",
            f"count(*) FILTER (tombstone AND {was})",
        ]
        for of, (new, changed, deleted) in by_tenant(store, what, '"touched"', tenants=self._table.tenant).items():
            counts = self._plan.counts.of(of)
            counts.new, counts.changed = new, changed
            counts.deleted += deleted
        for counts in self._plan.counts.tenants.values():
            counts.unchanged = counts.came - counts.new - counts.changed
        store.run(f'DELETE FROM {self._target} WHERE rowid IN (SELECT w FROM "touched" WHERE w IS NOT NULL)')
        hard = " WHERE NOT t.tombstone" if self._plan.hard else ""
        self._insert(
            "CASE WHEN t.tombstone THEN coalesce(t.deleted, ?::TIMESTAMPTZ) END",
            f'"came" s JOIN "touched" t ON t.s = s.row{hard}',
            [now],
        )

    def _differs(self, but: str = "") -> str:
        """Return the condition that the row that came, `s`, has other values than the one that is there, `w`."""
        names = [quoted(name) for name in self._table.content if name not in {*self._keys, but}]
        return f"(({', '.join(f's.{n}' for n in names)}) IS DISTINCT FROM ({', '.join(f'w.{n}' for n in names)}))"

    def _stamp(self) -> None:
        self._store.run(
            f"UPDATE {self._target} AS w SET {VERSION} = ? WHERE {VERSION} IS DISTINCT FROM ? "
            f'AND EXISTS (SELECT 1 FROM "came" s WHERE {self._table.match("s", "w")})',
            [self._plan.came.version] * 2,
        )
