"""Failures of a source or a store, each one line without any value."""

from __future__ import annotations

__all__ = ["CollectionMoved", "FatalSourceError", "MissingCollection", "SourceError", "StoreError"]


class SourceError(Exception):
    """A collection could not be read to its end. The message is one line, without any value."""


class FatalSourceError(SourceError):
    """Nothing can be read from this source: the run stops here."""


class CollectionMoved(SourceError):
    """The collection changed while it was read: worth another attempt."""


class MissingCollection(SourceError):
    """The source does not offer this collection; others may go on."""


class StoreError(Exception):
    """A store cannot be opened. The message is ``problem; advice``, without the URL and without the setting that names it."""
