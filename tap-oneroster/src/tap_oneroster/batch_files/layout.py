"""The columns of batch files, whatever their format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..source import Records

__all__ = ["STAMPS", "Format", "Layout", "Sink"]

STAMPS: dict[str, dict[str, Any]] = {
    "_sdc_extracted_at": {"type": "string", "format": "date-time"},
    "_sdc_table_version": {"type": "integer"},
}
"""Columns that loaders add for RECORD messages, and that a file must contain itself.

A loader that deletes at ACTIVATE_VERSION treats rows without `_sdc_table_version` as old.
"""

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of the rows: the JSON Schema of the stream, and values that all rows share but the lines lack."""

    schema: dict[str, Any]
    before: dict[str, Any]
    """The tenant, which is the first column."""
    stamped: bool
    """True if `STAMPS` are the last columns."""


class Sink(Protocol[T_contra]):
    """One file that is open for writing."""

    def write(self, portions: Sequence[T_contra], stamps: dict[str, Any]) -> None:
        """Add records; if the layout requires it, add these `STAMPS` to each."""

    def close(self) -> None:
        """Write the remaining records and close the file."""


class Format(Protocol[T]):
    """File format of a stream: the data of records is extracted at once, and written later."""

    def portion(self, batch: Records) -> tuple[T, int]:
        """Return the data of some records that a file needs, and its approximate size in bytes."""

    def open(self, file: IO[bytes]) -> Sink[T]:
        """Open a file for writing."""
