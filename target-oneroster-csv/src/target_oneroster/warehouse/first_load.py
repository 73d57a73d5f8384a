"""The first run: the database of staged rows becomes the warehouse, because copying it takes as long as reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.copies import UNITED
from .._core.copies.tables import UNITED_USERS, left_out
from .._core.sql import quoted
from .history import History
from .loader import NUMBER
from .merge import TOMBSTONE
from .schema import DELETED

if TYPE_CHECKING:
    from .merge import MergePlan
    from .warehouse_file import WarehouseFile


def first_load(store: WarehouseFile, plan: MergePlan) -> None:
    """Turn a staged table into a table of the warehouse: only rows that count, deleted ones marked or removed.

    No other process sees the file before it is complete, so no transaction is needed.
    """
    table, place = plan.table, store.place(plan.table.name)
    if plan.came.records:
        _keep_what_counts(store, plan, place)
    if table.has_family:
        store.change(f"ALTER TABLE {place} DROP COLUMN {NUMBER}")
    plan.count_what_came(store, place, f"{DELETED} IS NOT NULL")
    if plan.history:
        History(store, table, plan.now, plan.loads.number, before=plan.loads.number)
    if plan.came.records:
        plan.counts.count_total(store, place, tenants=table.tenant)
    for counts in plan.counts.tenants.values():
        counts.new = counts.came
    plan.record(store)


def _keep_what_counts(store: WarehouseFile, plan: MergePlan, place: str) -> None:
    """Remove the rows that do not count; mark or remove those that the source marked as deleted."""
    table, came = plan.table, plan.came
    if came.first:
        store.run(f"DELETE FROM {place} WHERE rowid < {came.first}")
    if plan.superseded:
        store.run(f"DELETE FROM {place} WHERE rowid IN ({plan.superseded})")
    if came.copies:
        store.run(f"DELETE FROM {place} WHERE rowid IN (SELECT number FROM {left_out(table.name)})")
    if UNITED in came.copies:
        change = '"orgSourcedIds" = u.orgs, "role" = u.role'
        store.run(f"UPDATE {place} w SET {change} FROM {quoted(UNITED_USERS)} u WHERE {table.match('u', 'w')}")
    if table.has_status and store.one(f"SELECT count(*) FROM {place} WHERE {TOMBSTONE}"):
        if plan.hard:
            store.run(f"DELETE FROM {place} WHERE {TOMBSTONE}")
        else:
            store.run(f"UPDATE {place} SET {DELETED} = ? WHERE {TOMBSTONE}", [plan.now])
