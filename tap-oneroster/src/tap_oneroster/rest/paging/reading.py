"""The state of a walk through a collection, and checks of the service's statements.

The service's statements are verified: a total is used only while the pages agree with it, and at the end it is compared
with the number of distinct ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..._core.model import UNPROVEN
from ...source import CollectionMoved, SourceError, TotalMismatch
from .answers import Answer, Fetch, Link, PageRows, PageStep, Refused
from .order import disputed, looks_sorted
from .seen import SeenIds

_PAGES_WITHOUT_NEWS = 64
_SMALLEST_OVERLAP = 3
_SAMPLE = 50
"""Number of ids of a page that are checked for their order."""


@dataclass(slots=True, eq=False, repr=False)
class Reading:
    """The state of one read of a collection."""

    name: str
    fetch: Fetch
    asked: int
    """Rows per page, as requested."""
    ordered: bool = False
    """True if the service was asked to sort and did not refuse."""
    width: int = 1
    """Number of pages requested at a time."""
    pages: int = 0
    served: int = 0
    """Largest number of rows on a page so far."""
    total: int | None = None
    revision: str | None = None
    copies: int = 0
    without_id: int = 0
    deviations: Counter[str] = field(default_factory=Counter)
    moved: bool = False
    """True if records were added or removed during the read: the total, the revision or a page changed."""
    proven: bool = False
    """True if there is proof other than an empty page that nothing follows."""
    in_order: bool = False
    """True if the proof is the order: the last id was read, or nothing comes after it."""
    _seen: SeenIds = field(default_factory=SeenIds)
    _cursor: int = 0
    _overlap: int = 0
    _last: Sequence[str | None] = ()
    _first: Sequence[str | None] = ()
    _opening: Sequence[str | None] = ()
    """Ids of the page at offset 0, counted from the current key."""
    _top: Sequence[str | None] = ()
    """The last ids of the order, in descending order, if the service told them."""
    _pairs: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Ids that follow one another in a page, but would not in the collation of this number."""
    _opened: tuple[PageRows, range] | None = None
    """A page found while looking for the end, and its new rows."""
    _stalled: int = 0
    """Number of consecutive pages without new rows."""
    _empty_at: int = 0
    """Offset of the first of them."""
    _is_torn: bool = False
    """True if a page was empty at a place where the last row was expected."""
    _refusal: Refused | None = None
    """The refusal that replaced the latest of them."""
    _keyed: bool = False
    """True if offsets count from an id rather than from the beginning."""
    _key_is_done: bool = False
    """True if the rows after the last id were requested since the last new rows."""
    _nothing_after: bool = False
    """True if there are none."""
    _is_rest_hidden: bool = False
    """True if none came, although the total beside the empty page says that there are some."""
    _is_top_hidden: bool = False
    """True if the page in descending order was empty."""
    _top_at: int = -1
    """Number of records received when the last id of the order was requested."""
    _is_total_checked: bool = False
    _first_link: Link | None = None
    _link: Link | None = None
    """The next page that the last page with rows named."""
    _next_link: Link | None = None
    """The next page that the last page named, if the link leads on."""
    _leads_on: bool = False
    """True if the last page with rows named a next page."""
    _had_links: bool = False
    _by_links: bool = False
    _irregular: int = 0
    _speculation: int = 1
    _lowest_total: int | None = None
    _steps_back: int = 0
    _stands_still: bool = False
    """True if pages did not join, but the page before was unchanged when read again."""
    _news_at: int = 0
    _counts_page: bool = False
    """True if every total so far was the number of rows of its page."""

    @property
    def distinct(self) -> int:
        """Number of distinct ids received."""
        return len(self._seen)

    @property
    def _covered(self) -> int:
        return self.distinct + self.without_id

    def _begin(self, answer: Answer) -> PageRows:
        """Initialize the state from the first page, and decide which statements to use."""
        self._cursor = rows = len(answer.page)
        self._first = self._opening = self._last = answer.page.ids
        self.revision = answer.revision
        self._first_link = answer.link
        self._counts_page = answer.total == rows
        total = answer.total
        if total is not None and rows <= total:
            self.total = self._lowest_total = total
        elif total is not None:
            self.deviations["total smaller than the page it came with"] += 1
        self._check_order(answer.page.ids)
        self._overlap = int(self.ordered and rows >= _SMALLEST_OVERLAP)
        self._stalled = int(not rows)
        return answer.page

    def _check_order(self, ids: Sequence[str | None]) -> None:
        """Stop using the order if a sample of the ids of a page does not ascend."""
        if not self.ordered:
            return
        if not looks_sorted(ids[:: len(ids) // _SAMPLE + 1]):
            self._distrust_order()
        self._pairs |= disputed(ids[:_SAMPLE])

    def _distrust_order(self) -> None:
        self.ordered, self._top = False, ()
        self.deviations["sort ignored by the service"] += 1

    def _ask(self, offset: int, ahead: Sequence[int] = ()) -> Answer:
        # A page that is probably beyond the end does not deserve many retries.
        return self._came(self.fetch(offset, ahead, few_tries=self._is_reached), f"offset {offset}")

    def _came(self, answer: Answer, place: str) -> Answer:
        self.pages += 1
        if self.pages - self._news_at > _PAGES_WITHOUT_NEWS:
            raise SourceError(
                f"{self.name}, {place}: page after page brings nothing new; the service"
                " does not page as the standard says; ask the vendor"
            )
        self.served = max(self.served, len(answer.page))
        self._note_link(answer)
        if self.pages > 1:
            self._compare(answer)
        return answer

    def _note_link(self, answer: Answer) -> None:
        """Record the next page that the service names; a link that never changes leads nowhere."""
        link = answer.link
        leads_on = self._leads(link)
        self._next_link = link if leads_on else None
        if len(answer.page):
            self._link = link
            self._leads_on = leads_on
            self._had_links |= leads_on

    def _leads(self, link: Link | None) -> bool:
        """True if a link names another page than the one before."""
        return link is not None and not link.fault and (self._link is None or link.url != self._link.url)

    def _compare(self, answer: Answer) -> None:
        """Detect a change of the collection; raise CollectionMoved if pages do not overlap."""
        changed = []
        if answer.revision is not None and answer.revision != self.revision:
            if self.revision is not None:
                changed.append("revision")
            self.revision = answer.revision
        self._counts_page &= answer.total in {None, len(answer.page)}
        if not self._keyed and None not in {self.total, answer.total} and answer.total != self.total:
            if self._counts_page:
                self.deviations["total that counts the page only"] += 1
                self.total = None
                return
            changed.append("total")
            self.total = answer.total
            self._lowest_total = min(self._lowest_total or 0, answer.total or 0)
        if not changed:
            return
        self.moved = True
        for what in changed:
            self.deviations[f"{what} changed during the read"] += 1
        if not self._overlap:
            raise CollectionMoved(f"{self.name}: the {' and the '.join(changed)} changed while it was read")

    @property
    def _is_reached(self) -> bool:
        """True if the whole total was received.

        If records were added or removed during the read, compare the position in the order instead, because some
        received records no longer exist.
        """
        read = self._cursor if self.moved and self._overlap and not self._keyed else self._covered
        return self.total is not None and read >= self.total

    def _doubt_total(self) -> None:
        """Drop a total that is smaller than the number of rows received."""
        if self.total is not None and self._covered > self.total and not self.moved:
            self.deviations["more records than the total said"] += 1
            self.total = None

    def _check_total(self) -> None:
        """Drop a total that does not change if the filter matches nothing."""
        if self.total is None or self._is_total_checked:
            return
        self._is_total_checked = True
        if self.fetch.total_of_nothing() == self.total:
            self.deviations["total ignores the filter"] += 1
            self.total = self._lowest_total = None

    def _known(self, page: PageRows) -> list[int]:
        return [row for row, one in enumerate(page.ids) if one and one in self._seen]

    def _begins_as_first(self, page: PageRows) -> bool:
        length = min(len(page), len(self._opening))
        return length > 0 and page.ids[:length] == list(self._opening[:length])

    def _step(self, page: PageRows, rows: range) -> PageStep:
        ids = page.ids
        came = ids[rows.start : rows.stop]
        named, without = list(rows), []
        if not all(came):
            named = [row for row in rows if ids[row]]
            without = [row for row in rows if not ids[row]]
        self.without_id += len(without)
        repeated = self._seen.add([one for one in came if one] if without else came)  # type: ignore[arg-type]
        if not repeated:
            return PageStep(page, named, [], [], without)
        self.copies += len(repeated)
        again = [named[position] for position in repeated]
        skip = set(again)
        new = [row for row in named if row not in skip]
        here = {ids[row] for row in new}
        return PageStep(
            page,
            new,
            [row for row in again if ids[row] in here],
            [row for row in again if ids[row] not in here],
            without,
        )

    def finish(self) -> None:
        """Compare the sums; raise TotalMismatch if fewer distinct records arrived than promised."""
        if not self.proven:
            self.deviations[UNPROVEN] += 1
        promised = self._lowest_total if self.moved else self.total
        if promised is None or self._covered >= promised:
            return
        if self.moved and self._overlap and (self._keyed or not self._begins_as_first(self._ask(1).page)):
            return  # the seams prove that no row was skipped while rows changed; offsets count from 0
        # A total may count every copy of a record, if each place was read exactly once; pages with gaps overlap.
        once = not (self._by_links or self._steps_back or self._keyed or self._irregular)
        if once and self._covered + self.copies == promised:
            return
        self._check_total()
        if self.total is not None:
            raise TotalMismatch(self.name, promised, self._covered)
