"""The setting `batch_config`, and the check that its values fit together."""

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
"""Compressions of each format; the first is the default."""
_SIZES = {"jsonl": 10_000, "parquet": 100_000}
"""Default number of rows in a file: the SDK's loaders hold all rows of a file in memory."""

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
                    description="Write records as files of this format and announce these (BATCH): jsonl, which the loaders of Meltano's SDK read, or parquet"
                    " (with the extra tap-oneroster[parquet]).",
                    allowed_values=list(_COMPRESSIONS),
                ),
                th.Property(
                    "compression",
                    _TEXT,
                    title="Batch Compression",
                    description="Compression of the files: gzip (default) or none for jsonl; snappy (default),"
                    " zstd, gzip or none for parquet.",
                    allowed_values=["gzip", "none", "snappy", "zstd"],
                ),
                nullable=False,
            ),
            required=True,
            title="Batch Encoding",
            description="What the files are.",
        ),
        th.Property(
            "storage",
            th.ObjectType(
                th.Property(
                    "root",
                    _TEXT,
                    required=True,
                    title="Batch Root",
                    description="Folder of the files of batches, which the loader must reach, too: a path, file:///... or"
                    " s3://...",
                ),
                th.Property(
                    "prefix",
                    _TEXT,
                    title="Batch Prefix",
                    description="What the names of the files begin with.",
                ),
                th.Property(
                    "params",
                    th.ObjectType(additional_properties=True, nullable=False),
                    title="Batch Storage Options",
                    description="Options for the store that root names (fsspec), such as key and secret.",
                    secret=True,
                ),
                nullable=False,
            ),
            required=True,
            title="Batch Storage",
            description="Where the files go.",
        ),
        th.Property(
            "batch_size",
            th.IntegerType(nullable=False, minimum=1),
            title="Batch Size",
            description="Most records in a file. Left open: 10,000 for jsonl, which loaders read as a whole; 100,000"
            " for parquet.",
        ),
        th.Property(
            "add_record_metadata",
            th.BooleanType(nullable=False),
            title="Batch Record Metadata",
            description="Add _sdc_extracted_at and _sdc_table_version to the rows, from which loaders know what"
            " ACTIVATE_VERSION deletes. Without them, nothing is announced for deletion; for loaders that"
            " refuse columns which are not in the SCHEMA.",
            default=True,
        ),
        nullable=False,
    ),
    title="Batch Configuration",
    description="Write records as files and announce these (BATCH messages), for loaders that take them.",
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
