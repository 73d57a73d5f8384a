"""How rows went: marked as deleted by the source, or no longer sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.history import ENDED_LOAD, FIRST_LOAD
from .._core.present_rows import DELETED
from .._core.sql import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..warehouse import Warehouse

__all__ = ["gone"]


def gone(warehouse: Warehouse, files: Iterable[str], baseline: int, load: int) -> dict[str, tuple[int, int]]:
    """Return for each file how many rows of the baseline were marked as deleted, and how many are no longer sent."""
    counted = " UNION ALL ".join(
        f"SELECT {literal(name)}, count(*) FILTER (marked), count(*) FILTER (NOT marked) FROM ("
        f'SELECT "sourcedId", bool_or({DELETED} IS NOT NULL) AS marked FROM {quoted(name + "_versions")}($load) '
        f"WHERE {ENDED_LOAD} > $baseline AND {ENDED_LOAD} <= $load AND {FIRST_LOAD} <= $baseline GROUP BY 1) g "
        f'ANTI JOIN {quoted(name + "_at")}($load) n ON n."sourcedId" = g."sourcedId"'
        for name in files
    )
    if not counted:
        return {}
    return {name: (marked, vanished) for name, marked, vanished in warehouse.run(counted, baseline=baseline, load=load)}
