"""What the rows of a file are made of, whatever its format."""

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
"""Columns that loaders make of a RECORD message, and that a file must bring itself.

A loader that deletes at ACTIVATE_VERSION takes rows without `_sdc_table_version` for old ones.
"""

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of the rows: the JSON Schema of the stream, and what its lines lack and all rows have in common."""

    schema: dict[str, Any]
    before: dict[str, Any]
    """The tenant, which comes first."""
    stamped: bool
    """Whether `STAMPS` come last."""


class Sink(Protocol[T_contra]):
    """One file that is being written."""

    def write(self, portions: Sequence[T_contra], stamps: dict[str, Any]) -> None:
        """Add records, and where the layout wants them, these `STAMPS` to each."""

    def close(self) -> None:
        """Write the rest."""


class Format(Protocol[T]):
    """How the files of a stream are written: what a file needs of records is taken at once, and written later."""

    def portion(self, batch: Records) -> tuple[T, int]:
        """What a file needs of some records, and about how many bytes that is."""

    def open(self, file: IO[bytes]) -> Sink[T]:
        """Begin a file."""
