"""A service reduced to what paging sees: rows that are cut into pages, well or badly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tap_oneroster._core.model import UNPROVEN
from tap_oneroster.rest.paging.answers import Answer, Link, Refused
from tap_oneroster.rest.paging.walk import Walk


@dataclass
class Leaf:
    """A page of ids."""

    ids: list[str | None]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class Shelf:
    """Rows, and the habits of the service that shows them."""

    rows: list[str]
    cap: int = 10
    lengths: Sequence[int] = ()
    """Most rows of the pages to come, one after another; then `cap` holds."""
    total: str = "true"
    """true, none, zero, page (rows of the page), raw (hidden rows, too), or a number to add: "+3", "-2"."""
    sorts: bool = True
    descends: bool = True
    """It sorts in descending order, too."""
    filters: bool = True
    """It takes a filter by id."""
    descending: Callable[[str], Any] = str
    """What it sorts by in descending order; in ascending order it is `ascending`, in filters `filtering`."""
    ascending: Callable[[str], Any] = str
    filtering: Callable[[str], Any] = str
    sorts_pages: bool = False
    """It cuts the page first, and sorts what is on it."""
    hidden: frozenset[str] = frozenset()
    """Rows that are left out after the page was cut."""
    window: int | None = None
    """Offsets from here on bring nothing, or are refused; totals say no more than this where `caps_total`."""
    window_status: int | None = None
    caps_total: bool = False
    filtered_total: int | None = None
    """Total of a filter that no row passes; None where the read has no filter."""
    ignores_offset: bool = False
    offset_from_1: bool = False
    links: str = "none"
    """none, token (names each next page), always (also at the end), loop (the second page, always), a fault, or lost
    (after two pages)."""
    refuses_beyond: int | None = None
    before_page: Callable[[Shelf, int], None] | None = None
    revision: str | None = None
    asked: list[int] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    further: int = 0
    """Requests that were no pages at an offset."""
    _after: str | None = None
    _before: str | None = None

    def __call__(self, offset: int, ahead: Sequence[int] = (), *, few_tries: bool = False) -> Answer:
        if self.before_page:
            self.before_page(self, len(self.asked))
        number = len(self.asked)
        self.asked.append(offset)
        start = 0 if self.ignores_offset else max(offset - self.offset_from_1, 0)
        return self._page(self._chosen(self._after), start, offset, number)

    def follow(self, url: str) -> Answer:
        number = len(self.asked)
        self.asked.append(-1)
        return self._page(self._chosen(None), int(url.partition("/")[0]), 0, number)

    def smallest(self) -> Answer:
        rows = [one for one in sorted(self.rows)[:1] if one not in self.hidden]
        return Answer(Leaf(list(rows)), self._total(self.rows, len(rows)), self.revision, self._link(1, len(self.rows)))

    def last(self) -> Answer | None:
        self.further += 1
        if not self.sorts:
            return None
        rows = sorted(self._chosen(None), key=self.descending, reverse=True) if self.descends else self._chosen(None)
        return self._page(rows, 0, 0, 10**9)

    def after(self, last: str) -> Answer | None:
        self.further += 1
        if not self.filters:
            return None
        answer = self._page(self._chosen(last), 0, 0, 10**9)
        self._before, self._after = self._after, last
        return answer

    def back(self) -> None:
        self._after = self._before

    def total_of_nothing(self) -> int | None:
        self.further += 1
        return self.filtered_total

    def _chosen(self, after: str | None) -> list[str]:
        rows = sorted(self.rows, key=self.ascending) if self.sorts and not self.sorts_pages else self.rows
        return [one for one in rows if after is None or self.filtering(one) > self.filtering(after)]

    def _page(self, rows: list[str], start: int, offset: int, number: int) -> Answer:
        length = min(self.cap, self.lengths[number]) if number < len(self.lengths) else self.cap
        cut = rows[start : start + length]
        if self.window is not None and offset >= self.window:
            if self.window_status:
                raise Refused("beyond", self.window_status)
            cut = []
        if not cut and self.refuses_beyond and offset >= len(rows):
            raise Refused("beyond", self.refuses_beyond)
        page = [one for one in (sorted(cut) if self.sorts_pages else cut) if one not in self.hidden]
        total = self._total(rows, len(page))
        return Answer(Leaf(list(page)), total, self.revision, self._link(start + len(cut), len(rows)))

    def _link(self, place: int, count: int) -> Link | None:
        match self.links:
            case "none":
                return None
            case "loop":
                return Link(str(self.cap))
            case "lost" if place > self.cap:
                return None
            case "always":
                return Link(f"{place}/{len(self.asked)}")
            case "token" | "lost":
                return Link(f"{place}/{len(self.asked)}") if place < count else None
            case fault:
                return Link(str(place), fault)

    def _total(self, rows: Sequence[str], here: int) -> int | None:
        match self.total:
            case "none":
                return None
            case "zero":
                return 0
            case "page":
                return here
        count = len(rows) if self.total == "raw" else sum(one not in self.hidden for one in rows)
        if self.total not in {"true", "raw"}:
            count += int(self.total)
        return min(count, self.window) if self.caps_total and self.window is not None else count

    def walk(self) -> Walk:
        """A walk through the rows."""
        return Walk("rows", self, 100, ordered=self.sorts, width=4)


@dataclass
class Outcome:
    """What a walk brought."""

    came: list[str]
    again: set[str]
    proven: bool
    deviations: dict[str, int]


def read_out(shelf: Shelf) -> Outcome:
    """Go through the whole shelf."""
    walk = shelf.walk()
    outcome = Outcome([], set(), False, {})
    for step in walk:
        outcome.came += [one for row in step.new if (one := step.page.ids[row])]
        outcome.again |= {one for row in step.again if (one := step.page.ids[row])}
    walk.finish()
    outcome.deviations = dict(walk.deviations)
    outcome.proven = not walk.deviations[UNPROVEN]
    return outcome


def read(shelf: Shelf) -> tuple[list[str], set[str]]:
    """Ids that came for the first time, in order, and those that came again."""
    outcome = read_out(shelf)
    return outcome.came, outcome.again
