"""How rows went: marked as deleted by the source, or no longer sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.history import ENDED_LOAD, FIRST_LOAD
from .._core.sql import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..warehouse import Warehouse


def gone(warehouse: Warehouse, files: Iterable[str], baseline: int, load: int) -> dict[str, tuple[int, int]]:
    """Return for each file how many rows of the baseline were marked as deleted, and how many are no longer sent.

    The table of the rows themselves says which; a file is left out if the warehouse does not have it.
    """
    counted = " UNION ALL ".join(
        f"""SELECT {literal(name)}, count(*) FILTER (t.marked), count(*) FILTER (t.marked IS NOT TRUE) FROM (
            SELECT DISTINCT "sourcedId" AS id FROM {quoted(name + "_versions")}($load)
            WHERE {ENDED_LOAD} > $baseline AND {ENDED_LOAD} <= $load AND {FIRST_LOAD} <= $baseline) g
        ANTI JOIN {quoted(name + "_at")}($load) n ON n."sourcedId" = g.id
        LEFT JOIN (SELECT "sourcedId" AS id, "status" = 'tobedeleted' AS marked FROM {warehouse.place(name)}) t USING (id)"""
        for name in files
        if warehouse.keeps_status(name)
    )
    if not counted:
        return {}
    return {name: (marked, vanished) for name, marked, vanished in warehouse.run(counted, baseline=baseline, load=load)}
