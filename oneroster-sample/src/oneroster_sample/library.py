"""Books and applications, and the classes and courses that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .catalogue import class_life, course_id
from .changes import life
from .dice import pick, salt
from .rows import Row, row
from .subjects import GRADEBOOK, GRADES, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import Plan

RESOURCES = 40
_PLACE = salt("resources")
_TITLES = (
    'Atlas of the "Known" World',
    "Fractions, Step by Step",
    "Poet's Corner",
    "Élan 2",
    "かんじ ワーク",
    "Lab Notes; 3rd ed.",
)


def _resource_id(number: int) -> str:
    return f"res-{number % RESOURCES:03d}"


def resources(plan: Plan) -> Iterator[Row]:
    """Yield the rows of resources."""
    for n in range(RESOURCES):
        its = life(plan, _PLACE + n, 500)
        values: Row = {
            "sourcedId": _resource_id(n),
            "status": its.status,
            "dateLastModified": its.stamp,
            "vendorResourceId": f"isbn/{9_780_000_000_000 + n * 7919}",
            "title": f"{pick(_TITLES, n)} ({n + 1})",
            "roles": [["student", "teacher"], ["teacher"], ["student", "guardian", "parent"], None][n % 4],
            "importance": ("primary", "secondary", None)[n % 3],
            "vendorId": f"vendor.{n % 5}",
            "applicationId": f"app-{n % 7:02d}" if n % 2 else None,
        }
        yield row("resources", values)


def class_resources(plan: Plan) -> Iterator[Row]:
    """Yield the rows of classResources: classes with a gradebook use one or two resources."""
    for school in plan.all_schools():
        for its in school.classes():
            if its.subject not in GRADEBOOK:
                continue
            now = class_life(plan, school, its)
            for n in range(1 + its.number % 2):
                values: Row = {
                    "sourcedId": f"{its.id}/resource.{n + 1}",
                    "status": now.status,
                    "dateLastModified": now.stamp,
                    "title": 'For the class, "as needed"' if n else None,
                    "classSourcedId": its.id,
                    "resourceSourcedId": _resource_id(its.number * 3 + n),
                }
                yield row("classResources", values)


def course_resources(plan: Plan) -> Iterator[Row]:
    """Yield the rows of courseResources."""
    for grade in range(len(GRADES)):
        for subject in GRADEBOOK:
            its = life(plan, grade * 16 + subject, 500)
            values: Row = {
                "sourcedId": f"{course_id(grade, subject)}/resource",
                "status": its.status,
                "dateLastModified": its.stamp,
                "title": f"{SUBJECTS[subject].name}, grade {GRADES[grade]}",
                "courseSourcedId": course_id(grade, subject),
                "resourceSourcedId": _resource_id(grade * 2 + subject),
            }
            yield row("courseResources", values)
