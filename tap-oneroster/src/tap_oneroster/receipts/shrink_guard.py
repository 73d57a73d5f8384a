"""The shrink guard: a snapshot that lost too many rows must not delete them downstream without a person's approval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_SCHOOL_ROWS = 20
"""Schools with fewer rows vary too much to be judged."""


class Shrink(NamedTuple):
    """Numbers of rows in the last run and now, for one school or in total."""

    school: str | None
    before: int
    after: int

    def __str__(self) -> str:
        where = f"school {self.school}" if self.school else "in all"
        return f"{where}: {self.before:,} before, {self.after:,} now"


def counts_for_state(total: int, schools: Mapping[str, int]) -> dict[str, Any]:
    """Return the counts of this snapshot that the next run compares with."""
    kept = {school: rows for school, rows in sorted(schools.items()) if rows > _SCHOOL_ROWS}
    return {"total": total, "schools": kept}


def shrinks(before: Mapping[str, Any] | None, total: int, schools: Mapping[str, int], percent: float) -> list[Shrink]:
    """Return where the snapshot lost more than `percent` of its rows compared with the counts in the state."""
    if not before:
        return []
    pairs = [(None, before["total"], total)]
    pairs += [(school, rows, schools.get(school, 0)) for school, rows in before["schools"].items()]
    return [Shrink(school, was, now) for school, was, now in pairs if was - now > was * percent / 100]
