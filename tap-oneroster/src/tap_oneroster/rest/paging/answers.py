"""What a walk sees of a page, and what it makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..._core.errors import SetupError
from ...source import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Answer", "Fetch", "Link", "OffsetIgnored", "PageRows", "PageStep", "Refused"]


class Refused(SourceError):
    """The service answered a page with a status that is not 200."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        if status in {401, 403}:
            self.exit_code = SetupError.exit_code


class OffsetIgnored(SourceError):
    """Whatever the offset, the first page comes."""


class PageRows(Protocol):
    """A page, as far as the walk looks into it."""

    ids: list[str | None]

    def __len__(self) -> int: ...


class Link(NamedTuple):
    """Where the next page is said to be, and what keeps us from following, if anything."""

    url: str
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A page, and what the service said about the whole."""

    page: PageRows
    total: int | None = None
    revision: str | None = None
    link: Link | None = None


class Fetch(Protocol):
    """Gets the answer at an offset; those `ahead` are likely to be wanted next."""

    def __call__(self, offset: int, ahead: Sequence[int] = (), *, few_tries: bool = False) -> Answer:
        """The answer at an offset; `few_tries` where it is probably beyond the end."""
        ...

    def follow(self, url: str) -> Answer:
        """The answer at an address that a link named."""
        ...

    def smallest(self) -> Answer:
        """The first page, of one record: what it says of a whole that it cannot hold."""
        ...

    cannot: set[str]
    """What the service was found not to do; kept for all collections of a run."""

    def last(self) -> Answer | None:
        """Return the first page in descending order; None where the service refuses it."""
        ...

    def after(self, last: str) -> Answer | None:
        """Return the first page of the records after an id, and let offsets count from there.

        None where the service refuses the filter; then offsets count as before.
        """
        ...

    def back(self) -> None:
        """Let offsets count as they did before the latest call of `after`."""
        ...

    def total_of_nothing(self) -> int | None:
        """Return the total of a page that a filter left empty for certain; None where there is no such filter."""
        ...


class PageStep(NamedTuple):
    """What a page brought: positions of its rows."""

    page: PageRows
    new: list[int]
    inner: list[int]
    """Rows whose id stands earlier in the same page."""
    again: list[int]
    """Rows whose id stood in an earlier page."""
    without_id: list[int]
