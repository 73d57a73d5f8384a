"""The setting of batches, and what in it does not go together."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from .storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BATCH_SETTING", "batch_errors", "compression_of", "is_columnar", "size_of"]

_TEXT = th.StringType(nullable=False)
_COMPRESSIONS = {"jsonl": ("gzip", "none"), "parquet": ("snappy", "zstd", "gzip", "none")}
"""What each format takes; the first is what it gets where nothing is said."""
_SIZES = {"jsonl": 10_000, "parquet": 100_000}
"""Rows of a file, where nothing is said: the SDK's loaders hold all rows of a file in memory at once."""

BATCH_SETTING: th.Property[Any] = th.Property(
    "batch_config",
    th.ObjectType(
        th.Property(
            "encoding",
            th.ObjectType(
                th.Property(
                    "format",
                    _TEXT,
                    required=True,
                    title="Batch Format",
                    description="Write records as files of this format and announce the files (BATCH): jsonl, which loaders of "
                    "Meltano's SDK read, or parquet (needs tap-oneroster[parquet]).",
                    allowed_values=list(_COMPRESSIONS),
                ),
                th.Property(
                    "compression",
                    _TEXT,
                    title="Batch Compression",
                    description="Compression of the files: gzip (default) or none for jsonl; snappy (default), zstd, gzip or none "
                    "for parquet.",
                    allowed_values=["gzip", "none", "snappy", "zstd"],
                ),
                nullable=False,
            ),
            required=True,
            title="Batch Encoding",
            description="Format of the files.",
        ),
        th.Property(
            "storage",
            th.ObjectType(
                th.Property(
                    "root",
                    _TEXT,
                    required=True,
                    title="Batch Root",
                    description="Folder for the batch files. The loader must reach it, too. A path, file:///... or s3://...",
                ),
                th.Property(
                    "prefix",
                    _TEXT,
                    title="Batch Prefix",
                    description="Text at the start of the file names.",
                ),
                th.Property(
                    "params",
                    th.ObjectType(additional_properties=True, nullable=False),
                    title="Batch Storage Options",
                    description="Options for the store of root (fsspec), such as key and secret.",
                    secret=True,
                ),
                nullable=False,
            ),
            required=True,
            title="Batch Storage",
            description="Where the files are written.",
        ),
        th.Property(
            "batch_size",
            th.IntegerType(nullable=False, minimum=1),
            title="Batch Size",
            description="Largest number of records in a file. Default: 10,000 for jsonl, because loaders hold a whole "
            "file in memory; 100,000 for parquet.",
        ),
        th.Property(
            "add_record_metadata",
            th.BooleanType(nullable=False),
            title="Batch Record Metadata",
            description="Add _sdc_extracted_at and _sdc_table_version to the rows. Loaders need them to know what "
            "ACTIVATE_VERSION deletes. Set it to false for loaders that refuse columns which are not in the "
            "SCHEMA; then nothing is deleted.",
            default=True,
        ),
        nullable=False,
    ),
    title="Batch Configuration",
    description="Write records as files and announce these (BATCH messages), for loaders that take them.",
)


def compression_of(encoding: Mapping[str, Any]) -> str:
    """The compression of files, where it may have been left open."""
    return encoding.get("compression") or _COMPRESSIONS[encoding["format"]][0]


def size_of(batch_config: Mapping[str, Any]) -> int:
    """Most records in a file, which may have been left open."""
    return batch_config.get("batch_size") or _SIZES[batch_config["encoding"]["format"]]


def is_columnar(batch_config: Mapping[str, Any] | None) -> bool:
    """Whether files hold columns rather than lines."""
    return batch_config is not None and batch_config["encoding"]["format"] == "parquet"


def batch_errors(config: Mapping[str, Any]) -> list[str]:
    """Problems of the setting, each one line that says what to set."""
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
