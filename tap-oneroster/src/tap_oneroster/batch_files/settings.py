"""The setting `batch_config`, and the check that its values fit together."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from .._core.settings import TEXT, choice, setting, switch
from .storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMPRESSIONS = {"jsonl": ("gzip", "none"), "parquet": ("snappy", "zstd", "gzip", "none")}
"""Compressions of each format; the first is the default."""
_SIZES = {"jsonl": 10_000, "parquet": 100_000}
"""Default number of rows in a file: the SDK's loaders hold all rows of a file in memory."""

BATCH_SETTING: th.Property[Any] = setting(
    "batch_config",
    th.ObjectType(
        setting(
            "encoding",
            th.ObjectType(
                choice(
                    "format",
                    list(_COMPRESSIONS),
                    "Write records as files of this format and announce the files (BATCH): jsonl, which loaders of "
                    "Meltano's SDK read, or parquet (needs tap-oneroster[parquet]).",
                    title="Batch Format",
                    required=True,
                ),
                choice(
                    "compression",
                    ["gzip", "none", "snappy", "zstd"],
                    "Compression of the files: gzip (default) or none for jsonl; snappy (default), zstd, gzip or none "
                    "for parquet.",
                    title="Batch Compression",
                ),
                nullable=False,
            ),
            "Format of the files.",
            title="Batch Encoding",
            required=True,
        ),
        setting(
            "storage",
            th.ObjectType(
                setting(
                    "root",
                    TEXT,
                    "Folder for the batch files. The loader must reach it, too. A path, file:///... or s3://...",
                    title="Batch Root",
                    required=True,
                ),
                setting("prefix", TEXT, "Text at the start of the file names.", title="Batch Prefix"),
                setting(
                    "params",
                    th.ObjectType(additional_properties=True, nullable=False),
                    "Options for the store of root (fsspec), such as key and secret.",
                    title="Batch Storage Options",
                    secret=True,
                ),
                nullable=False,
            ),
            "Where the files are written.",
            title="Batch Storage",
            required=True,
        ),
        setting(
            "batch_size",
            th.IntegerType(nullable=False, minimum=1),
            "Largest number of records in a file. Default: 10,000 for jsonl, because loaders hold a whole "
            "file in memory; 100,000 for parquet.",
        ),
        switch(
            "add_record_metadata",
            "Add _sdc_extracted_at and _sdc_table_version to the rows. Loaders need them to know what "
            "ACTIVATE_VERSION deletes. Set it to false for loaders that refuse columns which are not in the "
            "SCHEMA; then nothing is deleted.",
            title="Batch Record Metadata",
            default=True,
        ),
        nullable=False,
    ),
    "Write records as files and announce these (BATCH messages), for loaders that take them.",
    title="Batch Configuration",
)


def compression_of(encoding: Mapping[str, Any]) -> str:
    """Return the compression of files, or the default of their format."""
    return encoding.get("compression") or _COMPRESSIONS[encoding["format"]][0]


def size_of(batch_config: Mapping[str, Any]) -> int:
    """Return the maximum number of records in a file, or the default of its format."""
    return batch_config.get("batch_size") or _SIZES[batch_config["encoding"]["format"]]


def is_columnar(batch_config: Mapping[str, Any] | None) -> bool:
    """True if files hold columns rather than lines."""
    return batch_config is not None and batch_config["encoding"]["format"] == "parquet"


def batch_errors(config: Mapping[str, Any]) -> list[str]:
    """Return one line for each error in the setting, with what to set."""
    batch = config.get("batch_config")
    if not batch:
        return []
    format_, errors = batch["encoding"]["format"], []
    if compression_of(batch["encoding"]) not in _COMPRESSIONS[format_]:
        errors.append(f"batch_config.encoding.compression: {format_} takes one of {', '.join(_COMPRESSIONS[format_])}")
    if format_ == "parquet" and not find_spec("pyarrow"):
        errors.append("batch_config.encoding.format: parquet is not installed; install tap-oneroster[parquet]")
    if problem := storage_error(batch["storage"]):
        errors.append(f"batch_config.storage.{problem}")
    return errors
