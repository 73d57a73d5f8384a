"""The columns of batch files, whatever their format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

STAMPS: dict[str, dict[str, Any]] = {
    "_sdc_extracted_at": {"type": "string", "format": "date-time"},
    "_sdc_table_version": {"type": "integer"},
}
"""Columns that loaders add for RECORD messages, and that a file must contain itself.

A loader that deletes at ACTIVATE_VERSION treats rows without `_sdc_table_version` as old.
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of the rows: the JSON Schema of the stream, and values that all rows share but the lines lack."""

    schema: dict[str, Any]
    before: dict[str, Any]
    """The tenant, which is the first column."""
    stamped: bool
    """True if `STAMPS` are the last columns."""
