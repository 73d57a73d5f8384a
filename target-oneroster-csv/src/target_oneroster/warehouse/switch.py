"""A warehouse that one binding fed, and that the other feeds now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model import RECEIPTS
from .._core.model.schema import TENANT
from .._core.sql import quoted

if TYPE_CHECKING:
    from ..singer.receipts import Receipts
    from .warehouse_file import WarehouseFile

_BINDINGS = {"rest": "REST", "bulk": "CSV", "delta": "CSV"}
"""What the modes of receipts say of the source."""


def switched(store: WarehouseFile, receipts: Receipts) -> str:
    """Return what to expect, if the last receipts in the warehouse are of another binding; empty if they are not."""
    came = next((r for r in receipts if r.get("mode") in _BINDINGS), None)
    if came is None or RECEIPTS.name not in store.tables():
        return ""
    has_tenants = TENANT in store.columns(RECEIPTS.name)
    before = store.run(
        f'SELECT "mode" FROM {store.place(RECEIPTS.name)} WHERE list_contains(?, "mode")'
        + (f" AND {quoted(TENANT)} IS NOT DISTINCT FROM ?" if has_tenants else "")
        + ' ORDER BY "finishedAt" DESC LIMIT 1',
        [list(_BINDINGS), came.get(TENANT)] if has_tenants else [list(_BINDINGS)],
    )
    was, now = _BINDINGS[before[0][0]] if before else "", _BINDINGS[came["mode"]]
    if was in ("", now):
        return ""
    return (
        f"This warehouse was fed by {was} before, and is fed by {now} now: rows that are derived, such as those of roles,"
        " come with other ids, and the old ones are marked deleted by the first full read. Count rows that are"
        " present only, or use a warehouse of its own for each."
    )
