"""The settings of the target: the only place that defines them; `--about`, the READMEs and Meltano use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from .._core.model import Version, csv_files, file
from ..errors import Misconfigured
from ..singer.settings import REQUIRE_RECEIPTS, SOURCE_TIME_ZONE, TEXT, choice, setting, switch, time_zone
from .options import BundleOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONFIG", "options_from"]

CONFIG: dict[str, Any] = th.PropertiesList(
    setting(
        "output_path",
        TEXT,
        "Where the bundle goes: a folder of its own, or a file that ends in .zip. A path, or an fsspec URL.",
        required=True,
    ),
    choice(
        "oneroster_version",
        [v.value for v in Version],
        "Version of the standard that the bundle follows. What came in the other version is converted.",
        title="OneRoster Version",
        default=Version.V1_2.value,
    ),
    choice(
        "file_mode",
        ["bulk", "delta"],
        "bulk: the files are all there is, and what they lack is deleted downstream. "
        "delta: the files are changes, with status and dateLastModified.",
        default="bulk",
    ),
    setting(
        "file_modes",
        th.ObjectType(additional_properties=th.StringType(nullable=False, allowed_values=["bulk", "delta"])),
        'Files whose mode is not file_mode, such as {"enrollments": "delta"} in a bundle that is otherwise bulk. '
        "Files that repeat what their parents hold (roles of users) go with these, unless they are named, too.",
    ),
    choice(
        "load_method",
        ["overwrite", "upsert"],
        "overwrite: the bundle is what came, in bulk a whole and unfiltered read. "
        "upsert: what came is merged into the bundle at output_path, records marked tobedeleted leave it.",
        default="overwrite",
    ),
    choice(
        "on_invalid",
        ["fail", "quarantine"],
        "What happens when a row must not be published (a required cell or reference is missing). "
        "fail: nothing is published. quarantine: the row and what depends on it go to <output>.quarantine.jsonl.",
        default="fail",
    ),
    setting(
        "max_shrink_percent",
        th.NumberType(nullable=False),
        "A bulk bundle that loses more than this share of a file, or of a school with more than 20 rows, "
        "against the one it replaces is not published.",
        title="Maximum Shrink Percent",
        default=20,
    ),
    switch("accept_shrink", "Publish although the bundle shrinks. Set it for one run, after someone has looked."),
    setting("report_path", th.StringType, "File for a JSON report of the checks, without personal data."),
    setting(
        "storage_options",
        th.ObjectType(additional_properties=True),
        "Options of the fsspec file system, where output_path is a URL (keys, endpoint, host).",
        secret=True,
    ),
    choice(
        "metadata",
        ["drop", "keep"],
        "Whether metadata.* columns, and properties the standard does not know, are left out or written.",
        default="drop",
    ),
    REQUIRE_RECEIPTS,
    SOURCE_TIME_ZONE,
    setting(
        "default_class_type",
        th.StringType,
        "Word written where a class has no classType, which bundles require: scheduled or homeroom.",
    ),
    setting(
        "administrator_role",
        th.StringType,
        "Word of 1.2 that is written for administrator, a word of 1.1 only. Without it the org decides: "
        "siteAdministrator at a school, districtAdministrator at a district, otherwise systemAdministrator.",
    ),
    choice(
        "counselor_role",
        ["aide", "administrator"],
        "Word of 1.1 that is written for counselor, a word of 1.2 only.",
        default="aide",
    ),
    setting("source_system_name", th.StringType, "Written to the manifest as source.systemName."),
    setting("source_system_code", th.StringType, "Written to the manifest as source.systemCode."),
    switch("include_passwords", "Write the password columns. They stay empty otherwise, whatever came."),
).to_dict()


def options_from(config: Mapping[str, Any]) -> BundleOptions:
    """Return the settings as BundleOptions; raise Misconfigured for a word that the standard does not know."""
    version = Version(config["oneroster_version"])
    for name, column in (("default_class_type", ("classes", "classType")), ("administrator_role", ("roles", "role"))):
        words = file(column[0]).field(column[1]).words
        if words and config.get(name) and not words.accepts(config[name], version):
            raise Misconfigured(f"Setting {name} takes one of: {', '.join(words.of(version))}.")
    file_modes = config.get("file_modes") or {}
    if foreign := sorted(file_modes.keys() - {kind.name for kind in csv_files(version)}):
        raise Misconfigured(f"Setting file_modes: {', '.join(foreign)} is no file of version {version.value}.")
    same = {name: config[name] for name in BundleOptions.__dataclass_fields__ if name in config}
    others = {
        "version": version,
        "file_modes": file_modes,
        "keep_metadata": config["metadata"] == "keep",
        "zone": time_zone(config),
        "system_name": config.get("source_system_name"),
        "system_code": config.get("source_system_code"),
    }
    return BundleOptions(**same | others)
