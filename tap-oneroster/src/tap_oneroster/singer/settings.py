"""The tap's settings: the one place where each has its name, type, default and description."""

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
        "OneRoster version of the source. With auto, the tap finds it in the path, the manifest or the files.",
        allowed_values=["auto", *(v.value for v in Version)],
        default="auto",
    ),
    *REST_SETTINGS,
    _setting(
        "csv_path",
        _TEXT,
        "CSV Path",
        "Folder, zip or pattern (*.zip) of OneRoster bundles, for mode csv. A path or a URL.",
    ),
    _setting(
        "csv_storage_options",
        th.ObjectType(additional_properties=True, nullable=False),
        "CSV Storage Options",
        "Options for the store of csv_path (fsspec), such as host, key and password.",
        secret=True,
    ),
    _setting(
        "csv_file_mode",
        _TEXT,
        "CSV File Mode",
        "Mode of files for which no manifest says bulk or delta: bulk (the file holds all rows), delta "
        "(it holds changes) or auto (a file whose rows have a status is a delta).",
        allowed_values=["auto", "bulk", "delta"],
        default="auto",
    ),
    _setting(
        "settle_seconds",
        _AT_LEAST_0,
        "Settle Seconds",
        "How many seconds the files of a folder must be unchanged before they are read. The tap waits for it.",
        default=10,
    ),
    _setting(
        "accept_orphan_delta",
        _YES_NO,
        "Accept Orphan Delta",
        "Read a delta bundle even if no bulk bundle was read before it.",
        default=False,
    ),
    _setting(
        "on_invalid",
        _TEXT,
        "On Invalid",
        "What to do with a row that cannot be read: report (leave it out, count it, deliver the others "
        "and fail at the end), fail (stop at the first one) or accept (like report, but the run succeeds "
        "and its state moves).",
        allowed_values=["report", "fail", "accept"],
        default="report",
    ),
    _setting(
        "start_date",
        th.DateTimeType(nullable=False),
        "Start Date",
        "Read only records that were modified since this time (mode rest, if the service can tell).",
    ),
    _setting(
        "lookback_seconds",
        _AT_LEAST_0,
        "Lookback Seconds",
        "How many seconds before the bookmark an incremental read starts, because clocks and caches of "
        "services can be hours late.",
        default=86400,
    ),
    _setting(
        "full_refresh_days",
        _AT_LEAST_0,
        "Full Refresh Days",
        "After how many days a collection is read completely again, because dateLastModified does not "
        "show all changes and no deleted records (0 = never).",
        default=7,
    ),
    _setting(
        "activate_versions",
        _YES_NO,
        "Activate Versions",
        "Write ACTIVATE_VERSION after a complete snapshot, so that loaders can delete rows that are gone.",
        default=True,
    ),
    _setting(
        "max_shrink_percent",
        _PERCENT,
        "Max Shrink Percent",
        "How much a snapshot may shrink since the last one, in percent, before deletes are held back. It "
        "applies to the whole collection and to each school with more than 20 rows.",
        default=20,
    ),
    _setting(
        "accept_shrink",
        _YES_NO,
        "Accept Shrink",
        "Allow this run to delete more than max_shrink_percent. Set it for one run.",
        default=False,
    ),
    _setting(
        "include_views",
        _YES_NO,
        "Include Views",
        "Offer the streams schools, students, teachers, terms and gradingPeriods, too. They repeat rows "
        "of orgs, users and academicSessions.",
        default=False,
    ),
    _setting(
        "include_passwords",
        _YES_NO,
        "Include Passwords",
        "Deliver the passwords of users and userProfiles.",
        default=False,
    ),
    _setting(
        "metadata_keys",
        _TEXTS,
        "Metadata Keys",
        "Patterns of the metadata keys to deliver. Other keys are left out.",
        default=["*"],
    ),
    _setting(
        "source_time_zone",
        _TEXT,
        "Source Time Zone",
        "Time zone of times that have no zone, and of the dates of line items (such as America/Chicago).",
        default="UTC",
    ),
    _setting(
        "tenant",
        _TEXT,
        "Tenant",
        "Name of the district. It becomes the first column of every record and part of the key, so that "
        "several districts can share tables.",
    ),
    _setting(
        "tenant_isolated",
        _YES_NO,
        "Tenant Isolated",
        "Set it if each tenant has its own tables. Then rows can be deleted although tenant is set.",
        default=False,
    ),
    BATCH_SETTING,
)
