"""Knobs: the ways in which a service can deviate from the standard, each set separately."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(kw_only=True)
class Knobs:
    """The behaviour of a provider; the defaults follow the standard.

    A provider has one set for all collections and may have other sets for some of them. Knobs can be changed while the
    provider runs. Those with a count refer to requests for records of one collection.
    """

    page_cap: int | None = None
    """Maximum number of records on a page, whatever the request asks for; the response does not mention it."""
    default_limit: int = 100
    """Number of records on a page if the request has no limit."""
    page_lengths: Sequence[int] = ()
    """Maximum lengths of the next pages, in order (0: an empty page); after them `page_cap` applies."""
    total_header: bool | Literal["zero", "page", "hidden", "unfiltered", "window"] = True
    """X-Total-Count: the true one, none, or a wrong one.

    Wrong ones are always 0 (zero), count the records on the page (page), count hidden records (hidden), ignore the
    filter (unfiltered), or are limited to the window (window).
    """
    hidden: set[str] = field(default_factory=set)
    """Ids of records that are removed from a page after it was cut."""
    window: int | None = None
    """Offsets from this one on return nothing, or `window_status`."""
    window_status: int | None = None
    """Status for offsets beyond the window."""
    link_header: bool = True
    """Send Link with next, last, first and prev."""
    link_tokens: bool = False
    """Link contains a token instead of an offset, and offset is ignored."""
    link_fault: Literal["tilde", "host", "unfiltered", "loop"] | None = None
    """Link begins with ~/, names another host, omits the filter, or always names the second page as next."""
    body_totals: bool = False
    """Add totalCount, pageCount and offset beside the records."""
    ignore_offset: bool = False
    """Return the first page for every offset."""
    refuse_filter: Literal["ignored"] | int | None = None
    """Respond to a filter with this status, or ignore it."""
    refuse_sort: Literal["ignored"] | int | None = None
    """Respond to a sort with this status, or ignore it."""
    latency_seconds: float = 0.0
    """Delay of each response."""
    fail_first_n: int = 0
    """Number of first requests that get `fail_status`, with `retry_after`."""
    fail_status: int = 503
    """Status of those requests."""
    retry_after: str | None = "0"
    """Value of Retry-After in their responses."""
    cut_first_n: int = 0
    """Number of first responses that end in the middle of the body."""
    status_401_once: bool = False
    """The first request gets a 401, even with a valid token."""
    die_after_pages: int | None = None
    """Number of pages after which connections are closed without a response."""
    html_instead_of_json: bool = False
    """Respond with status 200 and a login page."""
    drop_envelope: bool = False
    """Send the array without its wrapper."""
    wrapper_alias: str | None = None
    """Name of the wrapper, instead of the standard's."""
    duplicate_rows: int = 0
    """Number of records that are repeated at the end and counted twice."""
    revision_header: str | None = None
    """Name of a header with the revision of the data (`Provider.revision`)."""
    redirect_to: str | None = None
    """Redirect every request to this address."""
    without: set[str] = field(default_factory=set)
    """Ids of records that do not exist; can be changed during a read."""
    before_page: Callable[[int], None] | None = None
    """Called before each page with the number of pages so far, to change the data."""
    spelling: Callable[[dict[str, Any]], Any] | None = None
    """Changes a record to a service's own format."""
    gzip: bool = True
    """Compress responses if the client accepts it."""
    bare_token: bool = False
    """The token response contains neither lifetime nor scopes."""
    token_lifetime_seconds: int = 3600
    """Lifetime of tokens; only the set for all collections is used."""
