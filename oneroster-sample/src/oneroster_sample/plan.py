"""The plan of a district: numbers of schools, students, classes and teachers, and their ids.

Everything here is a formula over numbers, so nothing is stored, and a row can refer to another one that was never
generated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .dice import mix, salt
from .subjects import GRADES, SUBJECTS, subjects_in
from .year import SchoolYear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .events import Event

DISTRICT_ID = "D-001"
DEPARTMENT_ID = "D-001.Arts"

TRANSFER_EVERY, TRANSFER_AT = 41, 17
CO_TEACHER_EVERY, CO_TEACHER_AT = 7, 2
HANDOVER_EVERY, HANDOVER_AT = 31, 4
VISITOR_EVERY, VISITOR_AT = 23, 5
PROCTOR_EVERY, PROCTOR_AT = 19, 6
LEFT_BEHIND = 8
"""Subjects in which a transferred student had a class at the old school: all but the spring elective."""
ENTRANTS = 20_000
"""Numbers of the pupils who came in the second year begin here; each later year has as many."""
_ROLLED = salt("rolled")


class Level(NamedTuple):
    """A type of school: its grades, and its size relative to the average."""

    word: str
    grades: range
    share: float


# Schools come in blocks of five types; students transfer only within a block.
BLOCK = (
    Level("K-8", range(9), 1.0),
    Level("Elementary", range(6), 0.8),
    Level("High", range(9, 13), 1.3),
    Level("Middle", range(6, 9), 0.9),
    Level("Secondary", range(9, 13), 1.0),
)


def times(count: int, every: int, at: int) -> int:
    """Return how many numbers below `count` have the remainder `at` when divided by `every`."""
    return (count - at + every - 1) // every if count > at else 0


class ClassPlan(NamedTuple):
    """A class: its number in the school, its grade (position in the level), subject and section."""

    number: int
    id: str
    grade: int
    subject: int
    section: int


class School:
    """One school, computed from its type and its number of students."""

    def __init__(self, number: int, students: int, year: SchoolYear, years: int) -> None:
        self.number = number
        self.students = students
        self.year = year
        """The school year of its classes: the year before, if the school has not rolled over."""
        self.years = years
        """How often it rolled over."""
        self.suffix = f".{year.ends}" if years else ""
        """End of ids that are new in a later year."""
        self.level = BLOCK[number % len(BLOCK)]
        self.id = f"{number + 1:05d}"
        self.grades = self.level.grades
        sizes = [times(students, len(self.grades), n) for n in range(len(self.grades))]
        self.sections = [round(size / 24) or 1 if size else 0 for size in sizes]
        self.class_count = sum(n * subjects_in(grade) for n, grade in zip(self.sections, self.grades, strict=True))
        self.teachers = max(3, self.class_count // 5)

    @cached_property
    def class_ids(self) -> list[list[list[str]]]:
        """Ids of classes by grade (position), subject and section."""
        return [
            [
                [f"{self.id}{self.suffix}.{GRADES[grade]}-{SUBJECTS[k].code}_{x + 1:02d}" for x in range(sections)]
                for k in range(subjects_in(grade))
            ]
            for grade, sections in zip(self.grades, self.sections, strict=True)
        ]

    def classes(self) -> Iterator[ClassPlan]:
        """Yield the classes in the order of their numbers."""
        number = 0
        for grade, subjects in enumerate(self.class_ids):
            for subject, sections in enumerate(subjects):
                for section, class_id in enumerate(sections):
                    yield ClassPlan(number, class_id, grade, subject, section)
                    number += 1

    def classes_of(self, grade: int, rank: int) -> list[str]:
        """Return the ids of a student's classes, by subject; `rank` is the position among the students of the grade.

        Up to grade 5 a section has all classes together; from grade 6 on each subject has other sections.
        """
        sections = self.sections[grade]
        turn = rank // sections if self.grades[grade] >= 6 else 0
        return [ids[(rank + k * turn) % sections] for k, ids in enumerate(self.class_ids[grade])]

    def pupil(self, index: int) -> int:
        """Return the number of the pupil in a place: after a rollover, that of the place before, one grade below.

        The first grade and the arrivals of a later year have numbers of their own.
        """
        if not self.years:
            return index
        if index >= self.students:
            return self.years * ENTRANTS + index
        grade = index % len(self.grades)
        if grade >= self.years:
            return index - self.years
        return (self.years - grade) * ENTRANTS + index - grade

    def place(self, pupil: int) -> int | None:
        """Return the place of a pupil; None if the pupil has left with the highest grade, or is not there any more."""
        entered, index = divmod(pupil, ENTRANTS) if self.years else (0, pupil)
        passed = self.years - entered
        if index >= self.students:
            return index if passed == 0 else None
        last = index + passed
        return last if index % len(self.grades) + passed < len(self.grades) and last < self.students else None

    def student_id(self, index: int) -> str:
        """Return the id of the student in a place, with leading zeros."""
        return self.pupil_id(self.pupil(index))

    def pupil_id(self, pupil: int) -> str:
        """Return the id of a pupil."""
        return f"{self.number * 100_000 + pupil + 1:09d}"

    def teacher_id(self, index: int) -> str:
        """Return the id of a teacher."""
        return f"Tch.{self.id}-{index + 1:03d}"

    def staff_id(self, role: str) -> str:
        """Return the id of the only person with that role at the school."""
        return f"{role}@{self.id}"

    @property
    def assigned_staff(self) -> int:
        """Number of enrollments of teachers and proctors."""
        count = self.class_count
        return (
            count
            + times(count, CO_TEACHER_EVERY, CO_TEACHER_AT)
            + times(count, HANDOVER_EVERY, HANDOVER_AT)
            + times(count, PROCTOR_EVERY, PROCTOR_AT)
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The numbers that define a district."""

    seed: int = 1
    schools: int = 3
    students_per_school: int = 120
    """On average: types of school differ in size."""
    last_school: int | None = None
    """Number of students of the last school, if it must be exact."""
    extra_proctors: int = 0
    """Additional proctors in classes of the first school, to reach an exact total."""
    school_year: int = 2027
    """The year in which the first school year ends."""
    years: int = 1
    """Number of the school year, from 1 on."""
    rolled: float = 1.0
    """Share of the schools that rolled over to a later year; the others keep classes, enrollments and grades of the first."""
    gradebook: bool = True
    weekly: bool = False
    """True if the gradebook has work of every week of the year, not two items of a class."""
    passwords: bool = False
    """True if users and profiles have (made-up) passwords."""
    day: int = 0
    """Number of days with changes since the start."""
    events: tuple[Event, ...] = ()
    """What happens on some of those days besides, in order."""

    def __post_init__(self) -> None:
        if self.schools < 1 or self.students_per_school < 1 or self.day < 0:
            raise ValueError("A district has at least one school and one student, and its days count from 0")
        if not 1 <= self.years <= 5 or not 0 <= self.rolled <= 1:
            raise ValueError("A district has 1 to 5 school years, and the share of schools that rolled over is 0 to 1")
        if self.years > 1 and self.students_per_school > ENTRANTS // 2:
            raise ValueError(f"A second school year is for schools of {ENTRANTS // 2:,} students or fewer")

    @cached_property
    def year(self) -> SchoolYear:
        """The school year of the district."""
        return SchoolYear(self.school_year + self.years - 1)

    @cached_property
    def kept(self) -> frozenset[int]:
        """Numbers of the schools that have not rolled over."""
        if self.years == 1:
            return frozenset()
        drawn = sorted(range(self.schools), key=lambda number: mix(self.seed, _ROLLED, number))
        return frozenset(drawn[: self.schools - round(self.rolled * self.schools)])

    def school(self, number: int) -> School:
        """Return the school with that number."""
        if number in self.kept:
            return _school(number, self._size(number), self.school_year, 0)
        return _school(number, self._size(number), self.school_year + self.years - 1, self.years - 1)

    def all_schools(self) -> Iterator[School]:
        """Yield all schools, one at a time."""
        return map(self.school, range(self.schools))

    def _size(self, number: int) -> int:
        if number == self.schools - 1 and self.last_school is not None:
            return self.last_school
        return max(1, round(self.students_per_school * BLOCK[number % len(BLOCK)].share))

    def old_school(self, school: School, index: int) -> School | None:
        """Return the school from which a student transferred in mid-year; None for other students."""
        if index % TRANSFER_EVERY != TRANSFER_AT or index >= school.students:
            return None
        grade = school.grades[index % len(school.grades)]
        first = school.number - school.number % len(BLOCK)
        for number in range(first, min(first + len(BLOCK), self.schools)):
            other = self.school(number)
            if other.years != school.years or number == school.number:
                continue
            if grade in other.grades and other.sections[grade - other.grades[0]]:
                return other
        return None

    def visited_by(self, school: School) -> School | None:
        """Return the school whose first teacher also teaches here."""
        return self.school((school.number - 1) % self.schools) if self.schools > 1 else None

    def enrollments_of(self, school: School) -> int:
        """Return the number of enrollments of a school on day 0."""
        grades = len(school.grades)
        count = school.assigned_staff
        for position, grade in enumerate(school.grades):
            count += times(school.students, grades, position) * subjects_in(grade)
        for index in range(TRANSFER_AT, school.students, TRANSFER_EVERY):
            if self.old_school(school, index):
                count += min(LEFT_BEHIND, subjects_in(school.grades[index % grades]))
        return count

    @property
    def enrollments(self) -> int:
        """Number of enrollments on day 0, computed without generating them."""
        blocks = max(0, self.schools - 1) // len(BLOCK)  # the last school may have another size
        count = 0
        if blocks:
            count = blocks * sum(self.enrollments_of(self.school(n)) for n in range(len(BLOCK)))
        rest = range(blocks * len(BLOCK), self.schools)
        return count + sum(self.enrollments_of(self.school(n)) for n in rest) + self.extra_proctors


@lru_cache(maxsize=32)
def _school(number: int, students: int, ends: int, years: int) -> School:
    return School(number, students, _year(ends), years)


@lru_cache(maxsize=8)
def _year(ends: int) -> SchoolYear:
    return SchoolYear(ends)
