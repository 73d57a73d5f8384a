"""The plan of a district: how many schools, students, classes and teachers, and what they are called.

Everything here is a formula over numbers, so that nothing has to be kept and a row can name
another that was never made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .subjects import GRADES, SUBJECTS, subjects_in
from .year import SchoolYear

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DISTRICT_ID", "ClassPlan", "Plan", "School"]

DISTRICT_ID = "D-001"
DEPARTMENT_ID = "D-001.Arts"

TRANSFER_EVERY, TRANSFER_AT = 41, 17
CO_TEACHER_EVERY, CO_TEACHER_AT = 7, 2
HANDOVER_EVERY, HANDOVER_AT = 31, 4
VISITOR_EVERY, VISITOR_AT = 23, 5
PROCTOR_EVERY, PROCTOR_AT = 19, 6
LEFT_BEHIND = 8
"""Subjects in which a transfer had a class at the old school: all but the elective of spring."""


class Level(NamedTuple):
    """A kind of school: its grades, and its size against the average."""

    word: str
    grades: range
    share: float


# Schools come in blocks of five kinds; students who transfer do so inside a block.
BLOCK = (
    Level("K-8", range(9), 1.0),
    Level("Elementary", range(6), 0.8),
    Level("High", range(9, 13), 1.3),
    Level("Middle", range(6, 9), 0.9),
    Level("Secondary", range(9, 13), 1.0),
)


def times(count: int, every: int, at: int) -> int:
    """How many of the numbers below `count` leave `at` when divided by `every`."""
    return (count - at + every - 1) // every if count > at else 0


class ClassPlan(NamedTuple):
    """A class: its number in the school, its grade (position in the level), subject and section."""

    number: int
    id: str
    grade: int
    subject: int
    section: int


class School:
    """One school, worked out from its kind and its number of students."""

    def __init__(self, number: int, students: int) -> None:
        self.number = number
        self.students = students
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
                [f"{self.id}.{GRADES[grade]}-{SUBJECTS[k].code}_{x + 1:02d}" for x in range(sections)]
                for k in range(subjects_in(grade))
            ]
            for grade, sections in zip(self.grades, self.sections, strict=True)
        ]

    def classes(self) -> Iterator[ClassPlan]:
        """Classes in the order of their numbers."""
        number = 0
        for grade, subjects in enumerate(self.class_ids):
            for subject, sections in enumerate(subjects):
                for section, class_id in enumerate(sections):
                    yield ClassPlan(number, class_id, grade, subject, section)
                    number += 1

    def classes_of(self, grade: int, rank: int) -> list[str]:
        """Ids of a student's classes, subject by subject; `rank` counts the students of the grade.

        Up to grade 5 a section stays together; from grade 6 on every subject mixes anew.
        """
        sections = self.sections[grade]
        turn = rank // sections if self.grades[grade] >= 6 else 0
        return [ids[(rank + k * turn) % sections] for k, ids in enumerate(self.class_ids[grade])]

    def student_id(self, index: int) -> str:
        """Id of a student, with its leading zeros."""
        return f"{self.number * 100_000 + index + 1:09d}"

    def teacher_id(self, index: int) -> str:
        """Id of a teacher."""
        return f"Tch.{self.id}-{index + 1:03d}"

    def staff_id(self, role: str) -> str:
        """Id of the one person who holds that role at the school."""
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
    """The numbers that a district is made from."""

    seed: int = 1
    schools: int = 3
    students_per_school: int = 120
    """On average: kinds of school differ in size."""
    last_school: int | None = None
    """Students of the last school, where it must have a certain number."""
    extra_proctors: int = 0
    """Proctors beyond the usual ones, in classes of the first school: they make a total exact."""
    school_year: int = 2027
    """The year in which the school year ends."""
    gradebook: bool = True
    passwords: bool = False
    """Whether users and profiles have (made-up) passwords."""
    day: int = 0
    """How many days of changes the district has seen."""

    def __post_init__(self) -> None:
        if self.schools < 1 or self.students_per_school < 1 or self.day < 0:
            raise ValueError("A district has at least one school and one student, and its days count from 0")

    @cached_property
    def year(self) -> SchoolYear:
        """The school year the district is in."""
        return SchoolYear(self.school_year)

    def school(self, number: int) -> School:
        """The school of that number."""
        return _school(number, self._size(number))

    def all_schools(self) -> Iterator[School]:
        """All schools, one at a time."""
        return map(self.school, range(self.schools))

    def _size(self, number: int) -> int:
        if number == self.schools - 1 and self.last_school is not None:
            return self.last_school
        return max(1, round(self.students_per_school * BLOCK[number % len(BLOCK)].share))

    def old_school(self, school: School, index: int) -> School | None:
        """The school from which a student came in mid-year; none for those who did not."""
        if index % TRANSFER_EVERY != TRANSFER_AT or index >= school.students:
            return None
        grade = school.grades[index % len(school.grades)]
        first = school.number - school.number % len(BLOCK)
        for number in range(first, min(first + len(BLOCK), self.schools)):
            other = self.school(number)
            if number != school.number and grade in other.grades and other.sections[grade - other.grades[0]]:
                return other
        return None

    def visited_by(self, school: School) -> School | None:
        """The school whose first teacher also teaches here."""
        return self.school((school.number - 1) % self.schools) if self.schools > 1 else None

    def enrollments_of(self, school: School) -> int:
        """Number of enrollments that a school brings along on day 0."""
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
        """Number of enrollments on day 0, without making them."""
        blocks = max(0, self.schools - 1) // len(BLOCK)  # the last school may have a size of its own
        count = 0
        if blocks:
            count = blocks * sum(self.enrollments_of(self.school(n)) for n in range(len(BLOCK)))
        rest = range(blocks * len(BLOCK), self.schools)
        return count + sum(self.enrollments_of(self.school(n)) for n in rest) + self.extra_proctors


@lru_cache(maxsize=32)
def _school(number: int, students: int) -> School:
    return School(number, students)
