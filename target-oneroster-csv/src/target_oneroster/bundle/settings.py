"""The settings of the target: the only place that defines them; `--about`, the READMEs and Meltano use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from .._core.model import Version, csv_files, file
from ..errors import Misconfigured
from ..singer.settings import REQUIRE_RECEIPTS, SOURCE_TIME_ZONE, time_zone
from .options import BundleOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONFIG", "options_from"]

CONFIG: dict[str, Any] = th.PropertiesList(
    th.Property(
        "output_path",
        th.StringType(nullable=False),
        required=True,
        title="Output Path",
        description="Where the bundle goes: a folder of its own, or a file that ends in .zip. A path, or an fsspec URL.",
    ),
    th.Property(
        "oneroster_version",
        th.StringType(nullable=False),
        allowed_values=[v.value for v in Version],
        default=Version.V1_2.value,
        title="OneRoster Version",
        description="Version of the standard that the bundle follows. What came in the other version is converted.",
    ),
    th.Property(
        "file_mode",
        th.StringType(nullable=False),
        allowed_values=["bulk", "delta"],
        default="bulk",
        title="File Mode",
        description="bulk: the files are all there is, and what they lack is deleted downstream. "
        "delta: the files are changes, with status and dateLastModified.",
    ),
    th.Property(
        "file_modes",
        th.ObjectType(additional_properties=th.StringType(nullable=False, allowed_values=["bulk", "delta"])),
        title="File Modes",
        description='Files whose mode is not file_mode, such as {"enrollments": "delta"} in a bundle that is otherwise bulk. '
        "Files that repeat what their parents hold (roles of users) go with these, unless they are named, too.",
    ),
    th.Property(
        "load_method",
        th.StringType(nullable=False),
        allowed_values=["overwrite", "upsert"],
        default="overwrite",
        title="Load Method",
        description="overwrite: the bundle is what came, in bulk a whole and unfiltered read. "
        "upsert: what came is merged into the bundle at output_path, records marked tobedeleted leave it.",
    ),
    th.Property(
        "on_invalid",
        th.StringType(nullable=False),
        allowed_values=["fail", "quarantine"],
        default="fail",
        title="On Invalid",
        description="What happens when a row must not be published (a required cell or reference is missing). "
        "fail: nothing is published. quarantine: the row and what depends on it go to <output>.quarantine.jsonl.",
    ),
    th.Property(
        "max_shrink_percent",
        th.NumberType(nullable=False),
        default=20,
        title="Maximum Shrink Percent",
        description="A bulk bundle that loses more than this share of a file, or of a school with more than 20 rows, "
        "against the one it replaces is not published.",
    ),
    th.Property(
        "accept_shrink",
        th.BooleanType(nullable=False),
        default=False,
        title="Accept Shrink",
        description="Publish although the bundle shrinks. Set it for one run, after someone has looked.",
    ),
    th.Property(
        "report_path",
        th.StringType,
        title="Report Path",
        description="File for a JSON report of the checks, without personal data.",
    ),
    th.Property(
        "storage_options",
        th.ObjectType(additional_properties=True),
        secret=True,
        title="Storage Options",
        description="Options of the fsspec file system, where output_path is a URL (keys, endpoint, host).",
    ),
    th.Property(
        "metadata",
        th.StringType(nullable=False),
        allowed_values=["drop", "keep"],
        default="drop",
        title="Metadata",
        description="Whether metadata.* columns, and properties the standard does not know, are left out or written.",
    ),
    REQUIRE_RECEIPTS,
    SOURCE_TIME_ZONE,
    th.Property(
        "default_class_type",
        th.StringType,
        title="Default Class Type",
        description="Word written where a class has no classType, which bundles require: scheduled or homeroom.",
    ),
    th.Property(
        "administrator_role",
        th.StringType,
        title="Administrator Role",
        description="Word of 1.2 that is written for administrator, a word of 1.1 only. Without it the org decides: "
        "siteAdministrator at a school, districtAdministrator at a district, otherwise systemAdministrator.",
    ),
    th.Property(
        "counselor_role",
        th.StringType(nullable=False),
        allowed_values=["aide", "administrator"],
        default="aide",
        title="Counselor Role",
        description="Word of 1.1 that is written for counselor, a word of 1.2 only.",
    ),
    th.Property(
        "source_system_name",
        th.StringType,
        title="Source System Name",
        description="Written to the manifest as source.systemName.",
    ),
    th.Property(
        "source_system_code",
        th.StringType,
        title="Source System Code",
        description="Written to the manifest as source.systemCode.",
    ),
    th.Property(
        "include_passwords",
        th.BooleanType(nullable=False),
        default=False,
        title="Include Passwords",
        description="Write the password columns. They stay empty otherwise, whatever came.",
    ),
).to_dict()


def options_from(config: Mapping[str, Any]) -> BundleOptions:
    """Return the settings as BundleOptions; raise Misconfigured for a word that the standard does not know."""
    version = Version(config["oneroster_version"])
    for setting, column in (
        ("default_class_type", ("classes", "classType")),
        ("administrator_role", ("roles", "role")),
    ):
        words = file(column[0]).field(column[1]).words
        if words and config.get(setting) and not words.accepts(config[setting], version):
            raise Misconfigured(f"Setting {setting} takes one of: {', '.join(words.of(version))}.")
    file_modes = config.get("file_modes") or {}
    if foreign := sorted(file_modes.keys() - {kind.name for kind in csv_files(version)}):
        raise Misconfigured(f"Setting file_modes: {', '.join(foreign)} is no file of version {version.value}.")
    return BundleOptions(
        version=version,
        file_mode=config["file_mode"],
        file_modes=file_modes,
        load_method=config["load_method"],
        on_invalid=config["on_invalid"],
        max_shrink_percent=config["max_shrink_percent"],
        accept_shrink=config["accept_shrink"],
        default_class_type=config.get("default_class_type"),
        keep_metadata=config["metadata"] == "keep",
        include_passwords=config["include_passwords"],
        require_receipts=config["require_receipts"],
        administrator_role=config.get("administrator_role"),
        counselor_role=config["counselor_role"],
        zone=time_zone(config),
        system_name=config.get("source_system_name"),
        system_code=config.get("source_system_code"),
    )
