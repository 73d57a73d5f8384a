"""The tap's settings: the only place that defines their names, types, defaults and descriptions."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from .._core.model import Version
from ..batch_files.settings import BATCH_SETTING
from ..rest.settings import REST_SETTINGS

__all__ = ["SETTINGS"]


def _setting(name: str, kind: Any, title: str, description: str, **more: Any) -> th.Property[Any]:
    return th.Property(name, kind, title=title, description=description, **more)


_TEXT = th.StringType(nullable=False)
_YES_NO = th.BooleanType(nullable=False)
_TEXTS = th.ArrayType(_TEXT, nullable=False)
_PERCENT = th.NumberType(nullable=False, minimum=0, maximum=100)
_AT_LEAST_0 = th.NumberType(nullable=False, minimum=0)

SETTINGS = th.PropertiesList(
    _setting(
        "mode",
        _TEXT,
        "Mode",
        "Where the data comes from: rest (a OneRoster service) or csv (bundles of CSV files).",
        allowed_values=["rest", "csv"],
        default="rest",
    ),
    _setting(
        "oneroster_version",
        _TEXT,
        "OneRoster Version",
        "Version that the source speaks; auto finds out from the path, the manifest or the files.",
        allowed_values=["auto", *(v.value for v in Version)],
        default="auto",
    ),
    *REST_SETTINGS,
    _setting(
        "csv_path",
        _TEXT,
        "CSV Path",
        "Folder, zip or pattern (*.zip) of OneRoster bundles, for mode csv.",
    ),
    _setting(
        "csv_storage_options",
        th.ObjectType(additional_properties=True, nullable=False),
        "CSV Storage Options",
        "Options for the store that csv_path names (fsspec), such as host, key and password.",
        secret=True,
    ),
    _setting(
        "csv_file_mode",
        _TEXT,
        "CSV File Mode",
        "What files are for which no manifest declares bulk or delta: bulk (all there is), delta"
        " (changes only) or auto (a file whose rows carry a status is a delta).",
        allowed_values=["auto", "bulk", "delta"],
        default="auto",
    ),
    _setting(
        "settle_seconds",
        _AT_LEAST_0,
        "Settle Seconds",
        "How long the files of a loose folder must have rested before they are read; the tap waits for it.",
        default=10,
    ),
    _setting(
        "accept_orphan_delta",
        _YES_NO,
        "Accept Orphan Delta",
        "Read a delta bundle although no bulk bundle was read before it.",
        default=False,
    ),
    _setting(
        "on_invalid",
        _TEXT,
        "On Invalid",
        "What to do about a row that cannot be read: report (leave it out, count it, deliver the"
        " rest and end non-zero), fail (stop at the first) or accept (as report, but end well and"
        " go on from here next time).",
        allowed_values=["report", "fail", "accept"],
        default="report",
    ),
    _setting(
        "start_date",
        th.DateTimeType(nullable=False),
        "Start Date",
        "Read only what was modified since this moment, where the source can tell (mode rest).",
    ),
    _setting(
        "lookback_seconds",
        _AT_LEAST_0,
        "Lookback Seconds",
        "How far before the bookmark an incremental read starts, since clocks and caches of"
        " services are wrong by hours.",
        default=86400,
    ),
    _setting(
        "full_refresh_days",
        _AT_LEAST_0,
        "Full Refresh Days",
        "After how many days a collection is read whole again, since dateLastModified misses"
        " changes and vanished records (0 = never).",
        default=7,
    ),
    _setting(
        "activate_versions",
        _YES_NO,
        "Activate Versions",
        "Write ACTIVATE_VERSION after a complete snapshot, so that loaders can delete what is gone.",
        default=True,
    ),
    _setting(
        "max_shrink_percent",
        _PERCENT,
        "Max Shrink Percent",
        "Largest loss against the last snapshot, in all and for each school with more than 20"
        " rows, at which deletes still happen.",
        default=20,
    ),
    _setting(
        "accept_shrink",
        _YES_NO,
        "Accept Shrink",
        "Let this run delete more than max_shrink_percent allows.",
        default=False,
    ),
    _setting(
        "include_views",
        _YES_NO,
        "Include Views",
        "Offer schools, students, teachers, terms and gradingPeriods as streams, too; they repeat"
        " rows of orgs, users and academicSessions.",
        default=False,
    ),
    _setting(
        "include_passwords",
        _YES_NO,
        "Include Passwords",
        "Let passwords of users and userProfiles out of the source.",
        default=False,
    ),
    _setting(
        "metadata_keys",
        _TEXTS,
        "Metadata Keys",
        "Patterns of the metadata keys to take; the others are left in the source.",
        default=["*"],
    ),
    _setting(
        "source_time_zone",
        _TEXT,
        "Source Time Zone",
        "Time zone in which the source writes times without a zone, and in which the dates of line"
        " items are cut (such as America/Chicago).",
        default="UTC",
    ),
    _setting(
        "tenant",
        _TEXT,
        "Tenant",
        "Name of the district: put first in every record and its key, where several districts share tables.",
    ),
    _setting(
        "tenant_isolated",
        _YES_NO,
        "Tenant Isolated",
        "Say that each tenant has tables of its own, so that deletes are safe with tenant set.",
        default=False,
    ),
    BATCH_SETTING,
)
