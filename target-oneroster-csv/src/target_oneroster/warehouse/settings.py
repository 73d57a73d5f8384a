"""The settings of the warehouse target: one place, from which `--about`, the READMEs and Meltano take them."""

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
        description="The DuckDB file. If it does not exist, it is created.",
    ),
    th.Property(
        "default_target_schema",
        th.StringType(nullable=False),
        default="oneroster",
        title="Default Target Schema",
        description="Schema of the tables in the file.",
    ),
    th.Property(
        "hard_delete",
        th.BooleanType(nullable=False),
        default=False,
        title="Hard Delete",
        description="Remove rows that are gone from the source. Otherwise they stay, and _sdc_deleted_at says when "
        "they were found to be gone.",
    ),
    th.Property(
        "activate_version",
        th.BooleanType(nullable=False),
        default=True,
        title="Activate Version",
        description="Treat rows as gone if a complete read does not bring them (ACTIVATE_VERSION). Otherwise only "
        "rows with tobedeleted are gone.",
    ),
    th.Property(
        "history",
        th.BooleanType(nullable=False),
        default=False,
        title="History",
        description="Keep every version of every row in <table>_history, with the times of the first and the last "
        "read that brought it.",
    ),
    th.Property(
        "views",
        th.BooleanType(nullable=False),
        default=True,
        title="Views",
        description="Create the schema <schema>_current, which has a view for each table with the present rows and "
        "without the loader's columns, and the views students, teachers, schools, terms and "
        "gradingPeriods.",
    ),
    th.Property(
        "parquet_path",
        th.StringType,
        title="Parquet Path",
        description="Folder for a Parquet file of each table, written after each successful run.",
    ),
    REQUIRE_RECEIPTS,
    SOURCE_TIME_ZONE,
    th.Property(
        "include_passwords",
        th.BooleanType(nullable=False),
        default=False,
        title="Include Passwords",
        description="Create and fill the password columns. Otherwise there are none.",
    ),
).to_dict()


def options_from(config: Mapping[str, Any]) -> WarehouseOptions:
    """The settings as the core reads them."""
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
