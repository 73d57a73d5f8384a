"""The changes of each day: people arrive, leave or are edited, and some rows disappear without a tombstone.

Each day every school has one arrival and one departure, loses one enrollment in physical education without a tombstone,
and has one student in fifty edited. All changes are functions of the numbers alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .dice import mix, root, salt

if TYPE_CHECKING:
    from .plan import Plan, School

VANISHING_SUBJECT = 5
_STAMP, _CHANGE = salt("stamp"), salt("change")


class Life(NamedTuple):
    """The state of an entity: status, time of the last change, and day of the last edit (0: never)."""

    status: str
    stamp: str
    edited: int


def last_edit(place: int, day: int, every: int) -> int:
    """Return the last day up to `day` on which the entity with that number was edited; 0 if there was none."""
    return max(0, day - (place + day) % every)


def left_on(school: School, index: int) -> int:
    """Return the day on which a student leaves the district; 0 for those who stay."""
    gone, rest = divmod(index - 5, 13)
    return gone if rest == 0 and gone > 0 and index < school.students else 0


def arrived_on(school: School, index: int) -> int:
    """Return the day on which a student arrived; 0 for those who were there at the start."""
    return max(0, index - school.students + 1)


def vanished_on(index: int) -> int:
    """Return the day on which a student's physical education disappears from the records; 0 if it stays."""
    day, rest = divmod(index - 3, 17)
    return day if rest == 0 and day > 0 else 0


def student_life(plan: Plan, school: School, index: int) -> Life:
    """Return the current state of a student."""
    number = mix(root(plan.seed, _STAMP, school.number), school.pupil(index))
    if plan.day == 0:
        return Life("active", school.year.stamp(number), 0)
    left = left_on(school, index)
    if 0 < left <= plan.day:
        return Life("tobedeleted", plan.year.stamp_on(left, number), 0)
    edited = last_edit(index + school.number, plan.day, 50)
    changed = max(edited, arrived_on(school, index))
    if changed:
        return Life("active", plan.year.stamp_on(changed, number + changed), edited)
    return Life("active", school.year.stamp(number), 0)


def life(plan: Plan, place: int, every: int) -> Life:
    """Return the current state of an entity that is only ever edited, every `every` days."""
    number = mix(plan.seed, _CHANGE, place)
    edited = last_edit(place, plan.day, every) if plan.day else 0
    return Life("active", plan.year.stamp_on(edited, number) if edited else plan.year.stamp(number), edited)
