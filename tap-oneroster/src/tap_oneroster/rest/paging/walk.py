"""The walk through a collection: what to ask for next, what is new, and whether that was all.

Nothing is taken on trust that can be seen: the reader advances by the rows that came, never by
those it asked for; a short, an empty or a refused page is not the end by itself; a total is believed
as long as the pages bear it out. Where the service sorts, pages overlap by one row, so that a row
which slid under the offset shows at the seam, and the reader steps back instead of starting over;
and the last id of the order tells whether the end was reached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..._core.model import UNPROVEN
from ...source import CollectionMoved, SourceError, TotalMismatch
from .answers import Answer, Fetch, Link, OffsetIgnored, PageRows, PageStep, Refused
from .links import Trail
from .order import looks_sorted, rows_after, top_of
from .seen import SeenIds

__all__ = ["Walk"]

_PAGES_WITHOUT_NEWS = 64
_IRREGULAR = 4
_STEPS_BACK = 50
_SMALLEST_OVERLAP = 3
_LARGEST_TOTAL = 10**12
_EXPECTED_RUN = 50
"""Pages without news, one after another, that are passed over where more must follow."""
_LOOK_FURTHER = 2
"""Pages that are looked at beyond an empty one where nothing tells whether more follows."""
_ROUND = 100
"""Totals that are a multiple of this may be the edge of a window."""


@dataclass(slots=True)
class Walk:
    """Goes through one collection, once."""

    name: str
    fetch: Fetch
    asked: int
    """Rows to a page, as asked for."""
    ordered: bool = False
    """The service was asked to sort, and did not refuse."""
    width: int = 1
    """Pages asked for at a time."""
    pages: int = 0
    served: int = 0
    """Most rows that a page brought."""
    total: int | None = None
    revision: str | None = None
    copies: int = 0
    without_id: int = 0
    deviations: Counter[str] = field(default_factory=Counter)
    moved: bool = False
    """Records came or went on the way: the total or the revision changed, or a page did."""
    proven: bool = False
    """Something else than an empty page says that nothing follows."""
    in_order: bool = False
    """The order says so: the last id has come, or nothing comes after it."""
    _seen: SeenIds = field(default_factory=SeenIds)
    _cursor: int = 0
    _overlap: int = 0
    _last: Sequence[str | None] = ()
    _first: Sequence[str | None] = ()
    _opening: Sequence[str | None] = ()
    """Ids of the page at offset 0, from wherever offsets count now."""
    _top: str | None = None
    """The last id of the order, where the service told it."""
    _opened: tuple[PageRows, range] | None = None
    """A page that was found in search of the end, and its new rows."""
    _stalled: int = 0
    """Pages without news, one after another."""
    _empty_at: int = 0
    """Where the first of them was asked for."""
    _is_torn: bool = False
    """An empty page came where the last row should have been."""
    _refusal: Refused | None = None
    """The refusal that stands for the latest of them."""
    _keyed: bool = False
    """Offsets count from the place that an id names, not from the beginning."""
    _key_is_done: bool = False
    """What follows the last id was asked for since rows came."""
    _nothing_after: bool = False
    """Nothing does."""
    _top_at: int = -1
    """How many records had come when the last id of the order was asked for."""
    _is_total_checked: bool = False
    _first_link: Link | None = None
    _link: Link | None = None
    """What the latest page that brought rows said comes next."""
    _next_link: Link | None = None
    """What the latest page said comes next, where that leads on."""
    _had_links: bool = False
    _by_links: bool = False
    _irregular: int = 0
    _speculation: int = 1
    _lowest_total: int | None = None
    _steps_back: int = 0
    _stands_still: bool = False
    """Where pages did not join, the page before came again as it was."""
    _news_at: int = 0
    _counts_page: bool = False
    """Every total so far was the number of rows of its page."""

    @property
    def distinct(self) -> int:
        """Different ids that came."""
        return len(self._seen)

    @property
    def _covered(self) -> int:
        return self.distinct + self.without_id

    def __iter__(self) -> Iterator[PageStep]:
        page = self._begin(self._ask(0))
        if len(page):
            yield self._step(page, range(len(page)))
        elif self._next_link:
            self.deviations["first page empty; read along Link"] += 1
            yield from self._along_links(None)
            return
        del page  # not to be kept while the next one is waited for
        while not self._is_end():
            try:
                found = self._next()
            except OffsetIgnored as ignored:
                yield from self._along_links(ignored)
                return
            if found is None:  # the first page again: the total proved that it holds all
                self.proven = True
                return
            page, fresh = found
            if page is None or not fresh:
                continue
            before = self._covered
            yield self._step(page, fresh)
            del found, page
            if self._covered > before:
                self._news_at = self.pages
            self._doubt_total()

    def _begin(self, answer: Answer) -> PageRows:
        """Settle what can be believed, from the first page."""
        self._cursor = rows = len(answer.page)
        self._first = self._opening = self._last = answer.page.ids
        self.revision = answer.revision
        self._first_link = answer.link
        self._counts_page = answer.total == rows
        total = answer.total
        if total is not None and rows <= total <= _LARGEST_TOTAL and (total or not rows):
            self.total = self._lowest_total = total
        elif total is not None and rows:
            self.deviations["total smaller than the page it came with"] += 1
        if self.ordered and rows > 1 and not looks_sorted(answer.page.ids):
            self.ordered = False
            self.deviations["sort ignored by the service"] += 1
        self._overlap = int(self.ordered and rows >= _SMALLEST_OVERLAP)
        self._stalled = int(not rows)
        return answer.page

    def _ask(self, offset: int, ahead: Sequence[int] = ()) -> Answer:
        # A page that is most likely beyond the end is not worth many tries.
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
        """Notice where the service says that the next page is; a link that stays the same leads nowhere."""
        link = answer.link
        leads_on = link is not None and not link.fault and (self._link is None or link.url != self._link.url)
        self._next_link = link if leads_on else None
        if len(answer.page):
            self._link = link
            self._had_links |= leads_on

    def _compare(self, answer: Answer) -> None:
        """Notice that the collection moved; without seams that cannot be read over."""
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
        """Whether everything promised has come.

        Where records came and went meanwhile, the place in the order tells: some of what came is gone by now.
        """
        read = self._cursor if self.moved and self._overlap and not self._keyed else self._covered
        return self.total is not None and read >= self.total

    def _doubt_total(self) -> None:
        """Stop believing a total that the rows have gone past."""
        if self.total is not None and self._covered > self.total and not self.moved:
            self.deviations["more records than the total said"] += 1
            self.total = None

    def _is_end(self) -> bool:
        """Whether this was all; where it was not, the cursor stands where to go on."""
        if self._opened:
            return False
        if self._stalled and not self._is_reached:
            self._check_total()
        if not (self._stalled or self._may_be_end):
            return False
        if self.ordered and not (self._last and self._last[-1] is None):
            ended = self._ask_order()
            if ended is not None:
                return ended
        return bool(self._stalled) and self._look_further()

    @property
    def _may_be_end(self) -> bool:
        """Whether it is worth asking for the end, though the latest page brought rows."""
        rows = len(self._last)
        if self.total is not None:
            return self._is_reached
        is_first = self._cursor == rows and not self._keyed
        return rows < self.served or (is_first and rows < self.asked) or self._is_top_seen

    @property
    def _is_top_seen(self) -> bool:
        return self._top is not None and self._top in self._seen

    def _ask_order(self) -> bool | None:
        """Whether the order of the ids says that this was the end; None where it cannot tell."""
        is_due = self._top_at < 0 or (self._stalled == 1 and self._top_at != self._covered)
        # Of one row, the descending order can tell nothing that the filter does not.
        if is_due and not self._is_top_seen and (self._stalled or self._covered > 1):
            self._top_at = self._covered
            self._top, is_empty = top_of(self.fetch, self._first)
            if is_empty and not self.total:
                self.proven = True
                return True
        if self._is_top_seen:
            self.proven = self.in_order = True
            return True
        if self._top is not None and not self._stalled:
            return False
        last = self._last[-1] if self._last else None
        if last is None or self._key_is_done:
            return None
        self._key_is_done = True
        page = rows_after(self.fetch, last, self._seen)
        if page is None:
            return None
        if len(page):
            self._keyed = True
            self.served = max(self.served, len(page))
            if self._stalled:
                self.deviations["offsets end before the records do; read on by sourcedId"] += 1
            self._opening, self._opened = page.ids, (page, range(len(page)))
            self._cursor, self._next_link = len(page), None
            return False
        self._nothing_after = True
        if self._top is None and not (self._stalled or self._irregular or self._next_link):
            self.proven = self.in_order = True
            return True
        return None

    def _look_further(self) -> bool:
        """Whether pages without news are the end, where the order cannot tell; else go on by the page size."""
        if self._is_torn:
            self._is_torn = False
            offset, page, fresh = self._seam(self._cursor - 1, self._ask(self._cursor - 1).page)
            if fresh:
                self._cursor, self._opened = offset + len(page), (page, fresh)
                return False
        must_follow = self._top is not None or not (self.total is None or self._is_reached)
        if self._refusal:
            return self._is_end_refused(self._refusal)
        if not must_follow and not self._next_link:
            is_last_page = self._had_links and self._link is None and self._stalled > 1
            self.proven = self._is_total_proof if self.total is not None else is_last_page
            if self.proven or self.total is not None:
                return True
        bound = _EXPECTED_RUN if must_follow or (self._next_link and self.total is None) else _LOOK_FURTHER
        if self._stalled > bound + 1:
            if self._top is not None:
                raise CollectionMoved(f"{self.name}: the last records in the order are there, and no page brings them")
            self.proven = self._nothing_after and not (must_follow or self._irregular or self._next_link)
            return True
        if self._stalled > 1:  # the first empty page is asked for once more
            self._cursor += self.served or self.asked
        return False

    @property
    def _is_total_proof(self) -> bool:
        """Whether a total that was reached proves the end: one that may be the edge of a window does not."""
        return self._nothing_after or not self.total or self.total % _ROUND > 0

    def _is_end_refused(self, error: Refused) -> bool:
        """Whether a refused page is the end, where the order cannot tell."""
        is_end = self._top is None and (self._is_reached or self._nothing_after)
        if self._top is None and self.total is None and error.status in {404, 416} and not is_end:
            # Only where the service is otherwise well: the page before must still be there.
            is_end = len(self._ask(max(self._cursor - max(self.served, 1), 0)).page) > 0
        if not is_end:
            raise SourceError(
                f"{error}; {self._covered:,} records had come. Where a service refuses offsets beyond a window,"
                " the rest can be read only if it filters and sorts by sourcedId; ask the vendor"
            )
        self.deviations["refusal instead of an empty page at the end"] += 1
        self.proven = self._is_total_proof if self._is_reached else self._nothing_after and not self._irregular
        return True

    def _next(self) -> tuple[PageRows | None, range] | None:
        """The next page, and its rows that lie after those read so far."""
        if self._opened:
            (page, fresh), self._opened = self._opened, None
            return self._take(page, fresh)
        overlap = 0 if self._stalled or not self._last or self._last[-1] is None else self._overlap
        offset = self._cursor - overlap
        self._refusal = None
        try:
            page = self._ask(offset, [] if self._stalled else self._ahead(offset)).page
        except Refused as error:
            self._refusal, self._next_link = error, None
            self._stall(offset)
            return None, range(0)
        if self._is_first_again(page, offset):
            if self._holds_all():
                self.deviations["offset ignored, but one page held everything"] += 1
                return None
            raise OffsetIgnored(
                f"{self.name}, offset {offset}: the service ignores offset and sends its first"
                " page again; raise page_size until one page holds the whole total, or ask the vendor"
            )
        if not len(page):
            self._is_torn = overlap > 0
            self._stall(offset)
            return page, range(0)
        fresh = range(len(page))
        if overlap:
            offset, page, fresh = self._seam(offset, page)
        elif self._stalled and self._overlap:
            fresh = range(1 + max(self._known(page), default=-1), len(page))
        if not fresh:
            self._stall(offset)
            return page, fresh
        if self._stalled > 1 and offset > self._empty_at:
            again = self._ask(self._empty_at).page
            if any(one not in self._seen for one in again.ids if one):
                # What was empty is not any more, so that it was no hole.
                offset, page, fresh = self._empty_at, again, range(len(again))
        self._cursor = offset + len(page)
        return self._take(page, fresh)

    def _stall(self, offset: int) -> None:
        if not self._stalled:
            self._empty_at = offset
        self._stalled += 1

    def _take(self, page: PageRows, fresh: range) -> tuple[PageRows, range]:
        """Take note of a page that brings rows."""
        if self._stalled and not self._keyed:
            self.deviations["empty page in the middle"] += 1
        elif self._last and len(self._last) < self.served and not self._keyed:
            self._irregular += 1
            self.deviations["short page in the middle"] += 1
        self._first = self._first or page.ids
        self._opening = self._opening or page.ids
        self._last = page.ids
        self._stalled, self._refusal, self._is_torn = 0, None, False
        self._key_is_done = self._nothing_after = False
        return page, fresh

    def _known(self, page: PageRows) -> list[int]:
        return [row for row, one in enumerate(page.ids) if one and one in self._seen]

    def _is_first_again(self, page: PageRows, offset: int) -> bool:
        """Whether offset is ignored: it is where two different ones begin as the first page did."""
        return self._begins_as_first(page) and self._begins_as_first(self._ask(offset + 1).page)

    def _begins_as_first(self, page: PageRows) -> bool:
        length = min(len(page), len(self._opening))
        return length > 0 and page.ids[:length] == list(self._opening[:length])

    def _holds_all(self) -> bool:
        """Whether the first page was all there is, where offset leads to no other."""
        if self.total is None or self._covered < self.total or self._link:
            return False
        if len(self._first) > 1 and self.fetch.smallest().total == 1:
            self.deviations["total that counts the page only"] += 1
            self.total = None
        return self.total is not None

    def _along_links(self, ignored: OffsetIgnored | None) -> Iterator[PageStep]:
        """The pages after the first, where only Link leads to them; else `ignored` stands."""
        if self.moved:
            raise CollectionMoved(f"{self.name}: changed while it was read")
        self._overlap, self.ordered, self._by_links = 0, False, True
        trail = Trail(self.fetch.follow)
        link = self._first_link
        if ignored and link is None:
            if self.total is not None or len(self._first) < 2 or not self.fetch.smallest().link:
                raise ignored
        if ignored:
            self.deviations["offset ignored; read along Link"] += 1
        for answer in trail(link):
            page = self._came(answer, "read along Link").page
            if ignored and self._begins_as_first(page):
                raise ignored
            before = self._covered
            if len(page):
                yield self._step(page, range(len(page)))
            if self._covered > before:
                self._news_at = self.pages
            self._doubt_total()
        if trail.fault:
            self.deviations[f"Link not followed: {trail.fault}"] += 1
            reason = f"{ignored}; " if ignored else f"{self.name}: "
            raise SourceError(f"{reason}Link to the next page is of no use: {trail.fault}")
        self.proven = True

    def _seam(self, offset: int, page: PageRows) -> tuple[int, PageRows, range]:
        """Where in an overlapping page the new rows begin, stepping back where the seam broke."""
        if page.ids[:1] == [self._last[-1]]:
            return offset, page, range(1, len(page))
        if not (self.moved or self._stands_still):
            # Rows that are left out after the page was cut look like rows that slid, but the page before stays as it was.
            before = self._ask(self._cursor - len(self._last)).page
            self._stands_still = before.ids == list(self._last)
            self.moved = not self._stands_still
        if self.moved:
            self._steps_back += 1
            self.deviations["rows slid between pages; stepped back"] += 1
        for _ in range(_STEPS_BACK):
            if known := self._known(page):
                return offset, page, range(known[-1] + 1, len(page))
            if not offset:
                break
            offset = max(0, offset - max(self.served - 1, 1))
            page = self._ask(offset).page
        raise CollectionMoved(f"{self.name}: the records around offset {self._cursor} changed while they were read")

    def _ahead(self, offset: int) -> list[int]:
        """Offsets that will be wanted, if pages come as they came so far."""
        stride = self.served - self._overlap
        if stride < 1 or self._irregular >= _IRREGULAR:
            return []
        if self.total is None or self._keyed:
            self._speculation = min(self._speculation * 2, self.width)
            return [offset + stride * n for n in range(1, self._speculation)]
        # One more than can be on its way, so that no connection waits while a page is decoded.
        count = self.width if self.width > 1 else 0
        # Where the order does not tell the end, the last one is to show that nothing follows.
        end = self.total - self._overlap
        offsets = [min(offset + stride * n, end) for n in range(1, count + 1)]
        return [one for one in dict.fromkeys(offsets) if offset < one < end + (not self.ordered)]

    def _step(self, page: PageRows, rows: range) -> PageStep:
        ids = page.ids
        named = [row for row in rows if ids[row]]
        without = [row for row in rows if not ids[row]] if len(named) < len(rows) else []
        self.without_id += len(without)
        repeated = self._seen.add([ids[row] for row in named])  # type: ignore[misc]
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

    def _check_total(self) -> None:
        """Stop believing a total that stays the same where the filter leaves nothing."""
        if self.total is None or self._is_total_checked:
            return
        self._is_total_checked = True
        if self.fetch.total_of_nothing() == self.total:
            self.deviations["total ignores the filter"] += 1
            self.total = self._lowest_total = None

    def finish(self) -> None:
        """Check the sum: TotalMismatch where fewer different records came than were promised."""
        if not self.proven:
            self.deviations[UNPROVEN] += 1
        promised = self._lowest_total if self.moved else self.total
        if promised is None or self._covered >= promised:
            return
        if self.moved and self._overlap and (self._keyed or not self._begins_as_first(self._ask(1).page)):
            return  # rows came and went, and the seams tell that none was passed over; offsets count from 0
        # A total may count each copy of a record, where every place was read just once.
        once = not (self._by_links or self._steps_back or self._keyed)
        if once and self._covered + self.copies == promised:
            return
        self._check_total()
        if self.total is not None:
            raise TotalMismatch(self.name, promised, self._covered)
