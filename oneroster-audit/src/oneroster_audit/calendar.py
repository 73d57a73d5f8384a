"""Which rule of the calendar holds on a day (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from .policy import Rule
    from .words import Cell

_STRICTNESS = {"rollover": 0, "normal": 1, "additions_only": 2, "blackout": 3}


def _is_for(rule: Rule, cell: Cell) -> bool:
    named = (rule.schools, cell.school), (rule.roles, cell.role), (rule.terms, cell.term), (rule.files, cell.file)
    return all(names is None or value in names for names, value in named)


def _rank(rule: Rule) -> tuple[bool, int, int]:
    others = sum(names is not None for names in (rule.roles, rule.terms, rule.files))
    return rule.schools is not None, others, _STRICTNESS[rule.rule]


def rule_of(rules: Iterable[Rule], day: date, cell: Cell) -> Rule | None:
    """Return the rule of a cell on a day; None for a normal day.

    The narrower rule wins: one that names the school before one for the district, then one that names more. Of two as
    wide, the stricter.
    """
    fitting = [rule for rule in rules if rule.from_ <= day <= rule.to and _is_for(rule, cell)]
    return max(fitting, key=_rank, default=None)


def limit(rule: Rule | None, normal: float) -> float:
    """Return the percentage that a cell may lose: a rollover's own, which is 100 where it names none."""
    if rule is None or rule.rule != "rollover":
        return normal
    return max(normal, 100 if rule.lost_percent is None else rule.lost_percent)


def emptying(rules: Sequence[Rule], days: Iterable[date], cell: Cell) -> bool:
    """True if a rollover that names terms or roles covers the cell on one of the days: sums leave its rows out."""
    for day in days:
        rule = rule_of(rules, day, cell)
        if rule is not None and rule.rule == "rollover" and (rule.terms or rule.roles):
            return True
    return False
