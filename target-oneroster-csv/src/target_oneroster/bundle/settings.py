"""The settings of the target: the only place that defines them; `--about`, the READMEs and Meltano use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from .._core.model import Version, csv_files, file
from .._core.settings import TEXT, choice, setting, switch
from .._core.sql import MEMORY
from ..errors import Misconfigured
from ..singer.settings import REQUIRE_RECEIPTS, SOURCE_TIME_ZONE, engine_memory, options_of
from .dialects import DIALECTS
from .options import BundleOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .dialects import Dialect

CONFIG: dict[str, Any] = th.PropertiesList(
    setting(
        "output_path",
        TEXT,
        "Where the bundle is written: a folder that is used for nothing else, or a file that ends in "
        ".zip. A path or an fsspec URL.",
        required=True,
    ),
    choice(
        "oneroster_version",
        [v.value for v in Version],
        "OneRoster version of the bundle. Records of the other version are converted.",
        title="OneRoster Version",
        default=Version.V1_2.value,
    ),
    choice(
        "consumer",
        sorted(DIALECTS),
        "Write the bundle in the dialect of this consumer, in the version that it takes. Without it, the bundle is as "
        "the standard says.",
    ),
    choice(
        "file_mode",
        ["bulk", "delta"],
        "bulk: the files hold all rows, and consumers delete rows that they do not hold. delta: the files "
        "hold changes, with status and dateLastModified.",
        default="bulk",
    ),
    setting(
        "file_modes",
        th.ObjectType(additional_properties=th.StringType(nullable=False, allowed_values=["bulk", "delta"])),
        'Files with another mode than file_mode, such as {"enrollments": "delta"} in a bulk bundle. Files '
        "that belong to others, such as roles to users, have the mode of those, unless they are named.",
    ),
    choice(
        "load_method",
        ["overwrite", "upsert"],
        "overwrite: write a bundle of the records that came; a bulk bundle needs a complete and "
        "unfiltered read. upsert: merge the records that came into the bundle at output_path; records "
        "with tobedeleted are removed.",
        default="overwrite",
    ),
    choice(
        "on_invalid",
        ["fail", "quarantine"],
        "What to do if a row must not be published (a required cell or reference is missing, or different "
        "rows have one id). fail: nothing is published. quarantine: the row and the rows that depend on "
        "it go to <output>.quarantine.jsonl.",
        default="fail",
    ),
    setting(
        "max_shrink_percent",
        th.NumberType(nullable=False),
        "A bulk bundle is not published if it loses more than this share of a file, or of a school with "
        "more than 20 rows, compared with the bundle that it replaces.",
        title="Maximum Shrink Percent",
        default=20,
    ),
    switch(
        "accept_shrink",
        "Publish a bundle that shrinks more than max_shrink_percent. Set it for one run, after someone has looked.",
    ),
    setting("report_path", th.StringType, "File for a JSON report of the checks. It holds no personal data."),
    setting(
        "storage_options",
        th.ObjectType(additional_properties=True),
        "Options for the store, if output_path is an fsspec URL (keys, endpoint, host).",
        secret=True,
    ),
    choice(
        "metadata",
        ["drop", "keep"],
        "drop: leave out metadata.* columns and properties that the standard does not have. keep: write them.",
        default="drop",
    ),
    REQUIRE_RECEIPTS,
    SOURCE_TIME_ZONE,
    engine_memory(MEMORY),
    setting(
        "default_class_type",
        th.StringType,
        "classType of classes that have none: scheduled or homeroom. Bundles require one.",
    ),
    setting(
        "administrator_role",
        th.StringType,
        "Role of 1.2 for administrator, which only 1.1 has. Default: siteAdministrator at a school, "
        "districtAdministrator at a district, otherwise systemAdministrator.",
    ),
    choice(
        "counselor_role",
        ["aide", "administrator"],
        "Role of 1.1 for counselor, which only 1.2 has.",
        default="aide",
    ),
    setting("source_system_name", th.StringType, "Value of source.systemName in the manifest."),
    setting("source_system_code", th.StringType, "Value of source.systemCode in the manifest."),
    switch("include_passwords", "Write the password columns. Otherwise they are empty."),
).to_dict()


def options_from(config: Mapping[str, Any]) -> BundleOptions:
    """Return the settings as BundleOptions; raise Misconfigured for a word that the standard does not know."""
    dialect = DIALECTS.get(config.get("consumer") or "")
    version = dialect.version if dialect else Version(config["oneroster_version"])
    if dialect:
        _refuse_for(dialect, config)
    for name, column in (("default_class_type", ("classes", "classType")), ("administrator_role", ("roles", "role"))):
        words = file(column[0]).field(column[1]).words
        if words and config.get(name) and not words.accepts(config[name], version):
            raise Misconfigured(f"Setting {name} takes one of: {', '.join(words.of(version))}.")
    file_modes = config.get("file_modes") or {}
    if foreign := sorted(file_modes.keys() - {kind.name for kind in csv_files(version)}):
        raise Misconfigured(f"Setting file_modes: {', '.join(foreign)} is no file of version {version.value}.")
    return options_of(
        BundleOptions,
        config,
        version=version,
        dialect=dialect,
        file_modes=file_modes,
        keep_metadata=config["metadata"] == "keep",
        system_name=config.get("source_system_name"),
        system_code=config.get("source_system_code"),
    )


def _refuse_for(dialect: Dialect, config: Mapping[str, Any]) -> None:
    """Raise Misconfigured for settings that a dialect cannot keep: its bundles are whole, with its own columns."""
    against = {"file_mode": "delta", "load_method": "upsert", "metadata": "keep"}
    wrong = [f"{name} {value}" for name, value in against.items() if config[name] == value]
    wrong += ["file_modes"] if config.get("file_modes") else []
    if wrong:
        raise Misconfigured(
            f"Setting consumer: {dialect.name} takes whole bundles with its own columns. Leave out {', '.join(wrong)}."
        )
