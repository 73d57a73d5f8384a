"""The people of the district: staff, teachers, students, guardians, each with their roles.

`users`, `roles` and the other files about people are made from `Person` objects (`accounts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .changes import Life, left_on, life, student_life
from .dice import mix, pick, root, salt
from .plan import DISTRICT_ID, Plan, School

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def people(plan: Plan, *, guardians: bool = True) -> Iterator[Person]:
    """Yield all people, school by school."""
    for n, role in enumerate(DISTRICT_STAFF):
        number = mix(plan.seed, _PERSON, n)
        yield Person(f"{role}.{DISTRICT_ID}", number, number, (Place(role, DISTRICT_ID),), life(plan, number, 400))
    for school in plan.all_schools():
        yield from _staff(plan, school)
        yield from _teachers(plan, school)
        yield from students(plan, school)
        if guardians:
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
    year, grades = school.year, school.grades
    drawn, houses = root(plan.seed, _PERSON, school.number + 1), root(plan.seed, _HOUSE, school.number)
    usual = (Place("student", school.id, year.start),)
    for index in range(school.students + plan.day):
        old = plan.old_school(school, index)
        places: tuple[Place, ...] = usual
        if old:
            moved = Place("student", school.id, year.moving_day)
            places = (moved, Place("student", old.id, year.start, year.moving_day))
        pupil = school.pupil(index)
        key = _household(plan, school, pupil)
        household = mix(houses, key)
        yield Person(
            school.pupil_id(pupil),
            mix(drawn, pupil, 2),
            household,
            places,
            student_life(plan, school, index),
            tuple(_guardian_ids(school, key, household)),
            grades[index % len(grades)],
        )


def _household(plan: Plan, school: School, pupil: int) -> int:
    """Return the number of the household's first pupil: some neighbours in the list are siblings."""
    if pupil & 1 and pupil < school.students and _are_siblings(plan, school, pupil - 1):
        return pupil - 1
    return pupil


def _are_siblings(plan: Plan, school: School, first: int) -> bool:
    return mix(root(plan.seed, _SIBLINGS, school.number), first) % 6 == 0


def _guardian_ids(school: School, key: int, household: int) -> list[str]:
    count = (0, 1, 1, 1, 2, 2, 2, 2)[household >> 8 & 7]
    return [f"g.{school.pupil_id(key)}.{n + 1}" for n in range(count)]


def _children(plan: Plan, school: School, key: int) -> list[int]:
    """Return the places of the pupils of a household who are there."""
    pupils = [key]
    if key & 1 == 0 and key + 1 < school.students and _are_siblings(plan, school, key):
        pupils.append(key + 1)
    return [place for pupil in pupils if (place := school.place(pupil)) is not None] if school.years else pupils


def _guardians(plan: Plan, school: School) -> Iterator[Person]:
    drawn, houses = root(plan.seed, _PERSON, school.number + 1), root(plan.seed, _HOUSE, school.number)
    for index in range(school.students + plan.day):
        key = _household(plan, school, school.pupil(index))
        household = mix(houses, key)
        ids = _guardian_ids(school, key, household)
        if not ids:
            continue
        children = _children(plan, school, key)
        if children[0] != index:  # once for each household
            continue
        lives = [student_life(plan, school, child) for child in children]
        # Students who leave the district are removed from the guardian's agents, so the guardian's row changes too.
        agents = tuple(
            school.student_id(child) for child, its in zip(children, lives, strict=True) if its.status == "active"
        )
        changed = plan.day and any(0 < left_on(school, child) <= plan.day for child in children)
        new = changed or index >= school.students
        stamp = max(its.stamp for its in lives) if new else school.year.stamp(household)
        for n, person_id in enumerate(ids):
            place = Place(pick(_GUARDIAN_WORDS, household >> 16 + 4 * n), school.id)
            number = mix(drawn, key, 3 + n)
            yield Person(person_id, number, household, (place,), Life("active", stamp, 0), agents)
