"""What a walk sees of a page, and what it concludes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..._core.errors import SetupError
from ...source import SourceError


class Refused(SourceError):
    """The service answered a page with a status other than 200."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        if status in {401, 403}:
            self.exit_code = SetupError.exit_code


class OffsetIgnored(SourceError):
    """The service sends the first page for every offset."""


class PageRows(Protocol):
    """The part of a page that the walk uses."""

    ids: list[str | None]

    def __len__(self) -> int: ...


class Link(NamedTuple):
    """The address of the next page, and the reason not to follow it, if any."""

    url: str
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A page, and the service's statements about the whole collection."""

    page: PageRows
    total: int | None = None
    revision: str | None = None
    link: Link | None = None


class Fetch(Protocol):
    """Gets the page at an offset; the offsets `ahead` are likely to be needed next."""

    def __call__(self, offset: int, ahead: Sequence[int] = (), *, few_tries: bool = False) -> Answer:
        """Return the page at an offset; `few_tries` if it is probably beyond the end."""

    def follow(self, url: str) -> Answer:
        """Return the page at an address from a link."""

    def smallest(self) -> Answer:
        """Return the first page with a limit of one record, for its total."""

    known: set[str]
    """Facts about the service, shared by all collections of a run."""

    def last(self) -> Answer | None:
        """Return the first page in descending order; None if the service refuses it."""

    def after(self, last: str) -> Answer | None:
        """Return the first page of the records after an id; offsets then count from there.

        Return None if the service refuses the filter; offsets then stay unchanged.
        """

    def back(self) -> None:
        """Undo the effect of the last call of `after` on offsets."""

    def total_of_nothing(self) -> int | None:
        """Return the total of a page whose filter matches nothing; None if the service does not filter."""


class PageStep(NamedTuple):
    """The rows of a page, as positions by their kind."""

    page: PageRows
    new: list[int]
    inner: list[int]
    """Rows whose id occurred earlier in the same page."""
    again: list[int]
    """Rows whose id occurred in an earlier page."""
    without_id: list[int]


class Nothing:
    """An empty page in place of a refused one."""

    ids: list[str | None] = []  # noqa: RUF012

    def __len__(self) -> int:
        return 0
