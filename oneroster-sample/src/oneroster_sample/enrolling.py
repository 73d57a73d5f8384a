"""Enrollments: who is in which class, in which role, and since when.

This is by far the largest file, so the rows of a student share values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .changes import VANISHING_SUBJECT, student_life, vanished_on
from .dice import mix, root, salt
from .plan import (
    CO_TEACHER_AT,
    CO_TEACHER_EVERY,
    HANDOVER_AT,
    HANDOVER_EVERY,
    LEFT_BEHIND,
    PROCTOR_AT,
    PROCTOR_EVERY,
    VISITOR_AT,
    VISITOR_EVERY,
    ClassPlan,
    Plan,
    School,
)
from .subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .rows import Row
    from .year import SchoolYear

_ROWS, _STAFF = salt("enrollments"), salt("staff")
_CODES = [subject.code for subject in SUBJECTS]


def enrollments(plan: Plan, *, graves: bool = False, schools: Iterable[School] | None = None) -> Iterator[Row]:
    """Yield the rows of enrollments; with `graves`, those that disappeared are `tobedeleted`."""
    extra = plan.extra_proctors
    for school in plan.all_schools() if schools is None else schools:
        for its in school.classes():
            yield from _staff(plan, school, its)
            if extra and its.number % PROCTOR_EVERY != PROCTOR_AT:
                extra -= 1
                yield _assigned(plan, school, its, "px", school.staff_id("proctor"), "proctor")
        yield from _students(plan, school, graves=graves)


def _staff(plan: Plan, school: School, its: ClassPlan) -> Iterator[Row]:
    """Yield the teachers of a class: one primary at a time, and sometimes a second, a visitor or a change in mid-year."""
    number = its.number
    teacher = school.teacher_id(number % school.teachers)
    if number % VISITOR_EVERY == VISITOR_AT and (visitor := plan.visited_by(school)):
        teacher = visitor.teacher_id(0)
    if number % HANDOVER_EVERY == HANDOVER_AT:
        successor = school.teacher_id((number + 2) % school.teachers)
        day = school.year.moving_day
        yield _assigned(plan, school, its, "t1", teacher, "teacher", primary=True, end=day)
        yield _assigned(plan, school, its, "t3", successor, "teacher", primary=True, begin=day)
    else:
        yield _assigned(plan, school, its, "t1", teacher, "teacher", primary=True)
    if number % CO_TEACHER_EVERY == CO_TEACHER_AT:
        second = school.teacher_id((number + 1) % school.teachers)
        yield _assigned(plan, school, its, "t2", second, "teacher", primary=False)
    if number % PROCTOR_EVERY == PROCTOR_AT:
        yield _assigned(plan, school, its, "p1", school.staff_id("proctor"), "proctor")


def _assigned(
    plan: Plan,
    school: School,
    its: ClassPlan,
    part: str,
    user: str,
    role: str,
    *,
    primary: bool | None = None,
    begin: str | None = None,
    end: str | None = None,
) -> Row:
    number = mix(root(plan.seed, _STAFF, school.number), its.number)
    return {
        "sourcedId": f"{its.id}/{part}",
        "status": "active",
        "dateLastModified": school.year.stamp(number),
        "classSourcedId": its.id,
        "schoolSourcedId": school.id,
        "userSourcedId": user,
        "role": role,
        "primary": primary,
        "beginDate": begin or school.year.start,
        "endDate": end,
        "metadata": None,
    }


def _students(plan: Plan, school: School, *, graves: bool) -> Iterator[Row]:
    year, grades, suffix = school.year, len(school.grades), school.suffix
    spans = _spans(year, year.start)
    moved = _spans(year, year.moving_day)
    drawn = root(plan.seed, _ROWS, school.number)
    for index in range(school.students + plan.day):
        grade = index % grades
        if not school.sections[grade]:  # a new student in a grade that the school does not have
            grade = 0
        user = school.student_id(index)
        life = student_life(plan, school, index)
        number = mix(drawn, school.pupil(index))
        old = plan.old_school(school, index)
        gone = vanished_on(index) if plan.day else 0
        settled = life.status == "active" and index < school.students
        for k, class_id in enumerate(school.classes_of(grade, index // grades)):
            status, stamp = life.status, life.stamp
            if settled:  # an edit of the person does not change the enrollment
                stamp = year.stamp(number + k * 40_961)
            if k == VANISHING_SUBJECT and 0 < gone <= plan.day:
                if not graves:
                    continue
                status, stamp = "tobedeleted", plan.year.stamp_on(gone, number)
            begin, end = (moved if old else spans)[k]
            yield {
                "sourcedId": f"{user}-{_CODES[k]}{suffix}",
                "status": status,
                "dateLastModified": stamp,
                "classSourcedId": class_id,
                "schoolSourcedId": school.id,
                "userSourcedId": user,
                "role": "student",
                "primary": None,
                "beginDate": begin,
                "endDate": end,
                "metadata": None,
            }
        if old:
            yield from _left_behind(plan, school, old, index)


def _spans(year: SchoolYear, begin: str) -> list[tuple[str, str | None]]:
    """Return begin and end of a student's enrollments, by subject: electives last a semester."""
    return [(begin, None)] * 7 + [(begin, year.middle), (year.middle, year.end)]


def _left_behind(plan: Plan, school: School, old: School, index: int) -> Iterator[Row]:
    """Yield the ended enrollments of a student who came from another school."""
    year = school.year
    life = student_life(plan, school, index)
    grade = school.grades[index % len(school.grades)] - old.grades[0]
    user = school.student_id(index)
    number = mix(root(plan.seed, _ROWS, school.number), school.pupil(index), 1)
    gone = life.status != "active"
    for k, class_id in enumerate(old.classes_of(grade, index)[:LEFT_BEHIND]):
        yield {
            "sourcedId": f"{user}-{_CODES[k]}@{old.id}{school.suffix}",
            "status": life.status,
            "dateLastModified": life.stamp if gone else year.stamp(number + k * 40_961),
            "classSourcedId": class_id,
            "schoolSourcedId": old.id,
            "userSourcedId": user,
            "role": "student",
            "primary": None,
            "beginDate": year.start,
            "endDate": year.moving_day,
            "metadata": None,
        }
