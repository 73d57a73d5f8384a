"""The tap's settings: the only place that defines their names, types, defaults and descriptions."""

from __future__ import annotations

from singer_sdk import typing as th

from .._core.model import Version
from .._core.settings import TEXT, choice, setting, switch
from ..batch_files.settings import BATCH_SETTING
from ..rest.settings import REST_SETTINGS
from ..twin.settings import TWIN_SETTINGS
from ..warehouse.settings import WAREHOUSE_SETTINGS

_TEXTS = th.ArrayType(TEXT, nullable=False)
_PERCENT = th.NumberType(nullable=False, minimum=0, maximum=100)
_AT_LEAST_0 = th.NumberType(nullable=False, minimum=0)

SETTINGS = th.PropertiesList(
    choice(
        "mode",
        ["rest", "csv", "warehouse"],
        "Where the data comes from: rest (a OneRoster service), csv (bundles of CSV files) or warehouse (the DuckDB "
        "file of target-oneroster-duckdb, to publish what was audited).",
        default="rest",
    ),
    choice(
        "oneroster_version",
        ["auto", *(v.value for v in Version)],
        "OneRoster version of the source. With auto, the tap finds it in the path, the manifest or the files.",
        title="OneRoster Version",
        default="auto",
    ),
    *REST_SETTINGS,
    setting(
        "csv_path",
        TEXT,
        "Folder, zip or pattern (*.zip) of OneRoster bundles, for mode csv. A path or a URL.",
        title="CSV Path",
    ),
    setting(
        "csv_storage_options",
        th.ObjectType(additional_properties=True, nullable=False),
        "Options for the store of csv_path (fsspec), such as host, key and password.",
        title="CSV Storage Options",
        secret=True,
    ),
    choice(
        "csv_file_mode",
        ["auto", "bulk", "delta"],
        "Mode of files for which no manifest says bulk or delta: bulk (the file holds all rows), delta "
        "(it holds changes) or auto (a file whose rows have a status is a delta).",
        title="CSV File Mode",
        default="auto",
    ),
    *WAREHOUSE_SETTINGS,
    setting(
        "settle_seconds",
        _AT_LEAST_0,
        "How many seconds the files of a folder must be unchanged before they are read. The tap waits for it.",
        default=10,
    ),
    switch("accept_orphan_delta", "Read a delta bundle even if no bulk bundle was read before it."),
    choice(
        "on_invalid",
        ["report", "fail", "accept"],
        "What to do with a row that cannot be read: report (leave it out, count it, deliver the others "
        "and fail at the end), fail (stop at the first one) or accept (like report, but the run succeeds "
        "and its state moves).",
        default="report",
    ),
    setting(
        "start_date",
        th.DateTimeType(nullable=False),
        "Read only records that were modified since this time (mode rest, if the service can tell).",
    ),
    setting(
        "lookback_seconds",
        _AT_LEAST_0,
        "How many seconds before the bookmark an incremental read starts, because clocks and caches of "
        "services can be hours late.",
        default=86400,
    ),
    setting(
        "full_refresh_days",
        _AT_LEAST_0,
        "After how many days a collection is read completely again, because dateLastModified does not "
        "show all changes and no deleted records (0 = never).",
        default=7,
    ),
    switch(
        "activate_versions",
        "Write ACTIVATE_VERSION after a complete snapshot, so that loaders can delete rows that are gone.",
        default=True,
    ),
    setting(
        "max_shrink_percent",
        _PERCENT,
        "How much a snapshot may shrink since the last one, in percent, before deletes are held back. It "
        "applies to the whole collection and to each school with more than 20 rows.",
        default=20,
    ),
    switch("accept_shrink", "Allow this run to delete more than max_shrink_percent. Set it for one run."),
    switch(
        "include_views",
        "Offer the streams schools, students, teachers, terms and gradingPeriods, too. They repeat rows "
        "of orgs, users and academicSessions.",
    ),
    switch("include_passwords", "Deliver the passwords of users and userProfiles."),
    setting(
        "metadata_keys",
        _TEXTS,
        "Patterns of the metadata keys to deliver. Other keys are left out.",
        default=["*"],
    ),
    setting(
        "source_time_zone",
        TEXT,
        "Time zone of times that have no zone, and of the dates of line items (such as America/Chicago).",
        default="UTC",
    ),
    setting(
        "tenant",
        TEXT,
        "Name of the district. It becomes the first column of every record and part of the key, so that "
        "several districts can share tables.",
    ),
    switch(
        "tenant_isolated", "Set it if each tenant has its own tables. Then rows can be deleted although tenant is set."
    ),
    *TWIN_SETTINGS,
    BATCH_SETTING,
)
