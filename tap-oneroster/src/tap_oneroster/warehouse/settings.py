"""The settings of mode `warehouse`, and the check that they fit together."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .._core.settings import TEXT, choice, setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk import typing as th

NEWEST, APPROVED, BY_SCHOOL = AS_OF = ("newest", "approved", "approved_by_school")

WAREHOUSE_SETTINGS: tuple[th.Property[Any], ...] = (
    setting(
        "warehouse_path",
        TEXT,
        "DuckDB file that target-oneroster-duckdb keeps with history: true, for mode warehouse. It is only read "
        "(needs tap-oneroster[warehouse]).",
    ),
    setting("warehouse_schema", TEXT, "Schema of the tables in warehouse_path.", default="oneroster"),
    setting(
        "store_path",
        TEXT,
        "File audit.duckdb of oneroster-audit, which says what is approved. Needed if as_of is approved or "
        "approved_by_school.",
    ),
    choice(
        "as_of",
        list(AS_OF),
        "Which load of the warehouse to read: newest, approved (the newest load that the audit released for the whole "
        "district) or approved_by_school (for each school the newest load that the audit released for it).",
        title="As Of",
        default=NEWEST,
    ),
)


def warehouse_errors(config: Mapping[str, Any]) -> list[str]:
    """Return one line for each conflict between the settings of the warehouse."""
    errors = []
    if not config.get("warehouse_path"):
        errors.append("warehouse_path: must be set where mode is warehouse")
    if config["as_of"] != NEWEST and not config.get("store_path"):
        errors.append(f"store_path: must be set where as_of is {config['as_of']}; it is written by oneroster-audit")
    if config.get("start_date"):
        errors.append("start_date: a warehouse is always read completely; remove it or set mode to rest")
    if not find_spec("duckdb"):
        errors.append("mode: warehouse is not installed; install tap-oneroster[warehouse]")
    return errors
