"""What the checks of one load share: the policy, the calendar's day, and what earlier audits left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .calendar import limit, rule_of
from .words import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from .cells import Counts
    from .policy import Policy, Rule
    from .warehouse import Load, Warehouse
    from .words import Cell, Finding


@dataclass(frozen=True, slots=True)
class Before:
    """What earlier audits left."""

    released: dict[str, int]
    """For each school the load from which it may be published."""
    not_held: int | None
    """The newest load that was not held: the baseline of what has no school."""
    approved: dict[str, int] = field(default_factory=dict)
    """For each school the newest load that was approved; `*` for all."""
    first_loads: dict[str, int] = field(default_factory=dict)
    """Since which load a finding of the last audit stands."""

    @property
    def baseline(self) -> int | None:
        """The newest load that stands for any school."""
        return max([*self.released.values(), *([self.not_held] if self.not_held else [])], default=None)

    @property
    def all(self) -> list[int]:
        """Every load that is a baseline of something, the oldest first."""
        return sorted({b for b in (*self.released.values(), self.not_held, self.baseline) if b is not None})

    def of(self, school: str) -> int | None:
        """Return the baseline of a school; what has no school uses the newest load that was not held."""
        if school == ALL:
            return self.baseline
        return self.released.get(school, self.not_held or self.baseline)


@dataclass(slots=True)
class Night:
    """What every check needs."""

    warehouse: Warehouse
    policy: Policy
    load: Load
    loads: dict[int, Load]
    before: Before
    day: date
    receipts: list[dict[str, Any]]
    touched: dict[str, int]
    """For each file the newest load that changed one of its rows."""
    findings: list[Finding] = field(default_factory=list)
    again: list[tuple[list[Finding], Callable[[set[str]], set[tuple[str, Cell]]]]] = field(default_factory=list)
    """Findings of the brake, and what is still found when the rows of some schools are left out."""
    counts: dict[Cell, Counts] = field(default_factory=dict)
    columns: list[dict[str, Any]] = field(default_factory=list)
    schools: dict[str, str] = field(default_factory=dict)

    def is_quiet(self, files: Iterable[str], baseline: int) -> bool:
        """True if no row of these files was changed since a load."""
        return all(self.touched.get(name, 0) <= baseline for name in files)

    def rule(self, cell: Cell) -> Rule | None:
        """Return the calendar's rule of a cell today."""
        return rule_of(self.policy.calendar, self.day, cell)

    def limit_of(self, cell: Cell) -> float:
        """Return how many percent of a cell may be lost today."""
        return limit(self.rule(cell), self.normal_limit(cell))

    def normal_limit(self, cell: Cell) -> float:
        """Return the limit without the calendar: the school's own until its end, else everybody's."""
        own = self.policy.limits.schools.get(cell.school)
        return own.lost_percent if own and self.day <= own.until else self.policy.limits.lost_percent
