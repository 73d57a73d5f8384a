"""The outcome of a load for the rows of one table, by tenant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._core.model.schema import TENANT
from .schema import DELETED

if TYPE_CHECKING:
    from collections.abc import Collection

    from .warehouse_file import WarehouseFile


@dataclass(slots=True)
class Counts:
    """Numbers of rows. `came` is always `new` + `changed` + `unchanged`."""

    came: int = 0
    """Rows that arrived, one for each key, without those that the source marked as deleted."""
    new: int = 0
    """Rows that were not present before, also those that came back."""
    changed: int = 0
    """Rows that differ from those before in another column than `dateLastModified`."""
    unchanged: int = 0
    deleted: int = 0
    """Rows that were present before, and were marked as deleted or found to be gone."""
    total: int = 0
    """Number of rows that are present now."""
    whole: bool = False
    """True if rows that did not arrive were found to be gone."""


@dataclass(slots=True)
class TableCounts:
    """The outcome for one table."""

    tenants: dict[str | None, Counts] = field(default_factory=dict)
    """The counts of each tenant; None is the only one in a table without tenants."""
    records: int = 0
    """Number of records that arrived, with copies."""
    note: str = ""

    def of(self, tenant: str | None) -> Counts:
        """Return the counts of a tenant, which are created on first use."""
        return self.tenants.setdefault(tenant, Counts())

    def count_total(self, store: WarehouseFile, place: str, *, tenants: bool) -> None:
        """Count the rows of a table that are present now."""
        present = by_tenant(store, ["count(*)"], place, f"{DELETED} IS NULL", tenants=tenants)
        for tenant, counts in self.tenants.items():
            (counts.total,) = present.get(tenant, (0,))

    def sum(self, name: str) -> int:
        """Return one of the numbers, added up over the tenants."""
        return sum(getattr(counts, name) for counts in self.tenants.values())


def by_tenant(
    store: WarehouseFile, what: Collection[str], rows: str, where: str = "true", *, tenants: bool
) -> dict[str | None, tuple[Any, ...]]:
    """Return these aggregates of rows for each tenant that they have; without `tenants`, for None."""
    tenant, group = (TENANT, " GROUP BY 1") if tenants else ("NULL", "")
    found = store.run(f"SELECT {tenant}, {', '.join(what)} FROM {rows} WHERE {where}{group}")
    return {row[0]: row[1:] for row in found}
