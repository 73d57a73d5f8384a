"""Failures of reading a source, each one line without any value."""

from __future__ import annotations

__all__ = ["CollectionMoved", "FatalSourceError", "MissingCollection", "SetupError", "SourceError"]


class SourceError(Exception):
    """A collection could not be read to its end. The message is one line, without any value."""

    exit_code = 1
    """Exit code of a run that ends with this error."""


class FatalSourceError(SourceError):
    """Nothing can be read from this source: the run stops here."""


class SetupError(FatalSourceError):
    """The settings are wrong, or the service refuses the sign-in or the scopes: another try is of no use."""

    exit_code = 4


class CollectionMoved(SourceError):
    """The collection changed while it was read: worth another attempt."""


class MissingCollection(SourceError):
    """The source does not offer this collection, or may not show it to us; others may go on."""

    exit_code = 4
