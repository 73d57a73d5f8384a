"""Whom and what the events concern: pupils, classes and enrollments, drawn from the seed.

A choice depends on the day of its event and on the events before it, not on the day that is looked at.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .catalogue import course_id
from .changes import left_on
from .dice import mix, salt
from .enrolling import enrollments
from .events import CLASS_KINDS, PUPIL_KINDS, Event, EventError
from .plan import CO_TEACHER_AT, CO_TEACHER_EVERY, HANDOVER_AT, HANDOVER_EVERY, ClassPlan, Plan, School
from .subjects import ELECTIVES, subjects_in

if TYPE_CHECKING:
    from collections.abc import Iterable

_PUPILS, _CLASSES, _HALF = salt("event pupils"), salt("event classes"), salt("event half")
MOVES = ("period", "room", "teacher")
_DEFAULT = 10


class Move(NamedTuple):
    """What an event does with a pupil: the event's number, the pupil's school, and the other school."""

    event: int
    kind: str
    day: int
    school: School
    place: int
    other: School


class Shift(NamedTuple):
    """What an event moves of a class: period, room, teacher, term or course, and to which."""

    event: int
    what: str
    to: str


class Choices:
    """All choices of a list of events."""

    def __init__(self) -> None:
        self.pupils: dict[str, Move] = {}
        self.classes: dict[str, Shift] = {}
        self.halves: dict[str, int] = {}
        """Enrollments that are gone, with the number of the event that took them."""
        self.closed: dict[str, int] = {}


@lru_cache(maxsize=8)
def choose(plan: Plan, events: tuple[Event, ...]) -> Choices:
    """Choose for all events, in order; raise EventError for one that cannot happen. `plan` is that of any day."""
    choices = Choices()
    for number, event in enumerate(events):
        school = _school(plan, event, choices)
        if school is None:
            continue
        if event.kind in PUPIL_KINDS:
            _choose_pupils(plan, number, event, school, choices)
        elif event.kind in CLASS_KINDS:
            _choose_classes(plan, number, event, school, choices)
        elif event.kind == "half":
            _choose_half(plan, number, event, school, choices)
        elif event.kind == "close":
            if plan.schools - len(choices.closed) < 2:
                raise EventError(str(event), "the last school of a district cannot close")
            choices.closed[school.id] = number
    return choices


def _school(plan: Plan, event: Event, choices: Choices) -> School | None:
    if event.school is None:
        return None
    number = int(event.school) - 1 if event.school.isdecimal() else -1
    if not 0 <= number < plan.schools or plan.school(number).id != event.school:
        last = plan.school(plan.schools - 1).id
        raise EventError(str(event), f"there is no such school: the schools are 00001 to {last}")
    if event.school in choices.closed:
        raise EventError(str(event), "the school has been closed by an earlier event")
    return plan.school(number)


def _take(plan: Plan, salt_: int, event: Event, school: School, there: Iterable[int], what: str) -> list[int]:
    """Return as many numbers as the event wants, drawn from those that are there."""
    drawn = sorted(there, key=lambda place: mix(plan.seed, salt_, event.day, school.number, place))
    if event.number is not None and event.number > len(drawn):
        raise EventError(str(event), f"the school has only {len(drawn)} {what} that no other event takes")
    if not drawn:
        raise EventError(str(event), f"the school has no {what} that no other event takes")
    return drawn[: event.number or _DEFAULT]


def _choose_pupils(plan: Plan, number: int, event: Event, school: School, choices: Choices) -> None:
    there = [
        index
        for index in range(school.students)
        if school.student_id(index) not in choices.pupils
        and not plan.old_school(school, index)
        and not 0 < left_on(school, index) <= event.day
    ]
    if event.kind == "reentry":
        others = [school]
    else:
        others = [
            other
            for other in (plan.school((school.number + n) % plan.schools) for n in range(1, plan.schools))
            if other.id not in choices.closed and any(other.sections)
        ]
        if not others:
            raise EventError(str(event), "there is no other school")
    for index in _take(plan, _PUPILS, event, school, there, "pupils"):
        grade = school.grades[index % len(school.grades)]
        other = next((its for its in others if _teaches(its, grade)), others[0])
        choices.pupils[school.student_id(index)] = Move(number, event.kind, event.day, school, index, other)


def _teaches(school: School, grade: int) -> bool:
    return grade in school.grades and bool(school.sections[grade - school.grades[0]])


def _choose_classes(plan: Plan, number: int, event: Event, school: School, choices: Choices) -> None:
    classes = {its.number: its for its in school.classes() if its.id not in choices.classes}
    taken = _take(plan, _CLASSES, event, school, classes, "classes")
    for turn, place in enumerate(taken):
        its = classes[place]
        what = MOVES[turn % len(MOVES)] if event.kind == "schedule" else event.kind
        if what == "teacher":
            busy = {0} if its.number % CO_TEACHER_EVERY != CO_TEACHER_AT else {0, 1}
            if its.number % HANDOVER_EVERY == HANDOVER_AT:
                busy.add(2)
            step = next((n for n in range(school.teachers) if n not in busy), None)
            if step is None:
                what = "room"
            else:
                to = school.teacher_id((its.number + step) % school.teachers)
        if what == "period":
            to = str(10 + number % 80)
        elif what == "room":
            to = f"Room {200 + number}"
        elif what == "term":
            to = _other_term(school, its)
        elif what == "course":
            grade = school.grades[its.grade]
            to = course_id(grade, (its.subject + 1) % subjects_in(grade))
        choices.classes[its.id] = Shift(number, what, to)


def _other_term(school: School, its: ClassPlan) -> str:
    """Return another term: of a class of the whole year the second semester, of an elective the last or first term."""
    year = school.year
    if its.subject not in ELECTIVES:
        return year.semesters[1]
    return year.terms[3] if its.subject == ELECTIVES[0] else year.terms[0]


def _choose_half(plan: Plan, number: int, event: Event, school: School, choices: Choices) -> None:
    """Choose half of the enrollments at the school that are there on the event's day, but for those of earlier events."""
    there = []
    block = school.number - school.number % 5
    for other in range(block, min(block + 5, plan.schools)):
        part = replace(plan, day=event.day)
        for row in enrollments(part, schools=[plan.school(other)]):
            moved = choices.pupils.get(row["userSourcedId"])
            if (
                row["schoolSourcedId"] == school.id
                and row["status"] == "active"
                and row["sourcedId"] not in choices.halves
                and not (moved and moved.kind == "transfer" and moved.school.id == school.id)
            ):
                there.append(row["sourcedId"])
    if len(there) < 2:
        raise EventError(str(event), "the school has no two enrollments")
    there.sort(key=lambda row_id: mix(plan.seed, _HALF, event.day, salt(row_id)))
    for row_id in there[: len(there) // 2]:
        choices.halves[row_id] = number
