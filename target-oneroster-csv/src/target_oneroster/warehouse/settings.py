"""The settings of the warehouse target: the only place that defines them; `--about`, the READMEs and Meltano use it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from ..singer.settings import REQUIRE_RECEIPTS, SOURCE_TIME_ZONE, time_zone
from .load import WarehouseOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONFIG", "options_from"]

CONFIG: dict[str, Any] = th.PropertiesList(
    th.Property(
        "filepath",
        th.StringType(nullable=False),
        required=True,
        title="File Path",
        description="The DuckDB file. It is made where it is not there.",
    ),
    th.Property(
        "default_target_schema",
        th.StringType(nullable=False),
        default="oneroster",
        title="Default Target Schema",
        description="Schema in the file that the tables are kept in.",
    ),
    th.Property(
        "hard_delete",
        th.BooleanType(nullable=False),
        default=False,
        title="Hard Delete",
        description="Remove rows that are gone from the source. Without it they stay, and _sdc_deleted_at says since when.",
    ),
    th.Property(
        "activate_version",
        th.BooleanType(nullable=False),
        default=True,
        title="Activate Version",
        description="Take rows that a whole read no longer brought for gone (ACTIVATE_VERSION). Without it only rows "
        "marked tobedeleted are.",
    ),
    th.Property(
        "history",
        th.BooleanType(nullable=False),
        default=False,
        title="History",
        description="Keep every version of every row in <table>_history, with the times at which it was first and last seen.",
    ),
    th.Property(
        "views",
        th.BooleanType(nullable=False),
        default=True,
        title="Views",
        description="Make the schema <schema>_current, a view of the present rows for each table without the columns of the loader, "
        "and the views students, teachers, schools, terms and gradingPeriods.",
    ),
    th.Property(
        "parquet_path",
        th.StringType,
        title="Parquet Path",
        description="Folder into which each table is also written as a Parquet file, after a run that ended well.",
    ),
    REQUIRE_RECEIPTS,
    SOURCE_TIME_ZONE,
    th.Property(
        "include_passwords",
        th.BooleanType(nullable=False),
        default=False,
        title="Include Passwords",
        description="Make the password columns and fill them. Without it there are none, whatever came.",
    ),
).to_dict()


def options_from(config: Mapping[str, Any]) -> WarehouseOptions:
    """Return the settings as WarehouseOptions."""
    folder = config.get("parquet_path")
    return WarehouseOptions(
        schema=config["default_target_schema"],
        hard_delete=config["hard_delete"],
        history=config["history"],
        views=config["views"],
        activate_version=config["activate_version"],
        require_receipts=config["require_receipts"],
        include_passwords=config["include_passwords"],
        zone=time_zone(config),
        parquet=Path(folder) if folder else None,
    )
