"""Knobs: the ways in which a service can differ from the standard, each to be turned on its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Knobs"]


@dataclass(kw_only=True)
class Knobs:
    """How a provider behaves; as it stands, it follows the standard.

    A provider has one set for all collections and may have others for some of them. Knobs can be
    turned while the provider runs. Counted ones count requests for records of one collection.
    """

    page_cap: int | None = None
    """Most records a page has, whatever was asked for; said nowhere."""
    default_limit: int = 100
    """Records of a page where no limit is asked for."""
    page_lengths: Sequence[int] = ()
    """Most records of the pages to come, one after another (0: an empty page); then `page_cap` holds."""
    total_header: bool | Literal["zero", "page", "hidden", "unfiltered", "window"] = True
    """X-Total-Count: the true one, none, always 0, the number of records in the page, one that counts hidden records,
    one that ignores the filter, or one that says no more than the window."""
    hidden: set[str] = field(default_factory=set)
    """Ids of records that are left out of a page after it was cut."""
    window: int | None = None
    """Offsets from here on bring nothing, or `window_status`."""
    window_status: int | None = None
    """Status of offsets beyond the window."""
    link_header: bool = True
    """Link with next, last, first and prev."""
    link_tokens: bool = False
    """Link names places by a token of the service's own, and offset is ignored."""
    link_fault: Literal["tilde", "host", "unfiltered", "loop"] | None = None
    """Link begins with ~/, names another host, leaves out the filter, or has the second page follow every page."""
    body_totals: bool = False
    """totalCount, pageCount and offset stand beside the records."""
    ignore_offset: bool = False
    """Every page is the first one."""
    refuse_filter: Literal["ignored"] | int | None = None
    """Answers a filter with this status, or with everything."""
    refuse_sort: Literal["ignored"] | int | None = None
    """Answers a sort with this status, or in the service's own order."""
    latency_seconds: float = 0.0
    """Time until an answer."""
    fail_first_n: int = 0
    """So many requests get `fail_status`, with `retry_after`; then all is fine."""
    fail_status: int = 503
    """Status of those requests."""
    retry_after: str | None = "0"
    """Value of Retry-After on them."""
    cut_first_n: int = 0
    """So many answers break off in the middle of the body."""
    status_401_once: bool = False
    """The first request gets a 401, whatever its token."""
    die_after_pages: int | None = None
    """After so many pages connections are closed without an answer."""
    html_instead_of_json: bool = False
    """200 with a log-in page."""
    drop_envelope: bool = False
    """The array comes without its wrapper."""
    wrapper_alias: str | None = None
    """Name of the wrapper, in place of the standard's."""
    duplicate_rows: int = 0
    """So many records come a second time, at the end, and are counted twice."""
    revision_header: str | None = None
    """Name of a header that tells the revision of the data (`Provider.revision`)."""
    redirect_to: str | None = None
    """Sends every request on to this address."""
    without: set[str] = field(default_factory=set)
    """Ids of records that are not there; to be changed while it is read."""
    before_page: Callable[[int], None] | None = None
    """Called with the number of pages so far before each one, to change what is there."""
    spelling: Callable[[dict[str, Any]], Any] | None = None
    """How a service of its own mind writes a record."""
    gzip: bool = True
    """Whether answers are compressed for who asks for it."""
    bare_token: bool = False
    """The token's answer says neither for how long it lives nor what it is good for."""
    token_lifetime_seconds: int = 3600
    """How long tokens live; read from the set for all collections."""
