"""Districts of an exact size: find the numbers of schools and students for a number of enrollments."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, TypeVar

from .plan import PROCTOR_AT, PROCTOR_EVERY, Plan, times

P = TypeVar("P", bound=Plan)

_TOO_FEW = "A district of so few enrollments cannot be made: ask for 50 or more"


def _students_per_school(enrollments: int) -> int:
    """Return the school size: large districts have large schools."""
    for limit, students in ((5_000, 60), (50_000, 240), (500_000, 600)):
        if enrollments < limit:
            return students
    return 1_100


def plan_of(kind: type[P], enrollments: int, settings: dict[str, Any]) -> P:
    """Return the plan with exactly that many enrollments: whole schools, a smaller one, and proctors for the rest."""
    settings = {"students_per_school": _students_per_school(enrollments)} | settings
    most = enrollments // settings["students_per_school"] + 1
    schools = _largest(most, enrollments, lambda n: kind(**settings, schools=n))
    full = kind(**settings, schools=schools + 1)
    size = full.school(schools).students
    students = _largest(size, enrollments, lambda n: kind(**settings, schools=schools + 1, last_school=n))
    if students:
        settings |= {"schools": schools + 1, "last_school": students}
    else:
        settings |= {"schools": schools}
    if schools + students == 0:
        raise ValueError(_TOO_FEW)
    plan = kind(**settings)
    missing = enrollments - plan.enrollments
    count = plan.school(0).class_count
    if missing > count - times(count, PROCTOR_EVERY, PROCTOR_AT):
        raise ValueError(_TOO_FEW)
    return kind(**settings, extra_proctors=missing)


def _largest(most: int, enrollments: int, plan: Any) -> int:
    """Return the largest number, 0 to `most`, for which the plan has at most that many enrollments."""
    return bisect_right(range(1, most + 1), enrollments, key=lambda n: plan(n).enrollments)
