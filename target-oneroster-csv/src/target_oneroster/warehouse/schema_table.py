"""The table `_schema`: what each column of a table held after a load, in counts only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .._core.model.schema import TENANT
from .._core.sql import literal, quoted
from .counts import by_tenant
from .schema import DELETED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .merge import MergePlan
    from .warehouse_file import WarehouseFile

NAME = "_schema"
_FEW = 50
"""Words of columns with more different values are not counted: they may be ids, names, or anything."""
_SAMPLE = 10_000
"""Number of rows that show for most columns that they have more."""
ABOUT = "What the columns held after each load. Key: load, table, column_name, tenant."
COLUMNS = {
    "load": ("BIGINT", "Number of the load."),
    "table": ("VARCHAR", "Name of the table."),
    "column_name": ("VARCHAR", "Name of the column."),
    "present": ("BIGINT", "Present rows with a value in the column; an empty list is no value."),
    "distinct": (
        "BIGINT",
        f"Number of different values, in lists of items; empty if there are more than {_FEW}, and for objects.",
    ),
    "words": ("JSON", f"Number of each word of a column with a vocabulary; empty if there are more than {_FEW}."),
    "tenant": ("VARCHAR", "The tenant; empty in a warehouse without tenants."),
}


def note_columns(store: WarehouseFile, plan: MergePlan) -> None:
    """Add what the columns of a table hold, for the tenants of the load."""
    _Columns(store, plan).add()


class _Columns:
    """The columns of one table."""

    def __init__(self, store: WarehouseFile, plan: MergePlan) -> None:
        self._store, self._plan, table = store, plan, plan.table
        kinds = table.content
        self._fields = [field for field in table.fields if not field.secret]
        self._lists = [f.name for f in self._fields if kinds[f.name] == "VARCHAR[]"]
        self._values = [f.name for f in self._fields if "[" not in kinds[f.name] and kinds[f.name] != "JSON"]
        self._tenant = TENANT if table.tenant else "NULL"
        self._place = store.place(table.name)

    def add(self) -> None:
        """Count in one pass over all columns, then exactly those with few different values."""
        if not self._plan.counts.sum("total"):
            self._insert({}, {})
            return
        names = [field.name for field in self._fields]
        maybe = self._few(self._values, self._count(_rough(self._values), self._sample()).values(), least=0)
        found = self._count([*map(self._present, names), *_rough(maybe)])
        held = {tenant: dict(zip(names, row, strict=False)) for tenant, row in found.items()}
        few = self._few(maybe, [row[len(names) :] for row in found.values()])
        for name in (name for name in self._lists if any(of[name] for of in held.values())):
            few += self._few([name], self._count(["approx_count_distinct(item)"], self._items(name)).values())
        self._insert(held, self._words_of(few))

    def _present(self, name: str) -> str:
        is_list = "[" in self._plan.table.content[name]
        return f"count({quoted(name)})" + (f" FILTER (len({quoted(name)}) > 0)" if is_list else "")

    def _sample(self) -> str:
        """Return a FROM clause of some of the present rows."""
        return f"(SELECT * FROM {self._place} WHERE {DELETED} IS NULL LIMIT {_SAMPLE})"

    def _items(self, name: str) -> str:
        """Return a FROM clause of the present rows, with an item of the list, or the value, as `item`."""
        value = f"unnest({quoted(name)})" if name in self._lists else quoted(name)
        return f"(SELECT {self._tenant} AS tenant, {value} AS item FROM {self._place} WHERE {DELETED} IS NULL)"

    def _count(self, what: list[str], rows: str = "") -> dict[str | None, tuple[int, ...]]:
        """Return aggregates of the present rows for each tenant."""
        where, tenants = "true" if rows else f"{DELETED} IS NULL", self._plan.table.tenant
        return by_tenant(self._store, what, rows or self._place, where, tenants=tenants)

    @staticmethod
    def _few(names: list[str], rough: Iterable[tuple[int, ...]], least: int = 1) -> list[str]:
        """Return the columns that have `least` values or more, and may have few different ones.

        `rough` counts those of each tenant.
        """
        most = map(max, zip(*rough, strict=True))
        return [name for name, count in zip(names, most, strict=False) if least <= count <= 2 * _FEW]

    def _words_of(self, names: list[str]) -> dict[tuple[str | None, str], dict[str, int]]:
        """Return the number of each value, by tenant and column."""
        found: dict[tuple[str | None, str], dict[str, int]] = {}
        each = (
            f"SELECT {literal(name)}, tenant, CAST(item AS VARCHAR), count(*) FROM {self._items(name)} "
            "WHERE item IS NOT NULL GROUP BY tenant, item"
            for name in names
        )
        if names:
            for name, tenant, word, count in self._store.run(" UNION ALL ".join(each)):
                found.setdefault((tenant, name), {})[word] = count
        return found

    def _insert(self, held: dict[str | None, dict[str, int]], values: Mapping[tuple[str | None, str], Any]) -> None:
        rows: list[list[Any]] = []
        for tenant in self._plan.counts.tenants:
            for field in self._fields:
                present = held.get(tenant, {}).get(field.name, 0)
                counts = values.get((tenant, field.name)) or {}
                is_few = not present or 0 < len(counts) <= _FEW
                words = msgspec.json.encode(dict(sorted(counts.items()))).decode() if field.words and is_few else None
                distinct = len(counts) if is_few else None
                head = [self._plan.loads.number, self._plan.table.name, field.name]
                rows.append([*head, present, distinct, words if counts else None, tenant])
        self._plan.loads.describe(rows)


def _rough(names: Iterable[str]) -> list[str]:
    return [f"approx_count_distinct({quoted(name)})" for name in names]
