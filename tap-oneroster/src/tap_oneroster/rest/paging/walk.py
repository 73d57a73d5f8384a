"""The walk through a collection: what to ask for next, what is new, and whether that was all.

Nothing is taken on trust that can be seen: the reader advances by the rows that came, never by
those it asked for; a short page is not the end; a total is believed as long as the pages bear it
out. Where the service sorts, pages overlap by one row, so that a row which slid under the offset
shows at the seam, and the reader steps back instead of starting over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ...source import CollectionMoved, SourceError
from .answers import Answer, Fetch, Link, Nothing, OffsetIgnored, PageRows, PageStep, Refused
from .links import Trail
from .order import looks_sorted
from .seen import SeenIds

__all__ = ["Walk"]

_EMPTY_TRIES = 3
_PAGES_WITHOUT_NEWS = 64
_IRREGULAR = 4
_STEPS_BACK = 50
_SMALLEST_OVERLAP = 3


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
    """The total or the revision changed on the way."""
    _seen: SeenIds = field(default_factory=SeenIds)
    _cursor: int = 0
    _overlap: int = 0
    _last: Sequence[str | None] = ()
    _first: Sequence[str | None] = ()
    _link: Link | None = None
    """What the first page said comes next."""
    _by_links: bool = False
    _irregular: int = 0
    _speculation: int = 1
    _lowest_total: int | None = None
    _stepped_back: bool = False
    _steps_back: int = 0
    _news_at: int = 0
    _is_last_seen: bool = False
    """The latest page held the last row that came, and nothing after it."""
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
        empty = int(not len(page))
        if not empty:
            yield self._step(page, range(len(page)))
        del page  # not to be kept while the next one is waited for
        while not (empty and self._is_end(empty)):
            try:
                found = self._next(empty)
            except OffsetIgnored as ignored:
                yield from self._along_links(ignored)
                return
            if found is None:  # the first page again: the total proved that it holds all
                return
            page, fresh = found
            if not fresh:
                if self._is_reached and self._is_last_seen:
                    return
                empty = 0 if self._is_reached else empty + (not self._stepped_back)
                continue
            if empty > 1 or (empty and not self._overlap):
                self.deviations["empty page in the middle"] += 1
            empty = 0
            before = self._covered
            yield self._step(page, fresh)
            del found, page
            if self._covered > before:
                self._news_at = self.pages
            self._doubt_total()

    def _begin(self, answer: Answer) -> PageRows:
        """Settle what can be believed, from the first page."""
        self._cursor = rows = len(answer.page)
        self._first = self._last = answer.page.ids
        self.revision = answer.revision
        self._link = answer.link
        self._counts_page = answer.total == rows
        if answer.total and answer.total >= rows:
            self.total = self._lowest_total = answer.total
            self._seen = SeenIds(answer.total)
        elif answer.total is not None and rows:
            self.deviations["total smaller than the page it came with"] += 1
        if self.ordered and rows > 1 and not looks_sorted(answer.page.ids):
            self.ordered = False
            self.deviations["sort ignored by the service"] += 1
        self._overlap = int(self.ordered and rows >= _SMALLEST_OVERLAP)
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
        if self.pages > 1:
            self._compare(answer)
        return answer

    def _compare(self, answer: Answer) -> None:
        """Notice that the collection moved; without seams that cannot be read over."""
        changed = []
        if answer.revision is not None and answer.revision != self.revision:
            if self.revision is not None:
                changed.append("revision")
            self.revision = answer.revision
        self._counts_page &= answer.total in {None, len(answer.page)}
        if self.total is not None and answer.total is not None and answer.total != self.total:
            if self._counts_page:
                self.deviations["total that counts the page only"] += 1
                self.total = None
                return
            changed.append("total")
            self.total = answer.total
            self._lowest_total = min(self._lowest_total or 0, answer.total)
        if not changed:
            return
        self.moved = True
        for what in changed:
            self.deviations[f"{what} changed during the read"] += 1
        if not self._overlap:
            raise CollectionMoved(f"{self.name}: the {' and the '.join(changed)} changed while it was read")

    @property
    def _has_moved(self) -> bool:
        """Rows came or went while they were read, and the seams were there to tell."""
        return bool(self._overlap and (self.moved or self._steps_back))

    @property
    def _is_reached(self) -> bool:
        """Whether everything promised has come.

        Where pages overlap, the place in the order tells: some of what came may be gone by now.
        """
        read = self._cursor if self._overlap else self._covered
        return self.total is not None and read >= self.total

    def _doubt_total(self) -> None:
        """Stop believing a total that the rows have gone past."""
        if self.total is not None and self._covered > self.total and not self.moved:
            self.deviations["more records than the total said"] += 1
            self.total = None

    def _is_end(self, empty: int) -> bool:
        """Whether so many pages without news, one after another, are the end."""
        if self._is_reached:
            return True
        if empty < (_EMPTY_TRIES if self.total is not None else 2):
            return False
        if self.total is not None and self._covered + self.copies >= self.total:
            return True
        if self.total is not None:
            raise CollectionMoved(
                f"{self.name}: the service promised {self.total:,} records and ended after {self._covered:,}"
            )
        if not self._covered and self._link:
            raise SourceError(
                f"{self.name}: an empty page, though Link names a next one; without a total nobody can tell"
                " what it left out; ask the vendor"
            )
        # Without a total: what lies a page further on must be empty, too.
        try:
            beyond = self._ask(self._cursor + max(self.served, 1))
        except Refused as error:
            self._check_refusal(error)
            return True
        ids = [one for one in beyond.page.ids if one]
        if len(beyond.page) > len(ids) or len(ids) > len(self._seen.add(ids)):
            raise SourceError(
                f"{self.name}, offset {self._cursor}: an empty page, though more follow; without"
                " a total nobody can tell what it left out; ask the vendor"
            )
        return True

    def _next(self, empty: int) -> tuple[PageRows, range] | None:
        """The next page, and its rows that lie after those read so far."""
        self._stepped_back = False
        overlap = 0 if empty or not self._last or self._last[-1] is None else self._overlap
        offset = self._cursor - overlap
        try:
            page = self._ask(offset, [] if empty else self._ahead(offset)).page
        except Refused as error:
            self._check_refusal(error)
            self._is_last_seen = not self._has_moved
            return Nothing(), range(0)
        if self._is_first_again(page, offset):
            if self._holds_all():
                self.deviations["offset ignored, but one page held everything"] += 1
                return None
            raise OffsetIgnored(
                f"{self.name}, offset {offset}: the service ignores offset and sends its first"
                " page again; raise page_size until one page holds the whole total, or ask the vendor"
            )
        self._is_last_seen = page.ids == list(self._last[-overlap:]) if overlap else not len(page)
        if not overlap:
            fresh = range(len(page))
        else:
            offset, page, fresh = self._seam(offset, page)
        if len(page) > overlap and len(page) < self.served and not self._is_near_end(offset):
            self._irregular += 1
        if len(page):
            self._cursor = offset + len(page)
            self._last = page.ids
        return page, fresh

    def _is_first_again(self, page: PageRows, offset: int) -> bool:
        """Whether offset is ignored: it is where two different ones begin as the first page did."""
        return self._begins_as_first(page) and self._begins_as_first(self._ask(offset + 1).page)

    def _begins_as_first(self, page: PageRows) -> bool:
        length = min(len(page), len(self._first))
        return length > 0 and page.ids[:length] == list(self._first[:length])

    def _holds_all(self) -> bool:
        """Whether the first page was all there is, where offset leads to no other."""
        if self.total is None or self._covered < self.total or self._link:
            return False
        if len(self._first) > 1 and self.fetch.smallest().total == 1:
            self.deviations["total that counts the page only"] += 1
            self.total = None
        return self.total is not None

    def _along_links(self, ignored: OffsetIgnored) -> Iterator[PageStep]:
        """The pages after the first, where only Link leads to them; else `ignored` stands."""
        if self.moved:
            raise CollectionMoved(f"{self.name}: changed while it was read")
        self._overlap, self.ordered, self._by_links = 0, False, True
        trail = Trail(self.fetch.follow)
        link = self._link
        if link is None and not (self.total is None and len(self._first) > 1 and self.fetch.smallest().link):
            raise ignored
        self.deviations["offset ignored; read along Link"] += 1
        for answer in trail(link):
            page = self._came(answer, "read along Link").page
            if self._begins_as_first(page):
                raise ignored
            before = self._covered
            if len(page):
                yield self._step(page, range(len(page)))
            if self._covered > before:
                self._news_at = self.pages
            self._doubt_total()
        if trail.fault:
            self.deviations[f"Link not followed: {trail.fault}"] += 1
            raise SourceError(f"{ignored}; Link to the next page is of no use: {trail.fault}")

    def _is_near_end(self, offset: int) -> bool:
        return self.total is None or offset + self.served >= self.total

    def _seam(self, offset: int, page: PageRows) -> tuple[int, PageRows, range]:
        """Where in an overlapping page the new rows begin, stepping back where the seam broke."""
        if not len(page):
            page = self._ask(offset).page  # the row at the seam should be there
        if page.ids[:1] == [self._last[-1]]:
            return offset, page, range(1, len(page))
        self._stepped_back = True
        self._steps_back += 1
        self.deviations["rows slid between pages; stepped back"] += 1
        for _ in range(_STEPS_BACK):
            known = [row for row, one in enumerate(page.ids) if one and one in self._seen]
            if known:
                return offset, page, range(known[-1] + 1, len(page))
            if not offset:
                break
            offset = max(0, offset - max(self.served - 1, 1))
            page = self._ask(offset).page
        raise CollectionMoved(f"{self.name}: the records around offset {self._cursor} changed while they were read")

    def _check_refusal(self, error: Refused) -> None:
        """Some services refuse an offset beyond the end; that is one only where it can be one."""
        if self._is_reached:
            self.deviations["refusal instead of an empty page at the end"] += 1
            return
        if self.total is None and error.status in {404, 416}:
            # Only where the service is otherwise well: the page before must still be there.
            again = self._ask(max(self._cursor - max(self.served, 1), 0)).page
            if len(again):
                self.deviations["refusal instead of an empty page at the end"] += 1
                return
        raise error

    def _ahead(self, offset: int) -> list[int]:
        """Offsets that will be wanted, if pages come as they came so far."""
        stride = self.served - self._overlap
        if stride < 1 or self._irregular >= _IRREGULAR:
            return []
        # One more than can be on its way, so that no connection waits while a page is decoded.
        count = self.width if self.width > 1 else 0
        if self.total is None:
            self._speculation = min(self._speculation * 2, self.width)
            return [offset + stride * n for n in range(1, self._speculation)]
        # The last is to show that nothing follows where the total says so.
        end = self.total - self._overlap
        offsets = [min(offset + stride * n, end) for n in range(1, count + 1)]
        return [one for one in dict.fromkeys(offsets) if one > offset]

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

    def finish(self) -> None:
        """Check the sum: CollectionMoved where fewer different records came than were promised."""
        promised = self._lowest_total if self.moved else self.total
        if promised is None or self._covered >= promised:
            return
        if self._has_moved and not self._begins_as_first(self._ask(1).page):
            return  # rows came and went, and the seams tell that none was passed over; offsets count from 0
        # A total may count each copy of a record, where every place was read just once.
        once = not (self._by_links or self._steps_back)
        if not once or self._covered + self.copies != promised:
            raise CollectionMoved(
                f"{self.name}: the service promised {promised:,} records and sent {self._covered:,} different ones"
            )
