"""`diff`: two loads of one warehouse by their history, and two files by what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .audit import compare
from .errors import Wrong
from .pair import Pair
from .reconcile import reconcile
from .warehouse import Warehouse

if TYPE_CHECKING:
    from .pair import Side


def differences(a: Side, b: Side) -> list[dict[str, Any]]:
    """Return for each file what it had, got, lost, changed and has."""
    if a.load is not None and b.load is not None and (a.path, a.schema) == (b.path, b.schema):
        with Warehouse(a.path, a.schema, a.tenant) as warehouse:
            for number in (a.load, b.load):
                if number not in warehouse.loads():
                    raise Wrong(f"the warehouse has no load {number}")
            return compare(warehouse, a.load, b.load)
    with Pair(a, b) as pair:
        return [
            {
                "file": of.file,
                "before": of.only_a + (of.differ or 0) + (of.same or 0),
                "added": of.only_b,
                "removed": of.only_a,
                "changed": of.differ or 0,
                "now": of.only_b + (of.differ or 0) + (of.same or 0),
            }
            for of in reconcile(pair, by_id=True).files
        ]
