"""Gradebook: assignments and their results. Checked against the tables of the CSV and REST bindings."""

from __future__ import annotations

from functools import partial

from . import _vocabularies as words
from ._fields import SCHOOL, data_file
from ._types import ALWAYS, NEVER, ONLY_1_1, Collection, Derived, Field, Kind, Personal, Service, Version, Where

_file = partial(data_file, Service.GRADEBOOK)

V1_2 = Version.V1_2

GRADEBOOK_1_1 = ("gradebook.readonly",)
GRADEBOOK_1_2 = ("gradebook.readonly", "gradebook-core.readonly")
ASSESSMENT = ("assessment.readonly",)


def _core(path: str, wrapper: str, single: str) -> Collection:
    return Collection(path, wrapper, single, GRADEBOOK_1_1, GRADEBOOK_1_2)


CATEGORIES = _file(
    "categories",
    Field("title", required=ALWAYS),
    # A percentage; REST sends a float, a CSV cell accepts digits only.
    Field("weight", Kind.NUMBER, since=V1_2, csv_kind=Kind.INTEGER),
    collection=_core("/categories", "categories", "category"),
)

LINE_ITEMS = _file(
    "lineItems",
    Field("title", required=ALWAYS),
    Field("description", personal=Personal.TEXT),
    Field("assignDate", Kind.DATE, ALWAYS, rest_kind=Kind.DATETIME),
    Field("dueDate", Kind.DATE, ALWAYS, rest_kind=Kind.DATETIME),
    Field("classSourcedId", Kind.REF, ALWAYS, refers_to="classes"),
    Field("categorySourcedId", Kind.REF, ALWAYS, refers_to="categories"),
    Field(
        "academicSessionSourcedId",
        Kind.REF,
        ALWAYS,
        refers_to="academicSessions",
        where=Where("type", "gradingPeriod", ONLY_1_1),
        was="gradingPeriodSourcedId",
        rest=("academicSession", "gradingPeriod"),
    ),
    Field("resultValueMin", Kind.NUMBER, ONLY_1_1),  # inclusive
    Field("resultValueMax", Kind.NUMBER, ONLY_1_1),  # inclusive
    Field("schoolSourcedId", Kind.REF, ALWAYS, refers_to="orgs", where=SCHOOL, since=V1_2),
    Field("assignDateTime", Kind.DATETIME, rest=("assignDate",), csv=False),
    Field("dueDateTime", Kind.DATETIME, rest=("dueDate",), csv=False),
    collection=_core("/lineItems", "lineItems", "lineItem"),
    school="schoolSourcedId",
)

RESULTS = _file(
    "results",
    Field("lineItemSourcedId", Kind.REF, ALWAYS, refers_to="lineItems", personal=Personal.SCHEDULE),
    Field("studentSourcedId", Kind.REF, ALWAYS, refers_to="users", where=Where("role", "student")),
    Field("scoreStatus", Kind.WORD, ALWAYS, words=words.SCORE_STATUS, personal=Personal.PERFORMANCE),
    Field("score", Kind.NUMBER, ONLY_1_1, personal=Personal.PERFORMANCE),
    Field("scoreDate", Kind.DATE, ALWAYS, personal=Personal.PERFORMANCE),
    Field("comment", personal=Personal.TEXT),
    Field("textScore", since=V1_2, personal=Personal.PERFORMANCE),
    Field("classSourcedId", Kind.REF, refers_to="classes", since=V1_2, personal=Personal.SCHEDULE),
    Field("inProgress", Kind.TRUE_FALSE, since=V1_2, personal=Personal.PERFORMANCE),
    Field("incomplete", Kind.TRUE_FALSE, since=V1_2, personal=Personal.PERFORMANCE),
    Field("late", Kind.TRUE_FALSE, since=V1_2, personal=Personal.PERFORMANCE),
    Field("missing", Kind.TRUE_FALSE, since=V1_2, personal=Personal.PERFORMANCE),
    collection=_core("/results", "results", "result"),
)

SCORE_SCALES = _file(
    "scoreScales",
    Field("title", required=ALWAYS),
    Field("type", required=ALWAYS),
    Field("orgSourcedId", Kind.REF, ALWAYS, refers_to="orgs", rest=()),  # REST has no org
    Field("courseSourcedId", Kind.REF, ALWAYS, refers_to="courses"),
    Field("classSourcedId", Kind.REF, ALWAYS, refers_to="classes"),
    Field("scoreScaleValue", Kind.SCALE_VALUES, ALWAYS),
    collection=Collection("/scoreScales", "scoreScales", "scoreScale", (), GRADEBOOK_1_2),
    since=V1_2,
)

