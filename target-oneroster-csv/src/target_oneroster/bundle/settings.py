"""The settings of the target: one place, from which `--about`, the READMEs and Meltano take them."""

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
        description="Where the bundle is written: a folder that is used for nothing else, or a file that ends in "
        ".zip. A path or an fsspec URL.",
    ),
    th.Property(
        "oneroster_version",
        th.StringType(nullable=False),
        allowed_values=[v.value for v in Version],
        default=Version.V1_2.value,
        title="OneRoster Version",
        description="OneRoster version of the bundle. Records of the other version are converted.",
    ),
    th.Property(
        "file_mode",
        th.StringType(nullable=False),
        allowed_values=["bulk", "delta"],
        default="bulk",
        title="File Mode",
        description="bulk: the files hold all rows, and consumers delete rows that they do not hold. delta: the files "
        "hold changes, with status and dateLastModified.",
    ),
    th.Property(
        "file_modes",
        th.ObjectType(additional_properties=th.StringType(nullable=False, allowed_values=["bulk", "delta"])),
        title="File Modes",
        description='Files with another mode than file_mode, such as {"enrollments": "delta"} in a bulk bundle. Files '
        "that belong to others, such as roles to users, have the mode of those, unless they are named.",
    ),
    th.Property(
        "load_method",
        th.StringType(nullable=False),
        allowed_values=["overwrite", "upsert"],
        default="overwrite",
        title="Load Method",
        description="overwrite: write a bundle of the records that came; a bulk bundle needs a complete and "
        "unfiltered read. upsert: merge the records that came into the bundle at output_path; records "
        "with tobedeleted are removed.",
    ),
    th.Property(
        "on_invalid",
        th.StringType(nullable=False),
        allowed_values=["fail", "quarantine"],
        default="fail",
        title="On Invalid",
        description="What to do if a row must not be published (a required cell or reference is missing, or different "
        "rows have one id). fail: nothing is published. quarantine: the row and the rows that depend on "
        "it go to <output>.quarantine.jsonl.",
    ),
    th.Property(
        "max_shrink_percent",
        th.NumberType(nullable=False),
        default=20,
        title="Maximum Shrink Percent",
        description="A bulk bundle is not published if it loses more than this share of a file, or of a school with "
        "more than 20 rows, compared with the bundle that it replaces.",
    ),
    th.Property(
        "accept_shrink",
        th.BooleanType(nullable=False),
        default=False,
        title="Accept Shrink",
        description="Publish a bundle that shrinks more than that. Set it for one run, after someone has looked.",
    ),
    th.Property(
        "report_path",
        th.StringType,
        title="Report Path",
        description="File for a JSON report of the checks. It holds no personal data.",
    ),
    th.Property(
        "storage_options",
        th.ObjectType(additional_properties=True),
        secret=True,
        title="Storage Options",
        description="Options for the store, if output_path is an fsspec URL (keys, endpoint, host).",
    ),
    th.Property(
        "metadata",
        th.StringType(nullable=False),
        allowed_values=["drop", "keep"],
        default="drop",
        title="Metadata",
        description="drop: leave out metadata.* columns and properties that the standard does not have. keep: write "
        "them.",
    ),
    REQUIRE_RECEIPTS,
    SOURCE_TIME_ZONE,
    th.Property(
        "default_class_type",
        th.StringType,
        title="Default Class Type",
        description="classType of classes that have none: scheduled or homeroom. Bundles require one.",
    ),
    th.Property(
        "administrator_role",
        th.StringType,
        title="Administrator Role",
        description="Role of 1.2 for administrator, which only 1.1 has. Default: siteAdministrator at a school, "
        "districtAdministrator at a district, otherwise systemAdministrator.",
    ),
    th.Property(
        "counselor_role",
        th.StringType(nullable=False),
        allowed_values=["aide", "administrator"],
        default="aide",
        title="Counselor Role",
        description="Role of 1.1 for counselor, which only 1.2 has.",
    ),
    th.Property(
        "source_system_name",
        th.StringType,
        title="Source System Name",
        description="Value of source.systemName in the manifest.",
    ),
    th.Property(
        "source_system_code",
        th.StringType,
        title="Source System Code",
        description="Value of source.systemCode in the manifest.",
    ),
    th.Property(
        "include_passwords",
        th.BooleanType(nullable=False),
        default=False,
        title="Include Passwords",
        description="Write the password columns. Otherwise they are empty.",
    ),
).to_dict()


def options_from(config: Mapping[str, Any]) -> BundleOptions:
    """The settings as the core reads them; a word the standard does not know is refused."""
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
