"""Who and what came back under another id between two loads: a proposal, in tables of the open warehouse's session.

    crosswalk(baseline, file, old_id, new_id, rules, overlap, verdict, schools)   verdict: proposed, weak or conflict
    two_ids(baseline, school, id, other_id)                                       one person under two ids that are there

DuckDB makes and keeps them, so no id passes through Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .warehouse import sql

if TYPE_CHECKING:
    from .warehouse import Warehouse

FILES = ("orgs", "academicSessions", "courses", "users", "classes", "enrollments")
"""The files that it covers, those that others refer to first."""


def prepare(warehouse: Warehouse) -> None:
    """Make the tables, empty."""
    warehouse.run(
        "CREATE OR REPLACE TEMP TABLE crosswalk (baseline BIGINT, file VARCHAR, old_id VARCHAR, new_id VARCHAR, rules VARCHAR[], "
        "overlap DOUBLE, verdict VARCHAR, schools VARCHAR[])"
    )
    warehouse.run(
        "CREATE OR REPLACE TEMP TABLE two_ids (baseline BIGINT, school VARCHAR, id VARCHAR, other_id VARCHAR)"
    )


def build(warehouse: Warehouse, baseline: int, load: int) -> None:
    """Add what came back under another id since a load. `prepare` goes before."""

    def add(name: str, table: str = "crosswalk") -> None:
        warehouse.run(f"INSERT INTO {table} {sql(f'checks/churn_{name}.sql')}", baseline=baseline, load=load)

    add("codes")
    keys = f"CREATE OR REPLACE TEMP TABLE user_keys AS {sql('checks/churn_keys.sql')}"
    warehouse.run(keys, baseline=baseline, load=load)
    add("people")
    add("two_ids", "two_ids")
    warehouse.run("DROP TABLE user_keys")
    add("classes")
    add("enrollments")
