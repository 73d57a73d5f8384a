"""Grades and subjects, and their names in courses and classes."""

from __future__ import annotations

from typing import NamedTuple

GRADES = ("KG", *(f"{n:02d}" for n in range(1, 13)))


class Subject(NamedTuple):
    """A subject; `title` is a template for the class titles of a grade and a section."""

    code: str
    name: str
    number: str
    title: str
    second: tuple[str, str] | None = None
    """A second subject of its classes, and that subject's number."""


SUBJECTS = (
    Subject("HR", "Homeroom", "22", "Homeroom {grade}-{section}"),
    Subject("MTH", "Mathematics", "02", "Mathematics {grade}, section {section}"),
    Subject("ELA", "Reading & Writing", "01", 'Reading & Writing "Stories" {grade}-{section}'),
    Subject("SCI", "Natural sciences", "03", "Sciences naturelles {grade}/{section}"),
    Subject("SOC", "Society", "04", "Społeczeństwo i świat {grade}-{section}"),
    Subject("PE", "Physical education", "08", "Physical education {grade} ({section})"),
    Subject("ART", "Art", "05", "Artist's workshop {grade}-{section}", ("Music", "05.1")),
    Subject("EL1", "Languages", "06", 'Elective, fall: "日本語 & español" {grade}-{section}'),
    Subject("EL2", "Computing", "10", "Elective, spring: coder's club; {grade}-{section}", ("Robotics", "21")),
)
GRADEBOOK = (1, 2)
"""Subjects (positions) whose classes have a gradebook: mathematics, reading and writing."""
ELECTIVES = (7, 8)
"""Subjects of one semester: the first is taught in fall, the second in spring."""


def subjects_in(grade: int) -> int:
    """Return the number of subjects in a grade: from grade 6 on, including electives."""
    return 9 if grade >= 6 else 7
