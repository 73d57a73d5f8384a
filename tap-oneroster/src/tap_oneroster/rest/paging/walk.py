"""The walk through a collection: what to request next, which rows are new, and whether the end was reached.

The service's statements are verified: the reader advances by the rows received, never by those requested; a short,
empty or refused page alone is not the end; a total is used only while the pages agree with it. If the service sorts,
pages overlap by one row, so that a row that moved below the offset is detected, and the reader steps back instead of
starting again; and the last id of the order shows if the end was reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...source import CollectionMoved, SourceError
from .answers import Nothing, OffsetIgnored, PageRows, PageStep, Refused
from .links import Trail
from .order import NO_KEY, rows_after, top_of
from .reading import Reading

_IRREGULAR = 4
_STEPS_BACK = 50
_EXPECTED_RUN = 50
"""Number of consecutive pages without new rows that are skipped if more must follow."""
_LINKED_RUN = 20
"""The same if only Link says that more follows: some services write it on every page."""
_LOOK_FURTHER = 2
"""Pages to request beyond an empty one if it is unknown whether more follows."""
_FURTHER = range(1, _LOOK_FURTHER + 1)
_ROUND = 100
"""Totals that are a multiple of this may be the limit of a window."""


def _is_round(total: int) -> bool:
    """True if a total may be the limit of a window: a multiple of 100, or next to one of 1,000 or to a power of two."""
    near = {total - 1, total, total + 1} if total > 256 else set()
    return total % _ROUND == 0 or any(not one % 1000 or not one & (one - 1) for one in near)


@dataclass(slots=True, eq=False, repr=False)
class Walk(Reading):
    """Reads one collection once."""

    def __iter__(self) -> Iterator[PageStep]:
        page = self._begin(self._ask(0))
        if len(page):
            yield self._step(page, range(len(page)))
        elif self._next_link and self.total != 0:
            self.deviations["first page empty; read along Link"] += 1
            yield from self._along_links(None)
            if self.proven:
                return
        del page  # release the page before waiting for the next
        while not self._is_end():
            try:
                found = self._next()
            except OffsetIgnored as ignored:
                yield from self._along_links(ignored)
                return
            if found is None:  # the first page again: the total proved that it holds all records
                self.proven = True
                return
            if not found[1]:
                continue
            before = self._covered
            yield self._step(*found)
            del found
            if self._covered > before:
                self._news_at = self.pages
            self._doubt_total()

    def _is_end(self) -> bool:
        """True if the end was reached; otherwise the cursor is at the next page."""
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
        """True if the end is likely, although the last page had rows."""
        rows = len(self._last)
        if self.total is not None:
            return self._is_reached
        is_first = self._cursor == rows and not self._keyed
        return rows < self.served or (is_first and rows < self.asked)

    @property
    def _is_top_last(self) -> bool:
        """True if the last id of the order came last, and all other ids of that page came, too."""
        return bool(self._top and self._last) and self._last[-1] == self._top[0] and self._is_top_seen

    @property
    def _is_top_seen(self) -> bool:
        return all(one in self._seen for one in self._top if one)

    def _ask_order(self) -> bool | None:
        """True if the order of ids proves the end, False if more follows; None if it cannot tell."""
        is_due = self._top_at < 0 or (self._stalled == 1 and self._top_at != self._covered)
        if is_due and not self._is_top_last:
            self._top_at = self._covered
            self._top, is_empty = top_of(self.fetch, self._first)
            if is_empty and not (self._covered or self.total):
                self.proven = True
                return True
            self._irregular += is_empty
            self._is_top_hidden = is_empty
        if self._is_top_last:
            self.proven = self.in_order = True
            return True
        if self._top and self._top[0] and self._top[0] in self._seen:
            # The ids descend in another order than they ascend, so the filter may compare them in either.
            if not self._is_top_seen:
                self.fetch.known.add(NO_KEY)
            self._top = ()
        if self._top and not self._stalled:
            return False
        return self._ask_by_key()

    def _ask_by_key(self) -> bool | None:
        """True if one page proves that nothing follows the last id; rows that follow are read from there."""
        last = self._last[-1] if self._last else None
        if last is None or self._key_is_done:
            return None
        self._key_is_done = True
        is_first_page = not self._keyed and self._cursor == len(self._last)
        further = () if self._top or is_first_page else [(self.served or self.asked) * n for n in _FURTHER]
        found = rows_after(self.fetch, last, self._seen, self._pairs, further)
        if found is None:
            return None
        offset, answer = found
        page = answer.page
        if len(page) and not self._stalled and is_first_page:
            self.fetch.back()
            return False
        if len(page):
            self._keyed = True
            self.served = max(self.served, len(page))
            if self._stalled:
                self.deviations["offsets end before the records do; read on by sourcedId"] += 1
            self._opening, self._opened = page.ids, (page, range(len(page)))
            self._cursor, self._next_link = offset + len(page), None
            self._irregular += offset > 0
            self._stalled, self._last = 0, ()  # the pages before are not a gap
            return False
        # A total beside the empty page counts rows that are hidden, unless it is the one of the whole collection.
        self._is_rest_hidden = (answer.total or 0) > 0 and answer.total != self.total
        self._nothing_after = not (answer.total or self._leads(answer.link))
        if self._nothing_after and not (self._top or self._stalled or self._irregular or self._next_link):
            self.proven = self.in_order = True
            return True
        return None

    def _look_further(self) -> bool:
        """True if pages without new rows are the end, if the order cannot tell; otherwise advance by the page size."""
        if self._is_torn:
            self._is_torn = False
            offset, page, fresh = self._seam(self._cursor - 1, self._ask(self._cursor - 1).page)
            if fresh:
                self._cursor, self._opened = offset + len(page), (page, fresh)
                return False
        must_follow = bool(self._top) or not (self.total is None or self._is_reached)
        if self._refusal:
            return self._is_end_refused(self._refusal)
        if not must_follow and not self._next_link:
            is_last_page = self._had_links and self._link is None and self._stalled > 1
            is_last_page &= not (self._keyed and NO_KEY in self.fetch.known)
            self.proven = self._is_total_proof if self.total is not None else is_last_page
            if self.proven or self.total is not None:
                return True
        bound = _LINKED_RUN if self._next_link and self.total is None else _LOOK_FURTHER
        looked_at = f"{self.name}: no rows in {_EXPECTED_RUN} pages after {self._covered} records"
        bound = _EXPECTED_RUN if must_follow and looked_at not in self.fetch.known else bound
        if self._stalled > bound + 1:
            self.fetch.known.add(looked_at)
            if self._top:
                raise self._unreachable()
            self.proven = self._nothing_after and not (must_follow or self._irregular or self._next_link)
            return True
        if self._stalled > 1:  # the first empty page is requested once more
            self._cursor += self.served or self.asked
        return False

    def _unreachable(self) -> SourceError:
        """Return why no page brings the last records of the order: they moved, or the service does not show them."""
        problem = f"{self.name}: the last records in the order are there, and no page brings them"
        again = self._ask(self._empty_at).page
        if self.moved or any(one not in self._seen for one in again.ids if one):
            return CollectionMoved(problem)
        return SourceError(
            f"{problem}: {self._covered:,} records had come, and {self._stalled - 1} pages in a row were empty. The service"
            " hides many records, or shows none beyond an offset: set a larger page_size, and supports_filter to auto if"
            " it is false; ask the vendor for a filter by sourcedId"
        )

    @property
    def _is_total_proof(self) -> bool:
        """True if a total that was reached proves the end; one that may be the limit of a window does not."""
        may_be_edge = self._is_top_hidden or self._is_rest_hidden or self._leads_on or _is_round(self.total or 0)
        return self._nothing_after or not (self.total and may_be_edge)

    def _is_end_refused(self, error: Refused) -> bool:
        """True if a refused page is the end, if the order cannot tell."""
        is_place_reached = self.total is not None and max(self._covered, self._cursor) >= self.total
        is_end = not self._top and (is_place_reached or self._nothing_after)
        if not self._top and self.total is None and error.status in {404, 416} and not is_end:
            # Only if the service works otherwise: the page before must still exist.
            is_end = len(self._ask(max(self._cursor - max(self.served, 1), 0)).page) > 0
        if not is_end:
            raise SourceError(
                f"{error}; {self._covered:,} records had come. Where a service refuses offsets beyond a window,"
                " the rest can be read only if it filters and sorts by sourcedId; ask the vendor"
            )
        self.deviations["refusal instead of an empty page at the end"] += 1
        # A total that is reached at the end of a full page, before a refused offset, may be the limit of a window.
        is_edge = self.distinct > self.served and not self._cursor % self.served
        is_total_proof = self._is_reached and self._is_total_proof and not is_edge
        self.proven = not self._irregular and (is_total_proof or self._nothing_after)
        return True

    def _next(self) -> tuple[PageRows, range] | None:
        """Return the next page, and the rows in it that were not read yet."""
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
            return Nothing(), range(0)
        if self._is_first_again(page, offset):
            self._check_first_page(offset)
            return None
        fresh = range(len(page))
        if not fresh:
            self._is_torn = overlap > 0
        elif overlap:
            offset, page, fresh = self._seam(offset, page)
        elif self._stalled and self._overlap:
            fresh = range(1 + max(self._known(page), default=-1), len(page))
        if not fresh:
            self._stall(offset)
            return page, fresh
        return self._advance(offset, page, fresh)

    def _advance(self, offset: int, page: PageRows, fresh: range) -> tuple[PageRows, range]:
        """Advance to the end of a page with rows, unless an empty page before it has rows now."""
        if self._stalled > 1 and offset > self._empty_at:
            again = self._ask(self._empty_at).page
            if any(one not in self._seen for one in again.ids if one):
                # The page is no longer empty, so it was not a gap.
                offset, page, fresh = self._empty_at, again, range(len(again))
        self._cursor = offset + len(page)
        return self._take(page, fresh)

    def _stall(self, offset: int) -> None:
        if not self._stalled:
            self._empty_at = offset
        self._stalled += 1

    def _take(self, page: PageRows, fresh: range) -> tuple[PageRows, range]:
        """Update the state for a page with rows."""
        if self._stalled:
            self._irregular += 1
            self.deviations["empty page in the middle"] += 1
        elif self._last and len(self._last) < self.served:
            self._irregular += 1
            self.deviations["short page in the middle"] += 1
        self._check_order(page.ids)
        self._first = self._first or page.ids
        self._opening = self._opening or page.ids
        self._last = page.ids
        self._stalled, self._refusal, self._is_torn = 0, None, False
        self._key_is_done = self._nothing_after = False
        return page, fresh

    def _is_first_again(self, page: PageRows, offset: int) -> bool:
        """True if offset is ignored: a page at another offset, a whole page further, also begins like the first page."""
        if not self._begins_as_first(page):
            return False
        try:
            return self._begins_as_first(self._ask(max(offset + 1, self.asked)).page)
        except Refused:
            return False

    def _check_first_page(self, offset: int) -> None:
        """Raise OffsetIgnored if offset leads to no other page, unless the first page was complete."""
        if not self._holds_all():
            raise OffsetIgnored(
                f"{self.name}, offset {offset}: the service ignores offset and sends its first"
                " page again; raise page_size until one page holds the whole total, or ask the vendor"
            )
        self.deviations["offset ignored, but one page held everything"] += 1

    def _holds_all(self) -> bool:
        if self.total is None or self._covered < self.total or self._link:
            return False
        if len(self._first) > 1 and self.fetch.smallest().total == 1:
            self.deviations["total that counts the page only"] += 1
            self.total = None
        return self.total is not None

    def _along_links(self, ignored: OffsetIgnored | None) -> Iterator[PageStep]:
        """Yield the pages after the first if only Link leads to them; otherwise raise `ignored`."""
        if self.moved:
            raise CollectionMoved(f"{self.name}: changed while it was read")
        self._by_links = True
        if ignored:
            self._begin_links(ignored)
        trail = Trail(self.fetch.follow)
        for answer in trail(self._first_link):
            page = self._came(answer, "read along Link").page
            if ignored and self._begins_as_first(page):
                raise ignored
            before = self._covered
            if len(page):
                yield self._step(page, range(len(page)))
            if self._covered > before:
                self._news_at = self.pages
            self._doubt_total()
            if not self._covered and self.pages > _LINKED_RUN:
                trail.fault = "page after page is empty"
                break
        if trail.fault:
            self.deviations[f"Link not followed: {trail.fault}"] += 1
            if ignored or self._covered:
                raise SourceError(f"{ignored or self.name}; Link to the next page is of no use: {trail.fault}")
        self.proven = not trail.fault

    def _begin_links(self, ignored: OffsetIgnored) -> None:
        self._overlap, self.ordered = 0, False
        if self._first_link is None:
            may_be_all = self.total is None and len(self._first) > 1
            if not may_be_all or not self.fetch.smallest().link:
                raise ignored
        self.deviations["offset ignored; read along Link"] += 1

    def _seam(self, offset: int, page: PageRows) -> tuple[int, PageRows, range]:
        """Return the first new row of an overlapping page; step back if the pages do not join."""
        if page.ids[:1] == [self._last[-1]]:
            return offset, page, range(1, len(page))
        if not (self.moved or self._stands_still):
            # Rows that the service hides after paging look like rows that moved, but then the page before is unchanged.
            before = self._ask(self._cursor - len(self._last)).page
            self._stands_still = before.ids == list(self._last)
            self.moved = not self._stands_still
        if self.moved:
            self._steps_back += 1
            self.deviations["rows slid between pages; stepped back"] += 1
        for _ in range(_STEPS_BACK):
            if known := self._known(page):
                is_shuffled = not self.moved and len(known) <= known[-1]  # new rows precede known ones
                if is_shuffled and self.ordered:
                    self._distrust_order()
                return offset, page, range(0 if is_shuffled else known[-1] + 1, len(page))
            if not offset:
                break
            offset = max(0, offset - max(self.served - 1, 1))
            page = self._ask(offset).page
        raise CollectionMoved(f"{self.name}: the records around offset {self._cursor} changed while they were read")

    def _ahead(self, offset: int) -> list[int]:
        """Return the offsets that will be needed next if pages continue as so far."""
        stride = self.served - self._overlap
        if stride < 1 or self._irregular >= _IRREGULAR:
            return []
        if self.total is None or self._keyed:
            if len(self._last) < self.served:  # probably the last page
                return []
            self._speculation = min(self._speculation * 2, self.width)
            return [offset + stride * n for n in range(1, self._speculation)]
        # One more than can be in flight, so that no connection is idle while a page is decoded.
        count = self.width if self.width > 1 else 0
        # If the order does not tell the end, the last offset has to prove that nothing follows.
        end = self.total - self._overlap
        offsets = [min(offset + stride * n, end) for n in range(1, count + 1)]
        return [one for one in dict.fromkeys(offsets) if offset < one < end + (not self.ordered)]
