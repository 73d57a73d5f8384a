"""Orgs, academic sessions, courses and classes, which all other rows refer to."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from .changes import Life, life
from .dice import salt
from .plan import DEPARTMENT_ID, DISTRICT_ID, ClassPlan, Plan, School
from .rows import Row, row
from .subjects import ELECTIVES, GRADES, SUBJECTS, subjects_in
from .year import SchoolYear

if TYPE_CHECKING:
    from collections.abc import Iterator

_ORGS, _SESSIONS = salt("orgs"), salt("sessions")
_PLACES = ("Birchwater", "Grünau", "Saint-Élie", "O'Hallow", "Two Rivers, North", "松原", "Øvre Dal")
_ART = 6


def orgs(plan: Plan) -> Iterator[Row]:
    """Yield the rows of orgs: the district, one of its departments, its schools."""
    yield _org(
        plan,
        0,
        {
            "sourcedId": DISTRICT_ID,
            "name": 'Birchwater & Grünau Unified District, "BGUD"',
            "type": "district",
            "identifier": "0600001",
            "childSourcedIds": [DEPARTMENT_ID, *(school.id for school in plan.all_schools())],
        },
    )
    department = {"sourcedId": DEPARTMENT_ID, "name": "Arts & Music", "type": "department"}
    yield _org(plan, 1, department | {"identifier": "0600001-A", "parentSourcedId": DISTRICT_ID})
    for school in plan.all_schools():
        place = _PLACES[school.number % len(_PLACES)]
        low, high = GRADES[school.grades[0]], GRADES[school.grades[-1]]
        values: Row = {
            "sourcedId": school.id,
            "name": f'{place} {school.level.word} School "{school.number + 1}"',
            "type": "school",
            "identifier": f"0600001-{school.number + 1:05d}",
            "parentSourcedId": DISTRICT_ID,
            "metadata": {"gradeSpan": f"{low}-{high}", "address.city": place},
        }
        yield _org(plan, 2 + school.number, values)


def _org(plan: Plan, place: int, values: Row) -> Row:
    its = life(plan, _ORGS + place, 1000)
    return row("orgs", values | {"status": its.status, "dateLastModified": its.stamp})


def academic_sessions(plan: Plan) -> Iterator[Row]:
    """Yield the rows of academicSessions."""
    first = SchoolYear(plan.school_year).sessions()
    later = (SchoolYear(plan.school_year + n).sessions()[1:] for n in range(1, plan.years))
    sessions = [*first, *chain.from_iterable(later)]
    for n, session in enumerate(sessions):
        its = life(plan, _SESSIONS + n, 1000)
        values: Row = {
            "sourcedId": session.id,
            "status": its.status,
            "dateLastModified": its.stamp,
            "title": session.title,
            "type": session.type,
            "startDate": session.start,
            "endDate": session.end,
            "parentSourcedId": session.parent,
            "schoolYear": str(session.ends),
            "childSourcedIds": [other.id for other in sessions if other.parent == session.id] or None,
        }
        yield row("academicSessions", values)


def course_id(grade: int, subject: int) -> str:
    """Return the id of the course of a subject in a grade."""
    return f"Crs.{SUBJECTS[subject].code}-{GRADES[grade]}"


def courses(plan: Plan) -> Iterator[Row]:
    """Yield the rows of courses: every subject of every grade, even if no school offers it."""
    for grade, word in enumerate(GRADES):
        for n in range(subjects_in(grade)):
            subject = SUBJECTS[n]
            its = life(plan, grade * 16 + n, 500)
            values: Row = {
                "sourcedId": course_id(grade, n),
                "status": its.status,
                "dateLastModified": its.stamp,
                "schoolYearSourcedId": plan.year.id,
                "title": f"{subject.name}, grade {word}",
                "courseCode": f"{subject.code}{word}",
                "grades": [word],
                "orgSourcedId": DEPARTMENT_ID if n == _ART else DISTRICT_ID,
                **_subjects(n),
            }
            yield row("courses", values)


def _subjects(n: int) -> Row:
    subject = SUBJECTS[n]
    pairs = [(subject.name, subject.number), *([subject.second] if subject.second else [])]
    return {"subjects": [name for name, _ in pairs], "subjectCodes": [code for _, code in pairs]}


def class_life(plan: Plan, school: School, its: ClassPlan) -> Life:
    """Return the state of a class: its room changes occasionally."""
    return life(plan, school.number * 10_000 + its.number, 60)


def classes(plan: Plan) -> Iterator[Row]:
    """Yield the rows of classes: homerooms, subjects of the whole year, electives of a semester."""
    for school in plan.all_schools():
        year = school.year
        for its in school.classes():
            grade = school.grades[its.grade]
            subject = SUBJECTS[its.subject]
            now = class_life(plan, school, its)
            terms = list(year.semesters)
            if its.subject in ELECTIVES:
                fall = its.subject == ELECTIVES[0]
                terms = list(year.terms[:2] if fall else year.terms[2:])
            values: Row = {
                "sourcedId": its.id,
                "status": now.status,
                "dateLastModified": now.stamp,
                "title": subject.title.format(grade=GRADES[grade], section=its.section + 1),
                "grades": [GRADES[grade]] if grade < 9 else [GRADES[n] for n in range(9, grade + 1)],
                "courseSourcedId": course_id(grade, its.subject),
                "classCode": f"{subject.code}-{GRADES[grade]}-{its.section + 1}",
                "classType": "homeroom" if its.subject == 0 else "scheduled",
                "location": f"Room {(its.number + 7 * now.edited) % 80 + 100}",
                "schoolSourcedId": school.id,
                "termSourcedIds": terms,
                **(_subjects(its.subject) if its.subject else {}),
                "periods": [str(its.subject + 1)] if its.number % 3 else [str(its.subject + 1), "9"],
            }
            if its.number % 4 == 0:
                values["metadata"] = {"building": "Annex, west", "schedule.day": "A"}
            yield row("classes", values)
