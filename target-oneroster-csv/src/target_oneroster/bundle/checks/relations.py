"""Rules between the columns of a row, and between rows."""

from __future__ import annotations

from dataclasses import dataclass

from ..._core.model import FILES, Version
from . import conditions as sql
from .findings import Severity

V1_1, V1_2 = Version.V1_1, Version.V1_2
ROW, VALUE, NOTE = Severity.ROW, Severity.VALUE, Severity.NOTE


@dataclass(frozen=True, slots=True)
class Relation:
    """One rule between columns or rows; it is skipped if one of the files in `needs` has no rows.

    It applies in those `versions` that have the file.
    """

    file: str
    severity: Severity
    field: str
    rule: str
    broken: str
    needs: tuple[str, ...] = ()
    versions: tuple[Version, ...] = (V1_1, V1_2)


def _differs(
    file: str, own: str, rule: str, target: str, key: str, versions: tuple[Version, ...] = (V1_1, V1_2)
) -> Relation:
    """Return the rule that a cell equals that of the row to which `key` refers."""
    return Relation(file, NOTE, own, rule, sql.other(file, target, key, own), (target,), versions)


def _twice(owner: str, *columns: str) -> Relation:
    """Return the rule that a class, course or user is given a resource once."""
    file, resource = f"{owner}Resources", "resourceSourcedId"
    broken = sql.repeats(file, f"{owner}SourcedId", *columns, resource)
    return Relation(file, NOTE, resource, f"is given to the {owner} twice", broken)


# The only relation that the model contains: lists that match by position.
_PAIRED = tuple(
    Relation(
        file.name,
        VALUE,
        field.name,
        f"has not as many elements as {field.pairs_with}",
        sql.lengths_differ(field.pairs_with, field.name),
    )
    for file in FILES
    for field in file.fields
    if field.pairs_with
)

_RULES: tuple[Relation, ...] = (
    *_PAIRED,
    *(
        Relation(name, NOTE, "grades", "holds a grade that is no code of CEDS", sql.GRADES_NOT_OF_CEDS, (), (V1_1,))
        for name in ("courses", "classes", "users")
    ),
    *(
        Relation("demographics", NOTE, column, "is no code of CEDS", sql.not_of_ceds(column), (), (V1_1,))
        for column in sql.CEDS
    ),
    Relation("academicSessions", ROW, "endDate", "is not after startDate", '"startDate" >= "endDate"'),
    Relation(
        "academicSessions",
        NOTE,
        "parentSourcedId",
        "of a grading period is not a term",
        "\"type\" = 'gradingPeriod' AND \"parentSourcedId\" <> '' AND NOT "
        + sql.type_of("academicSessions", "academicSessions", "parentSourcedId", "'term', 'semester'"),
    ),
    Relation("enrollments", NOTE, "endDate", "is before beginDate", sql.BEGIN_AFTER_END),
    _differs("enrollments", "schoolSourcedId", "is not the school of the class", "classes", "classSourcedId"),
    Relation("enrollments", NOTE, "role", "is not a role of the user", sql.role_disagrees(V1_1), ("users",), (V1_1,)),
    Relation("enrollments", NOTE, "role", "is not a role of the user", sql.role_disagrees(V1_2), ("roles",), (V1_2,)),
    Relation(
        "enrollments",
        VALUE,
        "primary",
        "is true for someone who is no teacher",
        "\"primary\" = 'true' AND \"role\" <> 'teacher'",
    ),
    Relation(
        "enrollments", VALUE, "primary", "is true for two teachers of a class at a time", sql.SECOND_PRIMARY_TEACHER
    ),
    Relation("roles", NOTE, "endDate", "is before beginDate", sql.BEGIN_AFTER_END),
    Relation(
        "roles",
        ROW,
        "roleType",
        "is primary a second time for one user and org",
        "\"roleType\" = 'primary' AND " + sql.repeats("roles", "userSourcedId", "orgSourcedId", "roleType"),
    ),
    Relation(
        "users",
        NOTE,
        "primaryOrgSourcedId",
        "is an org where the user has no role",
        sql.PRIMARY_ORG_WITHOUT_ROLE,
        ("roles",),
        (V1_2,),
    ),
    _twice("class"),
    _twice("course"),
    _twice("user", "orgSourcedId", "classSourcedId"),
    Relation(
        "lineItems",
        NOTE,
        "academicSessionSourcedId",
        "is a school year",
        sql.type_of("lineItems", "academicSessions", "academicSessionSourcedId", "'schoolYear'"),
        ("academicSessions",),
        (V1_2,),
    ),
    _differs("lineItems", "schoolSourcedId", "is not the school of the class", "classes", "classSourcedId", (V1_2,)),
    Relation(
        "results",
        NOTE,
        "studentSourcedId",
        "is not enrolled in the class of the line item",
        sql.NOT_ENROLLED,
        ("lineItems", "enrollments"),
    ),
    _differs(
        "results", "classSourcedId", "is not the class of the line item", "lineItems", "lineItemSourcedId", (V1_2,)
    ),
    Relation(
        "results", NOTE, "score", "lies outside of resultValueMin and resultValueMax", sql.OUT_OF_BOUNDS, ("lineItems",)
    ),
    _differs("scoreScales", "courseSourcedId", "is not the course of the class", "classes", "classSourcedId"),
    Relation(
        "lineItemScoreScales",
        NOTE,
        "scoreScaleSourcedId",
        "is a scale of another class",
        sql.SCALE_OF_OTHER_CLASS,
        ("lineItems", "scoreScales"),
    ),
    Relation(
        "resultScoreScales",
        NOTE,
        "scoreScaleSourcedId",
        "is a scale of another class",
        sql.SCALE_OF_OTHER_CLASS_OF_RESULT,
        ("results", "lineItems", "scoreScales"),
    ),
    *(
        Relation(name, ROW, "learningObjectiveId", "is not a UUID URN although the source is case", sql.NOT_A_URN)
        for name in ("lineItemLearningObjectiveIds", "resultLearningObjectiveIds")
    ),
)


def relations_of(file: str, version: Version) -> tuple[Relation, ...]:
    """Return the rules of one file in one version."""
    return tuple(rule for rule in _RULES if rule.file == file and version in rule.versions)
