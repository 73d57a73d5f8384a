"""Failures of reading a source, each one line without any value."""

from __future__ import annotations

__all__ = ["CollectionMoved", "FatalSourceError", "MissingCollection", "SourceError"]


class SourceError(Exception):
    """A collection could not be read to its end. The message is one line, without any value."""


class FatalSourceError(SourceError):
    """Nothing can be read from this source: the run stops here."""


class CollectionMoved(SourceError):
    """The collection changed while it was read: worth another attempt."""


class MissingCollection(SourceError):
    """The source does not offer this collection; others may go on."""
