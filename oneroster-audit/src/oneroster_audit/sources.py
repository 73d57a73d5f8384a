"""`sources.differ`: the audited load against the same night from another source, where the policy names one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .pair import Pair, Side, file_and_schema
from .reconcile import LIMIT, reconcile
from .words import Cell, Finding, Severity

if TYPE_CHECKING:
    from .policy import Policy
    from .warehouse import Warehouse


def differ(warehouse: Warehouse, policy: Policy, load: int) -> list[Finding]:
    """Return a finding for each file that is not the same in both; more than 1 % holds.

    Nothing is compared if the two were loaded more than six hours apart, as they are not of one night; a note says so.
    """
    if not policy.second:
        return []
    path, schema = file_and_schema(str(policy.path(policy.second)))
    ours = Side("the warehouse", policy.path(policy.warehouse), policy.schema, policy.tenant, load)
    with Pair(ours, Side("second", path, schema, policy.tenant), warehouse) as pair:
        result = reconcile(pair)
    if result.apart:
        return [Finding("sources.apart", Severity.NOTE)]
    return [
        Finding(
            "sources.differ",
            Severity.HOLD if of.share > LIMIT else Severity.WARN,
            Cell(of.file),
            column=", ".join(sorted(of.columns)),
            count=of.only_a + of.only_b + (of.differ or 0),
            share=of.share,
        )
        for of in result.files
        if of.share
    ]
