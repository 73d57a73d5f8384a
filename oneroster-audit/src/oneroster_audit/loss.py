"""What a file lost, changed and gained: its cells since the baseline of each school, the brake, and the slow leak."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ._core.model import FILES, Kind
from ._core.sql import quoted
from .calendar import emptying, limit, rule_of
from .cells import tally
from .checks import brake
from .diff import dimensions, moves, places_at
from .errors import Unknown
from .words import ALL, Cell, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ._core.model import File
    from .cells import Counts, Move, Places
    from .night import Night
    from .warehouse import Load


@dataclass(slots=True)
class FileLoss:
    """One file tonight, beside what it was at any earlier load."""

    night: Night
    of: File
    now: list[tuple[Places, int]]
    elsewhere: set[str]
    """Columns whose changes are findings of their own: the brake does not count them."""
    _sides: dict[int, tuple[list[tuple[Places, int]], list[Move]]] = field(default_factory=dict)

    def counts(self) -> dict[Cell, Counts]:
        """Return the counts of each cell since the baseline of its school; raise Unknown if they do not add up."""
        counts = self._chosen(None)
        if not all(count.adds_up for count in counts.values()):
            raise Unknown(f"the counts of {self.of.name} do not add up. Nothing newer is released.")
        return counts

    def history_reaches_back(self) -> None:
        """Hold the schools whose baseline the history does not keep any more: what they lost would not be seen."""
        night, name = self.night, self.of.name
        for baseline in night.before.all:
            load = night.loads.get(baseline)
            kept = sum(rows for _, rows in self._side(baseline)[0])
            if load is None or (name in load.tables and kept < load.tables[name].total):
                was = load.tables[name].total if load else None
                for school in (s for s in night.schools if night.before.of(s) == baseline):
                    cell = Cell(name, school, ALL, ALL)
                    night.findings.append(Finding("arrival.history", Severity.HOLD, cell, before=was, now=kept))

    def brake(self, counts: dict[Cell, Counts], *, is_whole: bool) -> None:
        """Ask the brake about each cell and each sum; sums leave out the terms that may empty today."""
        night, days = self.night, [self.night.day]
        sums = counts
        if any(emptying(night.policy.calendar, days, cell) for cell in counts):
            left = self._chosen(self._left_out(days))
            sums = {cell: left.get(cell, count) if ALL in cell else count for cell, count in counts.items()}

        def find(these: Mapping[Cell, Counts]) -> list[Finding]:
            return list(brake.brake(these, night.limit_of, night.policy.small, is_whole=is_whole))

        self._keep(find(sums), lambda held: find(self._chosen(self._left_out(days, held))))

    def slow(self) -> None:
        """Ask the brake against the load a week ago, or against the oldest; an approval is where a school begins again."""
        night, small = self.night, self.night.policy.small
        if min(night.loads) == night.load.number:
            return
        starts = slow_starts(night.loads, night.load, night.policy.lookback_days, night.before.approved, night.schools)
        days = _days(night, min(starts.values()))

        def limit_of(cell: Cell) -> float:
            return max(limit(rule_of(night.policy.calendar, day, cell), night.normal_limit(cell)) for day in days)

        def find(these: Mapping[Cell, Counts]) -> list[Finding]:
            return list(brake.lost(these, limit_of, small, "brake.slow"))

        counts: dict[Cell, Counts] = {}
        for start in sorted({s for s in starts.values() if s in night.loads and s < night.load.number}):
            left = self._tally(start, self._left_out(days))
            counts |= {
                cell: left.get(cell, count) if ALL in cell else count
                for cell, count in self._tally(start).items()
                if starts.get(cell.school, start) == start and night.before.of(cell.school) != start
            }
        already = {f.cell for f in night.findings if f.check == "brake.lost"}
        start = starts[ALL]
        found = [f for f in find(counts) if f.cell not in already]
        self._keep(found, lambda held: find(self._tally(start, self._left_out(days, held))))

    def _keep(self, found: list[Finding], again: Callable[[set[str]], list[Finding]]) -> None:
        self.night.findings += found
        self.night.again.append((found, lambda held: {(f.check, f.cell) for f in again(held)}))

    def _left_out(self, days: Sequence[date], held: Iterable[str] = ()) -> Callable[[Cell], bool]:
        """Return what sums leave out: terms that may empty on one of the days, and the rows of held schools."""
        rules, schools = self.night.policy.calendar, set(held)
        return lambda cell: cell.school in schools or emptying(rules, days, cell)

    def _chosen(self, is_left_out: Callable[[Cell], bool] | None) -> dict[Cell, Counts]:
        found: dict[Cell, Counts] = {}
        for baseline in self.night.before.all:
            counts = self._tally(baseline, is_left_out)
            found |= {cell: c for cell, c in counts.items() if self.night.before.of(cell.school) == baseline}
        return found

    def _tally(self, baseline: int, is_left_out: Callable[[Cell], bool] | None = None) -> dict[Cell, Counts]:
        before, moved = self._side(baseline)
        return tally(
            self.of.name,
            dimensions(self.of),
            before,
            self.now,
            moved,
            is_quiet=self.elsewhere.issuperset,
            is_left_out=is_left_out,
        )

    def _side(self, baseline: int) -> tuple[list[tuple[Places, int]], list[Move]]:
        """Return where the rows stood at a load, and what moved since."""
        night, of = self.night, self.of
        if baseline not in self._sides:
            placed_by = (of.name, *(("roles",) if of.name == "users" else ("classes",) if of.terms else ()))
            self._sides[baseline] = (self.now, [])
            if not night.is_quiet(placed_by, baseline):
                before = places_at(night.warehouse, of, baseline)
                self._sides[baseline] = before, moves(night.warehouse, of, baseline, night.load.number, night.day)
        return self._sides[baseline]


def _days(night: Night, since: int) -> list[date]:
    """Return the days from that of a load to today."""
    first = night.loads[since].loaded_at.astimezone(night.policy.zone).date() if since in night.loads else night.day
    return [first + timedelta(days=n) for n in range((night.day - first).days + 1)]


def explain(night: Night) -> None:
    """Give what holds every school a root, where it holds because of schools that are held by themselves.

    Their rows are not released, so sums are asked again without them.
    """
    own = [f for f in night.findings if f.severity == Severity.HOLD and f.cell.school in night.schools]
    if not own:
        return
    root = max(own, key=lambda f: (f.check == "brake.empty-school", f.count)).id
    held = {f.cell.school for f in own}
    for findings, again in night.again:
        summed = [f for f in findings if f.cell.school == ALL]
        still = again(held) if summed else set()
        for finding in summed:
            if (finding.check, finding.cell) not in still:
                finding.root = root
    _explain_unplaced(night, sorted(held), root)


def slow_starts(
    loads: Mapping[int, Load], load: Load, days: int, approved: Mapping[str, int], schools: Iterable[str]
) -> dict[str, int]:
    """Return for each school the load of some days ago, else the oldest, with which `brake.slow` compares.

    `*` stands for sums, and an empty id for what has no school. After an approval it is the approved load, if that is
    newer.
    """
    older = sorted(n for n in loads if n < load.number)
    since = load.loaded_at - timedelta(days=days)
    back = max((n for n in older if loads[n].loaded_at <= since), default=older[0])
    starts = {s: max(back, approved.get(s, 0), approved.get(ALL, 0)) for s in (*schools, "")}
    return starts | {ALL: max([back, *approved.values()])}


_CLASSES = 'SELECT "sourcedId" FROM "classes_at"($baseline) WHERE list_contains($held, "schoolSourcedId")'
_ITEMS = f'SELECT "sourcedId" FROM "lineItems_at"($baseline) WHERE "classSourcedId" IN ({_CLASSES})'
_OWNERS = {
    "users": 'SELECT "userSourcedId" FROM "roles_at"($baseline) WHERE list_contains($held, "orgSourcedId")',
    "classes": _CLASSES,
    "courses": 'SELECT "sourcedId" FROM "courses_at"($baseline) WHERE list_contains($held, "orgSourcedId")',
    "lineItems": _ITEMS,
    "results": f'SELECT "sourcedId" FROM "results_at"($baseline) WHERE "lineItemSourcedId" IN ({_ITEMS})',
}
"""Queries of the rows of held schools to which rows of files without a school belong."""


def _explain_unplaced(night: Night, held: list[str], root: str) -> None:
    """Do the same for files without a school: the rows of held schools' users, classes and courses went with them."""
    for finding in night.findings:
        of = next((f for f in FILES if f.name == finding.cell.file), None)
        is_lost = finding.check in ("brake.lost", "brake.slow") and not finding.root
        if not is_lost or of is None or of.school or night.before.baseline is None:
            continue
        owner = next((f for target in _OWNERS for f in of.fields if f.refers_to == target and f.kind == Kind.REF), None)
        if owner is None:
            continue
        ((before, gone),) = night.warehouse.run(
            f'SELECT count(*), count(*) FILTER (n."sourcedId" IS NULL) FROM {quoted(of.name + "_at")}($baseline) x '
            f'LEFT JOIN {quoted(of.name + "_at")}($load) n ON n."sourcedId" = x."sourcedId" '
            f"WHERE NOT EXISTS (SELECT 1 FROM ({_OWNERS[str(owner.refers_to)]}) o(id) WHERE o.id = x.{quoted(owner.name)})",
            baseline=night.before.baseline,
            load=night.load.number,
            held=held,
        )
        if not (before > night.policy.small and gone * 100 > before * night.limit_of(finding.cell)):
            finding.root = root


def empty_schools(night: Night) -> None:
    """Add the schools that lost all their student enrollments, but for those that the calendar lets empty."""
    if night.before.baseline is None:
        return

    def is_planned(cell: Cell) -> bool:
        rule = night.rule(cell)
        return rule is not None and rule.rule == "rollover" and limit(rule, 0) >= 100

    table = night.load.tables.get("enrollments")
    if table is None or table.whole:
        night.findings += brake.empty_schools(night.counts, is_planned)