LINE_ITEM_SCORE_SCALES = _file(
    "lineItemScoreScales",
    Field("title"),
    Field("lineItemSourcedId", Kind.REF, ALWAYS, refers_to="lineItems"),
    Field("scoreScaleSourcedId", Kind.REF, ALWAYS, refers_to="scoreScales"),
    derived=Derived("lineItems", "scoreScale", ("lineItemSourcedId", "scoreScaleSourcedId")),
    since=V1_2,
)

RESULT_SCORE_SCALES = _file(
    "resultScoreScales",
    Field("title"),
    Field("resultSourcedId", Kind.REF, ALWAYS, refers_to="results"),
    Field("scoreScaleSourcedId", Kind.REF, ALWAYS, refers_to="scoreScales"),
    derived=Derived("results", "scoreScale", ("resultSourcedId", "scoreScaleSourcedId")),
    since=V1_2,
)

LINE_ITEM_OBJECTIVES = _file(
    "lineItemLearningObjectiveIds",
    Field("lineItemSourcedId", Kind.REF, ALWAYS, refers_to="lineItems"),
    Field("source", Kind.WORD, ALWAYS, words=words.OBJECTIVE_SOURCES),
    Field("learningObjectiveId", required=ALWAYS),  # urn:uuid:… if the source is case
    derived=Derived("lineItems", "learningObjectiveSet", ("lineItemSourcedId", "source", "learningObjectiveId")),
    since=V1_2,
)

RESULT_OBJECTIVES = _file(
    "resultLearningObjectiveIds",
    Field("resultSourcedId", Kind.REF, ALWAYS, refers_to="results"),
    Field("source", Kind.WORD, ALWAYS, words=words.OBJECTIVE_SOURCES, personal=Personal.PERFORMANCE),
    Field("learningObjectiveId", required=ALWAYS, personal=Personal.PERFORMANCE),
    Field("score", Kind.NUMBER, personal=Personal.PERFORMANCE),
    Field("textScore", personal=Personal.PERFORMANCE),
    derived=Derived("results", "learningObjectiveSet", ("resultSourcedId", "source", "learningObjectiveId")),
    since=V1_2,
)

ASSESSMENT_LINE_ITEMS = _file(
    "assessmentLineItems",
    Field("title", required=ALWAYS),
    Field("description", personal=Personal.TEXT),
    Field("classSourcedId", Kind.REF, refers_to="classes"),
    Field("parentAssessmentLineItemSourcedId", Kind.REF, refers_to="assessmentLineItems"),
    Field("scoreScaleSourcedId", Kind.REF, refers_to="scoreScales"),
    Field("resultValueMin", Kind.NUMBER),
    Field("resultValueMax", Kind.NUMBER),
    Field("learningObjectiveSet", Kind.OBJECTIVES),
    collection=Collection("/assessmentLineItems", "assessmentLineItems", "assessmentLineItem", (), ASSESSMENT),
    since=V1_2,
    csv=False,
)

ASSESSMENT_RESULTS = _file(
    "assessmentResults",
    Field("assessmentLineItemSourcedId", Kind.REF, ALWAYS, refers_to="assessmentLineItems", personal=Personal.SCHEDULE),
    Field("studentSourcedId", Kind.REF, ALWAYS, refers_to="users"),
    Field("score", Kind.NUMBER, NEVER, personal=Personal.PERFORMANCE),
    Field("textScore", personal=Personal.PERFORMANCE),
    Field("scoreDate", Kind.DATE, ALWAYS, personal=Personal.PERFORMANCE),
    Field("scoreScaleSourcedId", Kind.REF, refers_to="scoreScales", personal=Personal.PERFORMANCE),
    Field("scorePercentile", Kind.NUMBER, personal=Personal.PERFORMANCE),
    Field("scoreStatus", Kind.WORD, ALWAYS, words=words.SCORE_STATUS, personal=Personal.PERFORMANCE),
    Field("comment", personal=Personal.TEXT),
    Field("learningObjectiveSet", Kind.OBJECTIVE_SCORES, personal=Personal.PERFORMANCE),
    Field("inProgress", Kind.TRUE_FALSE, personal=Personal.PERFORMANCE),
    Field("incomplete", Kind.TRUE_FALSE, personal=Personal.PERFORMANCE),
    Field("late", Kind.TRUE_FALSE, personal=Personal.PERFORMANCE),
    Field("missing", Kind.TRUE_FALSE, personal=Personal.PERFORMANCE),
    collection=Collection("/assessmentResults", "assessmentResults", "assessmentResult", (), ASSESSMENT),
    since=V1_2,
    csv=False,
)
