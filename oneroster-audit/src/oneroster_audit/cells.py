"""From rows to cells: counts of a file by school, role and term, made from places and moves (pure).

A place is where a row stands: a tuple of (school, role, term), one for each cell that holds it. Counting places instead
of rows keeps everything here as small as the number of cells, however many rows there are.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from .words import ALL, Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Place = tuple[str, str, str]
Places = tuple[Place, ...]


class Dimensions(NamedTuple):
    """Which of school, role and term a file has."""

    school: bool = False
    role: bool = False
    term: bool = False


class Move(NamedTuple):
    """Rows that did the same between two loads. Without `was` they are new, without `now` they are gone."""

    was: Places | None
    now: Places | None
    columns: frozenset[str]
    """Columns that changed; `grades+` where a grade rose."""
    is_expected: bool
    """True if they are gone and their end date had passed."""
    rows: int


@dataclass(slots=True)
class Counts:
    """The counts of one cell."""

    before: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    now: int = 0
    expected: int = 0
    """Of the removed rows, those whose end date had passed."""
    quiet: int = 0
    """Of the changed rows, those whose only changes are reported elsewhere."""

    @property
    def adds_up(self) -> bool:
        """True if before + added - removed = now."""
        return self.before + self.added - self.removed == self.now


def _projections(has: Dimensions) -> list[tuple[bool, bool, bool]]:
    """Return which dimensions each kind of cell keeps: all of them, then each sum over those that the file has.

    A sum that keeps all of a file's dimensions would repeat its cells; only that of a school is there for every file.
    """
    sums = [
        (school, role, term)
        for school, role, term in product((True, False), repeat=3)
        if school <= has.school and role <= has.role and term <= has.term
    ]
    return [(True, True, True), *(p for p in sums if p != tuple(has) or p == (True, False, False) or not any(p))]


def tally(
    file: str,
    has: Dimensions,
    before: Iterable[tuple[Places, int]],
    now: Iterable[tuple[Places, int]],
    moves: Iterable[Move],
    *,
    is_quiet: Callable[[frozenset[str]], bool] = lambda _: False,
    is_left_out: Callable[[Cell], bool] | None = None,
) -> dict[Cell, Counts]:
    """Count each cell and each sum of a file.

    `is_left_out`: sums leave out rows that stand in such a cell. `is_quiet`: changes of these columns only do not count
    as changes for the brake.
    """
    found: defaultdict[Cell, Counts] = defaultdict(Counts)
    projections = _projections(has)

    @cache
    def cells(places: Places) -> tuple[Cell, ...]:
        return tuple(dict.fromkeys(_cells(file, places, projections, is_left_out)))

    for places, rows in before:
        for cell in cells(places):
            found[cell].before += rows
    for places, rows in now:
        for cell in cells(places):
            found[cell].now += rows
    for move in moves:
        _count_move(found, move, cells(move.was or ()), cells(move.now or ()), is_quiet=is_quiet)
    return dict(found)


def _count_move(
    found: defaultdict[Cell, Counts],
    move: Move,
    was: tuple[Cell, ...],
    is_now: tuple[Cell, ...],
    *,
    is_quiet: Callable[[frozenset[str]], bool],
) -> None:
    for cell in was:
        if cell not in is_now:
            found[cell].removed += move.rows
            found[cell].expected += move.rows * move.is_expected
        elif move.columns:
            found[cell].changed += move.rows
            found[cell].quiet += move.rows * is_quiet(move.columns)
    for cell in is_now:
        if cell not in was:
            found[cell].added += move.rows


def _cells(
    file: str,
    places: Places,
    projections: list[tuple[bool, bool, bool]],
    is_left_out: Callable[[Cell], bool] | None,
) -> Iterator[Cell]:
    leave = is_left_out is not None and any(is_left_out(Cell(file, *place)) for place in places)
    for kept in projections:
        if leave and kept != (True, True, True):
            continue
        for place in places:
            yield Cell(file, *(value if keep else ALL for value, keep in zip(place, kept, strict=True)))
