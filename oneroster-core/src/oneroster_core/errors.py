"""Failures of reading a source, each one line without any value."""

from __future__ import annotations

__all__ = ["CollectionMoved", "FatalSourceError", "MissingCollection", "SourceError", "TotalMismatch"]


class SourceError(Exception):
    """A collection could not be read to its end. The message is one line, without any value."""


class FatalSourceError(SourceError):
    """Nothing can be read from this source: the run stops here."""


class CollectionMoved(SourceError):
    """The collection changed while it was read: worth another attempt."""


class TotalMismatch(CollectionMoved):
    """Fewer different records came than the total of the service says."""

    def __init__(self, name: str, promised: int, came: int) -> None:
        super().__init__(f"{name}: the service promised {promised:,} records and sent {came:,} different ones")
        self.missing = promised - came


class MissingCollection(SourceError):
    """The source does not offer this collection; others may go on."""
