"""The settings of the warehouse target: the only place that defines them; `--about`, the READMEs and Meltano use it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from ..singer.settings import REQUIRE_RECEIPTS, SOURCE_TIME_ZONE, TEXT, setting, switch, time_zone
from .load import WarehouseOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONFIG", "options_from"]

CONFIG: dict[str, Any] = th.PropertiesList(
    setting("filepath", TEXT, "The DuckDB file. It is made where it is not there.", title="File Path", required=True),
    setting("default_target_schema", TEXT, "Schema in the file that the tables are kept in.", default="oneroster"),
    switch(
        "hard_delete",
        "Remove rows that are gone from the source. Without it they stay, and _sdc_deleted_at says since when.",
    ),
    switch(
        "activate_version",
        "Take rows that a whole read no longer brought for gone (ACTIVATE_VERSION). Without it only rows "
        "marked tobedeleted are.",
        default=True,
    ),
    switch(
        "history",
        "Keep every version of every row in <table>_history, with the times at which it was first and last seen.",
    ),
    switch(
        "views",
        "Make the schema <schema>_current, a view of the present rows for each table without the columns of the loader, "
        "and the views students, teachers, schools, terms and gradingPeriods.",
        default=True,
    ),
    setting(
        "parquet_path",
        th.StringType,
        "Folder into which each table is also written as a Parquet file, after a run that ended well.",
    ),
    REQUIRE_RECEIPTS,
    SOURCE_TIME_ZONE,
    switch("include_passwords", "Make the password columns and fill them. Without it there are none, whatever came."),
).to_dict()


def options_from(config: Mapping[str, Any]) -> WarehouseOptions:
    """Return the settings as WarehouseOptions."""
    folder = config.get("parquet_path")
    same = {name: config[name] for name in WarehouseOptions.__dataclass_fields__ if name in config}
    others = {
        "schema": config["default_target_schema"],
        "zone": time_zone(config),
        "parquet": Path(folder) if folder else None,
    }
    return WarehouseOptions(**same | others)
