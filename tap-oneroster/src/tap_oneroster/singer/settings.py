"""The tap's settings: the only place that defines their names, types, defaults and descriptions."""

from __future__ import annotations

from singer_sdk import typing as th

from .._core.model import Version
from ..batch_files.settings import BATCH_SETTING
from ..rest.settings import REST_SETTINGS
from ..setting import TEXT, choice, setting, switch

__all__ = ["SETTINGS"]

_TEXTS = th.ArrayType(TEXT, nullable=False)
_PERCENT = th.NumberType(nullable=False, minimum=0, maximum=100)
_AT_LEAST_0 = th.NumberType(nullable=False, minimum=0)

SETTINGS = th.PropertiesList(
    choice(
        "mode",
        ["rest", "csv"],
        "Where the data comes from: rest (a OneRoster service) or csv (bundles of CSV files).",
        default="rest",
    ),
    choice(
        "oneroster_version",
        ["auto", *(v.value for v in Version)],
        "Version that the source speaks; auto finds out from the path, the manifest or the files.",
        title="OneRoster Version",
        default="auto",
    ),
    *REST_SETTINGS,
    setting("csv_path", TEXT, "Folder, zip or pattern (*.zip) of OneRoster bundles, for mode csv.", title="CSV Path"),
    setting(
        "csv_storage_options",
        th.ObjectType(additional_properties=True, nullable=False),
        "Options for the store that csv_path names (fsspec), such as host, key and password.",
        title="CSV Storage Options",
        secret=True,
    ),
    choice(
        "csv_file_mode",
        ["auto", "bulk", "delta"],
        "What files are for which no manifest declares bulk or delta: bulk (all there is), delta"
        " (changes only) or auto (a file whose rows carry a status is a delta).",
        title="CSV File Mode",
        default="auto",
    ),
    setting(
        "settle_seconds",
        _AT_LEAST_0,
        "How long the files of a loose folder must have rested before they are read; the tap waits for it.",
        default=10,
    ),
    switch("accept_orphan_delta", "Read a delta bundle although no bulk bundle was read before it."),
    choice(
        "on_invalid",
        ["report", "fail", "accept"],
        "What to do about a row that cannot be read: report (leave it out, count it, deliver the"
        " rest and end non-zero), fail (stop at the first) or accept (as report, but end well and"
        " go on from here next time).",
        default="report",
    ),
    setting(
        "start_date",
        th.DateTimeType(nullable=False),
        "Read only what was modified since this moment, where the source can tell (mode rest).",
    ),
    setting(
        "lookback_seconds",
        _AT_LEAST_0,
        "How far before the bookmark an incremental read starts, since clocks and caches of"
        " services are wrong by hours.",
        default=86400,
    ),
    setting(
        "full_refresh_days",
        _AT_LEAST_0,
        "After how many days a collection is read whole again, since dateLastModified misses"
        " changes and vanished records (0 = never).",
        default=7,
    ),
    switch(
        "activate_versions",
        "Write ACTIVATE_VERSION after a complete snapshot, so that loaders can delete what is gone.",
        default=True,
    ),
    setting(
        "max_shrink_percent",
        _PERCENT,
        "Largest loss against the last snapshot, in all and for each school with more than 20"
        " rows, at which deletes still happen.",
        default=20,
    ),
    switch("accept_shrink", "Let this run delete more than max_shrink_percent allows."),
    switch(
        "include_views",
        "Offer schools, students, teachers, terms and gradingPeriods as streams, too; they repeat"
        " rows of orgs, users and academicSessions.",
    ),
    switch("include_passwords", "Let passwords of users and userProfiles out of the source."),
    setting(
        "metadata_keys",
        _TEXTS,
        "Patterns of the metadata keys to take; the others are left in the source.",
        default=["*"],
    ),
    setting(
        "source_time_zone",
        TEXT,
        "Time zone in which the source writes times without a zone, and in which the dates of line"
        " items are cut (such as America/Chicago).",
        default="UTC",
    ),
    setting(
        "tenant",
        TEXT,
        "Name of the district: put first in every record and its key, where several districts share tables.",
    ),
    switch("tenant_isolated", "Say that each tenant has tables of its own, so that deletes are safe with tenant set."),
    BATCH_SETTING,
)
