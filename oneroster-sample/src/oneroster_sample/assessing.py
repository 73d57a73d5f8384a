"""Assessments, which only REST 1.2 has: a test with parts, and the results of students."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .changes import life, student_life
from .dice import mix, root, salt, uuid
from .grading import SCALED
from .rows import Row, row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import Plan

_ITEM, _RESULT = salt("assessment"), salt("assessed")
_PARTS = ("", ".reading", ".writing")


def assessment_line_items(plan: Plan) -> Iterator[Row]:
    """Yield the rows of assessmentLineItems: at each school one test with two parts."""
    for school in plan.all_schools():
        for n, part in enumerate(_PARTS):
            its = life(plan, _ITEM + school.number * 4 + n, 300)
            values: Row = {
                "sourcedId": f"asmt.{school.id}{part}",
                "status": its.status,
                "dateLastModified": its.stamp,
                "title": f'Placement "fall"{part and ", " + part[1:]}',
                "parentAssessmentLineItemSourcedId": f"asmt.{school.id}" if n else None,
                "resultValueMin": 0,
                "resultValueMax": 300,
            }
            if n:
                lesson = school.class_ids[0][SCALED][0]
                values["description"] = "Twenty minutes, no calculator."
                values["classSourcedId"] = lesson
                values["scoreScaleSourcedId"] = f"{lesson}/scale"
                values["learningObjectiveSet"] = [
                    {"source": "case", "learningObjectiveIds": [str(uuid(_ITEM + n))]},
                    {"source": "unknown", "learningObjectiveIds": [f"local-{n}", "local-z"]},
                ]
            yield row("assessmentLineItems", values)


def assessment_results(plan: Plan) -> Iterator[Row]:
    """Yield the rows of assessmentResults: one student in four took the test."""
    for school in plan.all_schools():
        for index in range(0, school.students, 4):
            its = student_life(plan, school, index)
            draw = mix(root(plan.seed, _RESULT, school.number), school.pupil(index))
            user = school.student_id(index)
            values: Row = {
                "sourcedId": f"ar.{user}{school.suffix}",
                "status": its.status,
                "dateLastModified": its.stamp,
                "assessmentLineItemSourcedId": f"asmt.{school.id}{_PARTS[1 + draw % 2]}",
                "studentSourcedId": user,
                "score": draw % 301,
                "scoreDate": school.year.date(-40),
                "scorePercentile": draw % 1000 / 10,
                "scoreStatus": "fully graded",
                "missing": False,
                "late": draw >> 8 & 7 == 0,
                "learningObjectiveSet": [
                    {
                        "source": "case",
                        "learningObjectiveResults": [
                            {
                                "learningObjectiveId": str(uuid(_ITEM + 1 + draw % 2)),
                                "score": draw % 5,
                                "textScore": None,
                            }
                        ],
                    }
                ],
            }
            if draw >> 12 & 3 == 0:
                values["textScore"] = "B"
                values["scoreScaleSourcedId"] = f"{school.class_ids[0][SCALED][0]}/scale"
                values["comment"] = 'Retake: "part 2"'
                values["inProgress"] = values["incomplete"] = draw >> 14 & 1 == 1
            yield row("assessmentResults", values)
