"""What a day changes: who comes, who leaves, what is edited, and what vanishes without a word.

Every school has one arrival and one departure a day, loses one enrollment in physical education
without a trace, and has one student in fifty edited. All of it follows from the numbers alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .dice import mix, salt

if TYPE_CHECKING:
    from .plan import Plan, School

__all__ = ["Life", "last_edit", "student_life", "vanished_on"]

VANISHING_SUBJECT = 5
_STAMP, _CHANGE = salt("stamp"), salt("change")


class Life(NamedTuple):
    """What has happened to an entity: its status, its last change, and the day of its last edit (0: never)."""

    status: str
    stamp: str
    edited: int


def last_edit(place: int, day: int, every: int) -> int:
    """The last day up to `day` on which the entity of that number was edited; 0 where there was none."""
    return max(0, day - (place + day) % every)


def left_on(school: School, index: int) -> int:
    """The day on which a student leaves the district; 0 for those who stay."""
    gone, rest = divmod(index - 5, 13)
    return gone if rest == 0 and gone > 0 and index < school.students else 0


def arrived_on(school: School, index: int) -> int:
    """The day on which a student came; 0 for those who were there at the start."""
    return max(0, index - school.students + 1)


def vanished_on(index: int) -> int:
    """The day on which a student's physical education disappears from the records; 0 where it stays."""
    day, rest = divmod(index - 3, 17)
    return day if rest == 0 and day > 0 else 0


def student_life(plan: Plan, school: School, index: int) -> Life:
    """What has happened to a student so far."""
    number = mix(plan.seed, _STAMP, school.number, index)
    if plan.day == 0:
        return Life("active", plan.year.stamp(number), 0)
    left = left_on(school, index)
    if 0 < left <= plan.day:
        return Life("tobedeleted", plan.year.stamp_on(left, number), 0)
    edited = last_edit(index + school.number, plan.day, 50)
    changed = max(edited, arrived_on(school, index))
    if changed:
        return Life("active", plan.year.stamp_on(changed, number + changed), edited)
    return Life("active", plan.year.stamp(number), 0)


def life(plan: Plan, place: int, every: int) -> Life:
    """What has happened to something that is only ever edited, in turns of `every` days."""
    number = mix(plan.seed, _CHANGE, place)
    edited = last_edit(place, plan.day, every) if plan.day else 0
    return Life("active", plan.year.stamp_on(edited, number) if edited else plan.year.stamp(number), edited)
