"""Failures of a source or a store, each one line without any value."""

from __future__ import annotations

from .shell import HELD, INCOMPLETE, REFUSED

__all__ = [
    "CollectionMoved",
    "FatalSourceError",
    "HeldBack",
    "MissingCollection",
    "SetupError",
    "SourceError",
    "StoreError",
    "StoreUnreachable",
    "TotalMismatch",
]


class SourceError(Exception):
    """A collection could not be read to its end. The message is one line, without any value."""

    exit_code: int = INCOMPLETE
    """What the run ends with because of it: one of `shell.EXIT_CODES`."""


class FatalSourceError(SourceError):
    """Nothing can be read from this source: the run stops here."""


class SetupError(FatalSourceError):
    """The settings are wrong, or the service refuses the sign-in or the scopes: another try is of no use."""

    exit_code = REFUSED


class CollectionMoved(SourceError):
    """The collection changed while it was read: worth another attempt."""


class HeldBack(SourceError):
    """A brake holds the collection back: someone has to look."""

    exit_code = HELD


class TotalMismatch(CollectionMoved):
    """Fewer different records came than the total of the service says."""

    def __init__(self, name: str, promised: int, came: int) -> None:
        super().__init__(f"{name}: the service promised {promised:,} records and sent {came:,} different ones")
        self.missing = promised - came


class MissingCollection(SourceError):
    """The source does not offer this collection, or may not show it to us; others may go on."""

    exit_code = REFUSED


class StoreError(Exception):
    """A store cannot be opened. The message is ``problem; advice``, without the URL and without the setting that names it."""

    exit_code = REFUSED


class StoreUnreachable(StoreError):
    """A store cannot be opened now; another try may help."""

    exit_code = INCOMPLETE
