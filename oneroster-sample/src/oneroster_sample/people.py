"""The people of the district: staff, teachers, students, guardians, each with their roles.

`users`, `roles` and the other files about people are made from `Person` objects (`accounts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .changes import Life, left_on, life, student_life
from .dice import mix, pick, salt
from .plan import DISTRICT_ID, Plan, School

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Person", "Place", "people", "students"]

_PERSON, _HOUSE, _SIBLINGS = salt("person"), salt("house"), salt("siblings")
_GUARDIAN_WORDS = ("parent", "parent", "parent", "guardian", "relative")
SCHOOL_STAFF = ("principal", "siteAdministrator", "counselor", "aide", "proctor")
DISTRICT_STAFF = ("districtAdministrator", "systemAdministrator")


class Place(NamedTuple):
    """One role at one org. The first role at an org is the primary one."""

    role: str
    org: str
    begin: str | None = None
    end: str | None = None


class Person(NamedTuple):
    """A person, with the data that all files about people need."""

    id: str
    number: int
    """The random number of this person."""
    household: int
    places: tuple[Place, ...]
    """The first one is the current one."""
    life: Life
    agents: tuple[str, ...] = ()
    grade: int | None = None

    @property
    def role(self) -> str:
        """The main role of the person."""
        return self.places[0].role


def people(plan: Plan) -> Iterator[Person]:
    """Yield all people, school by school."""
    for n, role in enumerate(DISTRICT_STAFF):
        number = mix(plan.seed, _PERSON, n)
        yield Person(f"{role}.{DISTRICT_ID}", number, number, (Place(role, DISTRICT_ID),), life(plan, number, 400))
    for school in plan.all_schools():
        yield from _staff(plan, school)
        yield from _teachers(plan, school)
        yield from students(plan, school)
        yield from _guardians(plan, school)


def _staff(plan: Plan, school: School) -> Iterator[Person]:
    for n, role in enumerate(SCHOOL_STAFF):
        number = mix(plan.seed, _PERSON, school.number + 1, n)
        place = Place(role, school.id)
        yield Person(school.staff_id(role), number, number, (place,), life(plan, number, 400))


def _teachers(plan: Plan, school: School) -> Iterator[Person]:
    for index in range(school.teachers):
        number = mix(plan.seed, _PERSON, school.number + 1, index, 1)
        places = [Place("teacher", school.id)]
        if index == 0 and plan.schools > 1:
            places.append(Place("teacher", plan.school((school.number + 1) % plan.schools).id))
        if index == 1:
            places.append(Place("parent", school.id))
        yield Person(school.teacher_id(index), number, number, tuple(places), life(plan, number, 200))


def students(plan: Plan, school: School) -> Iterator[Person]:
    """Yield the students of a school: those of the start, and one more for each day."""
    year = plan.year
    grades = school.grades
    for index in range(school.students + plan.day):
        old = plan.old_school(school, index)
        place = Place("student", school.id, year.moving_day if old else year.start)
        places = (place, Place("student", old.id, year.start, year.moving_day)) if old else (place,)
        key = _household(plan, school, index)
        household = mix(plan.seed, _HOUSE, school.number, key)
        yield Person(
            school.student_id(index),
            mix(plan.seed, _PERSON, school.number + 1, index, 2),
            household,
            places,
            student_life(plan, school, index),
            tuple(_guardian_ids(school, key, household)),
            grades[index % len(grades)],
        )


def _household(plan: Plan, school: School, index: int) -> int:
    """Return the index of the household's first student: some neighbours in the list are siblings."""
    first = index & ~1
    if index != first and first + 1 < school.students and _are_siblings(plan, school, first):
        return first
    return index


def _are_siblings(plan: Plan, school: School, first: int) -> bool:
    return mix(plan.seed, _SIBLINGS, school.number, first) % 6 == 0


def _guardian_ids(school: School, key: int, household: int) -> list[str]:
    count = (0, 1, 1, 1, 2, 2, 2, 2)[household >> 8 & 7]
    return [f"g.{school.student_id(key)}.{n + 1}" for n in range(count)]


def _guardians(plan: Plan, school: School) -> Iterator[Person]:
    for key in range(school.students + plan.day):
        if _household(plan, school, key) != key:
            continue
        children = [key]
        if key % 2 == 0 and key + 1 < school.students and _are_siblings(plan, school, key):
            children.append(key + 1)
        household = mix(plan.seed, _HOUSE, school.number, key)
        lives = [student_life(plan, school, child) for child in children]
        # Students who leave the district are removed from the guardian's agents, so the guardian's row changes too.
        agents = tuple(
            school.student_id(child) for child, its in zip(children, lives, strict=True) if its.status == "active"
        )
        changed = any(0 < left_on(school, child) <= plan.day for child in children)
        stamp = max(its.stamp for its in lives) if changed or key >= school.students else plan.year.stamp(household)
        for n, person_id in enumerate(_guardian_ids(school, key, household)):
            place = Place(pick(_GUARDIAN_WORDS, household >> 16 + 4 * n), school.id)
            number = mix(plan.seed, _PERSON, school.number + 1, key, 3 + n)
            yield Person(person_id, number, household, (place,), Life("active", stamp, 0), agents)
