"""The rollover to a later school year: which schools did it, and what it did with their pupils."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from .year import SchoolYear

if TYPE_CHECKING:
    from .plan import Plan, School


def rollover(plan: Plan) -> dict[str, Any] | None:
    """Return which schools rolled over since the year before; None in the first year."""
    if plan.years == 1:
        return None
    return {
        "year": plan.year.id,
        "last_year": SchoolYear(plan.year.ends - 1).id,
        "rolled": [school.id for school in plan.all_schools() if school.years],
        "kept": [school.id for school in plan.all_schools() if not school.years],
        "schools": {school.id: _rolled(school) for school in plan.all_schools()},
    }


def _rolled(school: School) -> dict[str, Any]:
    """Return what the rollover did with the pupils of a school at the start of the year."""
    count, grades = school.students, len(school.grades)
    if not school.years:
        return {"rolled": False, "classes": school.class_count, "year": school.year.id, "same_grade": count}
    entered = sum(1 for place in range(0, count, grades))
    left = [place for place in range(count) if place % grades < grades - 1 and place + 1 >= count]
    before = [school.pupil_id(_pupil_before(school, place)) for place in left]
    return {
        "rolled": True,
        "classes": school.class_count,
        "year": school.year.id,
        "promoted": count - entered,
        "entered": entered,
        "graduated": count - (count - entered) - len(left),
        "left_early": before,
    }


def _pupil_before(school: School, place: int) -> int:
    """Return the pupil who was in a place in the year before."""
    earlier = copy(school)
    earlier.years -= 1
    return earlier.pupil(place)
