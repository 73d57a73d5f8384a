"""Errors of a source or a store; each message is one line without any value."""

from __future__ import annotations

from .shell import HELD, INCOMPLETE, REFUSED


class SourceError(Exception):
    """A collection could not be read to its end. The message is one line, without any value."""

    exit_code: int = INCOMPLETE
    """The exit code of a run that ends because of this error: one of `shell.EXIT_CODES`."""


class FatalSourceError(SourceError):
    """Nothing can be read from this source, so the run stops."""


class SetupError(FatalSourceError):
    """The settings are wrong, or the service rejects the sign-in or the scopes; a retry would not help."""

    exit_code = REFUSED


class CollectionMoved(SourceError):
    """The collection changed while it was read; a retry may succeed."""


class HeldBack(SourceError):
    """A safety limit holds the collection back until a person has checked it."""

    exit_code = HELD


class TotalMismatch(CollectionMoved):
    """Fewer distinct records arrived than the service's total says."""

    def __init__(self, name: str, promised: int, came: int) -> None:
        super().__init__(f"{name}: the service promised {promised:,} records and sent {came:,} different ones")
        self.missing = promised - came


class MissingCollection(SourceError):
    """The source does not offer this collection, or the account may not read it; other collections can continue."""

    exit_code = REFUSED


class StoreError(Exception):
    """A store cannot be opened. The message is ``problem; advice``, without the URL and without the setting that names it."""

    exit_code: int = REFUSED


class StoreUnreachable(StoreError):
    """A store cannot be opened now; another try may help."""

    exit_code = INCOMPLETE
