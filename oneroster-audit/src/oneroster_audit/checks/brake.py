"""The brake: what a cell, or a sum of cells, lost, changed or gained (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..words import ALL, Cell, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..cells import Counts

CHANGED_PERCENT = 75
ADDED_MORE_THAN = 50


def lost(
    counts: Mapping[Cell, Counts], limit_of: Callable[[Cell], float], small: int, check: str = "brake.lost"
) -> Iterator[Finding]:
    """Yield the cells that lost more than their limit; rows whose end date had passed are no loss."""
    for cell, count in counts.items():
        gone = count.removed - count.expected
        if count.before > small and gone * 100 > count.before * limit_of(cell):
            share = gone / count.before
            yield Finding(check, Severity.HOLD, cell, before=count.before, now=count.now, count=gone, share=share)


def brake(
    counts: Mapping[Cell, Counts], limit_of: Callable[[Cell], float], small: int, *, is_whole: bool
) -> Iterator[Finding]:
    """Yield what the cells of one file lost, changed and gained beyond the limits. Only a whole load says what is gone."""
    if is_whole:
        yield from lost(counts, limit_of, small)
    for cell, count in counts.items():
        changed = count.changed - count.quiet
        if count.before > small and changed * 100 > count.before * CHANGED_PERCENT:
            share = changed / count.before
            yield Finding(
                "brake.changed", Severity.HOLD, cell, before=count.before, now=count.now, count=changed, share=share
            )
        if count.before and count.now * 2 > count.before * 3 and count.now > ADDED_MORE_THAN:
            yield Finding(
                "brake.added",
                Severity.WARN,
                cell,
                before=count.before,
                now=count.now,
                count=count.added,
                share=count.added / count.before,
            )


def empty_schools(counts: Mapping[Cell, Counts], is_planned: Callable[[Cell], bool]) -> Iterator[Finding]:
    """Yield the schools that had student enrollments and have none, whatever their size."""
    for cell, count in counts.items():
        is_school = cell.file == "enrollments" and cell.role == "student" and cell.term == ALL and cell.school != ALL
        if is_school and count.before > 0 and count.now == 0 and not is_planned(cell):
            yield Finding(
                "brake.empty-school", Severity.HOLD, cell, before=count.before, now=0, count=count.removed, share=1.0
            )


def fold(findings: list[Finding]) -> None:
    """Give each finding that follows from another one its root, which is the wider one.

    A school that is gone takes its rows of every file along; a sum takes its cells; what was lost tonight explains what
    was lost within a week.
    """
    empty = {f.cell.school: f for f in findings if f.check == "brake.empty-school"}
    tops: dict[tuple[str, str, str], Finding] = {}
    brakes = [f for f in findings if f.check in ("brake.lost", "brake.slow", "brake.changed", "brake.added")]
    for finding in sorted(brakes, key=lambda f: (f.check, -f.cell[1:].count(ALL), f.cell)):
        check, cell = finding.check, finding.cell
        if check in ("brake.lost", "brake.slow") and cell.school in empty:
            finding.root = finding.root or empty[cell.school].id
            continue
        top = tops.setdefault((check, cell.file, cell.school), finding)
        if check == "brake.slow":
            top = tops.get(("brake.lost", cell.file, cell.school), top)
        if top is not finding:
            finding.root = finding.root or top.root or top.id
    by_id = {f.id: f for f in findings}
    for finding in findings:
        while finding.root and (root := by_id[finding.root]).root:
            finding.root = root.root
