"""A service reduced to what paging sees: rows that are cut into pages, well or badly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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
    """true, none, zero, page (rows of the page), or a number to add: "+3", "-2"."""
    sorts: bool = True
    ignores_offset: bool = False
    offset_from_1: bool = False
    links: str = "none"
    """none, token (names each next page), loop (the second page, always), a fault, or lost (after two pages)."""
    refuses_beyond: int | None = None
    before_page: Callable[[Shelf, int], None] | None = None
    revision: str | None = None
    asked: list[int] = field(default_factory=list)

    def __call__(self, offset: int, ahead: Sequence[int] = (), *, few_tries: bool = False) -> Answer:
        if self.before_page:
            self.before_page(self, len(self.asked))
        number = len(self.asked)
        self.asked.append(offset)
        rows = sorted(self.rows) if self.sorts else self.rows
        start = 0 if self.ignores_offset else max(offset - self.offset_from_1, 0)
        return self._page(rows, start, offset, number)

    def follow(self, url: str) -> Answer:
        number = len(self.asked)
        self.asked.append(-1)
        return self._page(sorted(self.rows) if self.sorts else self.rows, int(url.partition("/")[0]), 0, number)

    def smallest(self) -> Answer:
        rows = sorted(self.rows)[:1]
        return Answer(Leaf(list(rows)), self._total(len(self.rows), len(rows)), self.revision, self._link(1))

    def _page(self, rows: list[str], start: int, offset: int, number: int) -> Answer:
        length = min(self.cap, self.lengths[number]) if number < len(self.lengths) else self.cap
        page = rows[start : start + length]
        if not page and self.refuses_beyond and offset >= len(rows):
            raise Refused("beyond", self.refuses_beyond)
        return Answer(Leaf(list(page)), self._total(len(rows), len(page)), self.revision, self._link(start + len(page)))

    def _link(self, place: int) -> Link | None:
        match self.links:
            case "none":
                return None
            case "loop":
                return Link(str(self.cap))
            case "lost" if place > self.cap:
                return None
            case "token" | "lost":
                return Link(f"{place}/{len(self.asked)}") if place < len(self.rows) else None
            case fault:
                return Link(str(place), fault)

    def _total(self, all_rows: int, here: int) -> int | None:
        match self.total:
            case "true":
                return all_rows
            case "none":
                return None
            case "zero":
                return 0
            case "page":
                return here
            case other:
                return all_rows + int(other)

    def walk(self) -> Walk:
        """A walk through the rows."""
        return Walk("rows", self, 100, ordered=self.sorts, width=4)


def read(shelf: Shelf) -> tuple[list[str], set[str]]:
    """Ids that came for the first time, in order, and those that came again."""
    walk = shelf.walk()
    came: list[str] = []
    again: set[str] = set()
    for step in walk:
        came += [one for row in step.new if (one := step.page.ids[row])]
        again |= {one for row in step.again if (one := step.page.ids[row])}
    walk.finish()
    return came, again
