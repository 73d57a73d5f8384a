"""Which load of the warehouse is read for which school (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._core.errors import SetupError
from .settings import BY_SCHOOL, NEWEST

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .database import Load, Verdicts


@dataclass(frozen=True, slots=True)
class Plan:
    """The loads of a release."""

    newest: Load
    """The load of everything that is not held."""
    held: dict[str, int] = field(default_factory=dict)
    """Schools that are read as of an earlier load; 0 if nothing of the school was released yet."""
    additive: frozenset[str] = frozenset()
    """Held schools that also get the rows that `added` has and their own load does not."""
    added: int = 0
    """The load from which additions come; `newest`, or a later one."""
    note: str | None = None
    """What should be said of it, for the log."""

    @property
    def oldest(self) -> int:
        """The oldest load that is read."""
        return min([*self.held.values(), self.newest.number])


def make_plan(as_of: str, loads: Sequence[Load], verdicts: Verdicts | None) -> Plan:
    """Return the loads to read, as if no school were held; raise SetupError if warehouse and store do not fit."""
    finished = [load for load in loads if load.is_finished]
    if not finished:
        raise SetupError("warehouse_path: it has no load that was finished yet")
    if as_of == NEWEST or verdicts is None:
        broken = loads[-1].number if not loads[-1].is_finished else None
        note = f"load {broken} was not finished; load {finished[-1].number} is read" if broken else None
        return Plan(finished[-1], added=finished[-1].number, note=note)
    by_number = {load.number: load for load in loads}
    for number, at in verdicts.loaded_at.items():
        if number not in by_number or by_number[number].loaded_at != at:
            raise SetupError(
                f"store_path: it is of another warehouse, or of an older one: its load {number} is not the warehouse's;"
                " audit this warehouse with a store of its own"
            )
    note = None
    if verdicts.audited < loads[-1].number:
        note = (
            f"load {loads[-1].number} was not audited yet, the newest audited one is {verdicts.audited}; what was "
            "released before is read"
        )
    numbers = set(verdicts.approved)
    if as_of == BY_SCHOOL:
        numbers |= set(verdicts.released.values())
    if not numbers:
        raise SetupError("store_path: nothing is released yet; see oneroster-audit show, and approve")
    newest = by_number[max(numbers)]
    return Plan(newest, added=newest.number, note=note)


def hold(plan: Plan, verdicts: Verdicts, schools: Collection[str]) -> Plan:
    """Return the plan with the schools that are held back; `schools` are those of the load that additions come from."""
    newest = plan.newest.number
    # A school that was never released is not in the list: what it had when everything was released is its last state.
    before = max((load for load in verdicts.approved if load < newest), default=0)
    releases = dict.fromkeys(schools, before if newest not in verdicts.approved else newest) | verdicts.released
    added = verdicts.audited if verdicts.additive else newest
    held = {
        school: load
        for school, load in releases.items()
        if load < newest or (school in verdicts.additive and added > load)
    }
    return Plan(plan.newest, held, verdicts.additive & held.keys(), max(added, newest), plan.note)
