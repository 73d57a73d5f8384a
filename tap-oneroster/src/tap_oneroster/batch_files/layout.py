"""What the rows of a file are made of, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["STAMPS", "Layout"]

STAMPS: dict[str, dict[str, Any]] = {
    "_sdc_extracted_at": {"type": "string", "format": "date-time"},
    "_sdc_table_version": {"type": "integer"},
}
"""Columns that loaders make of a RECORD message, and that a file must bring itself.

A loader that deletes at ACTIVATE_VERSION takes rows without `_sdc_table_version` for old ones.
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of the rows: the JSON Schema of the stream, and what its lines lack and all rows have in common."""

    schema: dict[str, Any]
    before: dict[str, Any]
    """The tenant, which comes first."""
    stamped: bool
    """Whether `STAMPS` come last."""
