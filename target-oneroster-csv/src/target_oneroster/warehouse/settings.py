"""The settings of the warehouse target: the only place that defines them; `--about`, the READMEs and Meltano use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from .._core.settings import TEXT, setting, switch
from ..singer.settings import REQUIRE_RECEIPTS, SOURCE_TIME_ZONE, engine_memory, options_of
from .load import WarehouseOptions
from .loader import LOADER_MEMORY
from .parquet_files import ParquetFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG: dict[str, Any] = th.PropertiesList(
    setting(
        "filepath", TEXT, "The DuckDB file. If it does not exist, it is created.", title="File Path", required=True
    ),
    setting("default_target_schema", TEXT, "Schema of the tables in the file.", default="oneroster"),
    switch(
        "hard_delete",
        "Remove rows that are gone from the source. Otherwise they stay, and _sdc_deleted_at says when "
        "they were found to be gone.",
    ),
    switch(
        "activate_version",
        "Treat rows as gone if a complete read does not bring them (ACTIVATE_VERSION). Otherwise only "
        "rows with tobedeleted are gone.",
        default=True,
    ),
    switch(
        "history",
        "Keep every version of every row in <table>_history, with the time and the load in which it began and ended.",
    ),
    setting(
        "history_keep_days",
        th.IntegerType(nullable=False, minimum=1),
        "Number of days after which versions that have ended are removed from the history. Default: never.",
    ),
    switch(
        "views",
        "Create the schema <schema>_current, which has a view for each table with the present rows and "
        "without the loader's columns, and the views students, teachers, schools, terms and "
        "gradingPeriods.",
        default=True,
    ),
    setting(
        "parquet_path",
        th.StringType,
        "Folder for a Parquet file of each table, written after each successful run; or a URL such as "
        "s3://lake/{stream}/tenant=north/. {stream} is the table, which then has a folder of its own.",
    ),
    REQUIRE_RECEIPTS,
    SOURCE_TIME_ZONE,
    engine_memory(LOADER_MEMORY),
    switch("include_passwords", "Create and fill the password columns. Otherwise there are none."),
).to_dict()


def options_from(config: Mapping[str, Any]) -> WarehouseOptions:
    """Return the settings as WarehouseOptions."""
    place = config.get("parquet_path")
    parquet = ParquetFiles(place) if place else None
    return options_of(WarehouseOptions, config, schema=config["default_target_schema"], parquet=parquet)
