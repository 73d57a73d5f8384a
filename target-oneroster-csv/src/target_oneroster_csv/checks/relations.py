# ruff: noqa: S608 - names in SQL come from this package; values never enter it
"""Rules that the tables of the model do not say: within a row, and between rows. SQL conditions, true where broken."""

from __future__ import annotations

from dataclasses import dataclass

from .._model import Version
from ..engine import quoted
from .findings import Severity

__all__ = ["Relation", "relations_of"]

V1_1, V1_2 = Version.V1_1, Version.V1_2
ROW, VALUE, NOTE = Severity.ROW, Severity.VALUE, Severity.NOTE

_UUID_URN = "urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


@dataclass(frozen=True, slots=True)
class Relation:
    """One rule between columns or rows; it is skipped where a file it `needs` has no rows."""

    file: str
    severity: Severity
    field: str
    rule: str
    broken: str
    needs: tuple[str, ...] = ()
    versions: tuple[Version, ...] = (V1_1, V1_2)


def _other(file: str, target: str, column: str, key: str, own: str) -> str:
    """The cell of the row that `key` points at differs from the row's own, both filled."""
    mine = f"{quoted(file)}.{quoted(own)}"
    return (
        f'EXISTS (SELECT 1 FROM {quoted(target)} t WHERE t."sourcedId" = {quoted(file)}.{quoted(key)} '
        f"AND t.{quoted(column)} <> '' AND {mine} <> '' AND t.{quoted(column)} <> {mine})"
    )


def _type_of(file: str, target: str, key: str, words: str) -> str:
    return (
        f'EXISTS (SELECT 1 FROM {quoted(target)} t WHERE t."sourcedId" = {quoted(file)}.{quoted(key)} '
        f'AND t."type" IN ({words}))'
    )


def _repeats(file: str, *columns: str) -> str:
    """Another row of the file, with a smaller id, holds the same in those columns."""
    names = ", ".join(quoted(c) for c in columns)
    return (
        f'"sourcedId" IN (SELECT "sourcedId" FROM (SELECT "sourcedId", '
        f'row_number() OVER (PARTITION BY {names} ORDER BY "sourcedId") AS n FROM {quoted(file)}) WHERE n > 1)'
    )


def _lengths_differ(one: str, other: str) -> str:
    return (
        f"{quoted(one)} <> '' AND {quoted(other)} <> '' AND "
        f"len(string_split({quoted(one)}, ',')) <> len(string_split({quoted(other)}, ','))"
    )


def _scale_of_other_class() -> str:
    return (
        '"sourcedId" IN (SELECT x."sourcedId" FROM "lineItemScoreScales" x JOIN "scoreScales" s '
        'ON s."sourcedId" = x."scoreScaleSourcedId" JOIN "lineItems" t ON t."sourcedId" = x."lineItemSourcedId" '
        'WHERE s."classSourcedId" <> t."classSourcedId")'
    )


def _scale_of_other_class_of_result() -> str:
    return (
        '"sourcedId" IN (SELECT x."sourcedId" FROM "resultScoreScales" x JOIN "scoreScales" s '
        'ON s."sourcedId" = x."scoreScaleSourcedId" JOIN results r ON r."sourcedId" = x."resultSourcedId" '
        'JOIN "lineItems" t ON t."sourcedId" = r."lineItemSourcedId" WHERE s."classSourcedId" <> t."classSourcedId")'
    )


def _second_primary_teacher() -> str:
    """`primary` enrollments of teachers whose class has another one at the same time."""
    return (
        '"primary" = \'true\' AND "sourcedId" IN (SELECT a."sourcedId" FROM enrollments a JOIN enrollments b '
        'ON a."classSourcedId" = b."classSourcedId" AND a."sourcedId" <> b."sourcedId" '
        "AND a.\"primary\" = 'true' AND b.\"primary\" = 'true' AND a.\"role\" = 'teacher' AND b.\"role\" = 'teacher' "
        'AND (a."endDate" = \'\' OR b."beginDate" < a."endDate") '
        'AND (b."endDate" = \'\' OR a."beginDate" < b."endDate"))'
    )


def _role_disagrees(version: Version) -> str:
    """An enrollment as student or teacher of a user who has other roles only."""
    ours = "e.\"role\" IN ('student', 'teacher')"
    if version is V1_1:
        found = (
            'FROM enrollments e JOIN users u ON u."sourcedId" = e."userSourcedId" '
            f'WHERE {ours} AND u."role" <> e."role"'
        )
    else:
        found = (
            'FROM enrollments e ANTI JOIN roles r ON r."userSourcedId" = e."userSourcedId" '
            f'AND r."role" = e."role" WHERE {ours}'
        )
    return f'"sourcedId" IN (SELECT e."sourcedId" {found})'


_BEGIN_AFTER_END = '"beginDate" <> \'\' AND "endDate" <> \'\' AND "beginDate" > "endDate"'
_NOT_A_URN = f"\"source\" = 'case' AND NOT regexp_full_match(\"learningObjectiveId\", '{_UUID_URN}')"
_OUT_OF_BOUNDS = (
    'try_cast("score" AS DOUBLE) IS NOT NULL AND EXISTS (SELECT 1 FROM "lineItems" t WHERE t."sourcedId" = '
    'results."lineItemSourcedId" AND (try_cast(t."resultValueMin" AS DOUBLE) > try_cast(results."score" AS DOUBLE) '
    'OR try_cast(t."resultValueMax" AS DOUBLE) < try_cast(results."score" AS DOUBLE)))'
)
_NOT_ENROLLED = (
    '"sourcedId" IN (SELECT r."sourcedId" FROM results r JOIN "lineItems" t ON t."sourcedId" = r."lineItemSourcedId" '
    'ANTI JOIN enrollments e ON e."classSourcedId" = t."classSourcedId" AND e."userSourcedId" = r."studentSourcedId")'
)
_PRIMARY_ORG_WITHOUT_ROLE = (
    '"primaryOrgSourcedId" <> \'\' AND "sourcedId" IN (SELECT u."sourcedId" FROM users u ANTI JOIN roles r '
    'ON r."userSourcedId" = u."sourcedId" AND r."orgSourcedId" = u."primaryOrgSourcedId")'
)
_NO_ROLE = '"sourcedId" NOT IN (SELECT "userSourcedId" FROM roles)'

_RULES: tuple[Relation, ...] = (
    Relation("academicSessions", ROW, "endDate", "is not after startDate", '"startDate" >= "endDate"'),
    Relation(
        "academicSessions",
        NOTE,
        "parentSourcedId",
        "of a grading period is not a term",
        "\"type\" = 'gradingPeriod' AND \"parentSourcedId\" <> '' AND NOT "
        + _type_of("academicSessions", "academicSessions", "parentSourcedId", "'term', 'semester'"),
    ),
    Relation(
        "classes",
        VALUE,
        "subjectCodes",
        "has not as many elements as subjects",
        _lengths_differ("subjects", "subjectCodes"),
    ),
    Relation(
        "courses",
        VALUE,
        "subjectCodes",
        "has not as many elements as subjects",
        _lengths_differ("subjects", "subjectCodes"),
    ),
    Relation("enrollments", NOTE, "endDate", "is before beginDate", _BEGIN_AFTER_END),
    Relation(
        "enrollments",
        NOTE,
        "schoolSourcedId",
        "is not the school of the class",
        _other("enrollments", "classes", "schoolSourcedId", "classSourcedId", "schoolSourcedId"),
        ("classes",),
    ),
    Relation("enrollments", NOTE, "role", "is not a role of the user", _role_disagrees(V1_1), ("users",), (V1_1,)),
    Relation("enrollments", NOTE, "role", "is not a role of the user", _role_disagrees(V1_2), ("roles",), (V1_2,)),
    Relation(
        "enrollments",
        VALUE,
        "primary",
        "is true for someone who is no teacher",
        "\"primary\" = 'true' AND \"role\" <> 'teacher'",
    ),
    Relation(
        "enrollments", VALUE, "primary", "is true for two teachers of a class at a time", _second_primary_teacher()
    ),
    Relation("roles", NOTE, "endDate", "is before beginDate", _BEGIN_AFTER_END, (), (V1_2,)),
    Relation(
        "roles",
        ROW,
        "roleType",
        "is primary a second time for one user and org",
        "\"roleType\" = 'primary' AND " + _repeats("roles", "userSourcedId", "orgSourcedId", "roleType"),
        (),
        (V1_2,),
    ),
    Relation("users", ROW, "sourcedId", "has no row in roles", _NO_ROLE, ("roles",), (V1_2,)),
    Relation(
        "users",
        NOTE,
        "primaryOrgSourcedId",
        "is an org where the user has no role",
        _PRIMARY_ORG_WITHOUT_ROLE,
        ("roles",),
        (V1_2,),
    ),
    Relation(
        "classResources",
        NOTE,
        "resourceSourcedId",
        "is given to the class twice",
        _repeats("classResources", "classSourcedId", "resourceSourcedId"),
    ),
    Relation(
        "courseResources",
        NOTE,
        "resourceSourcedId",
        "is given to the course twice",
        _repeats("courseResources", "courseSourcedId", "resourceSourcedId"),
    ),
    Relation(
        "userResources",
        NOTE,
        "resourceSourcedId",
        "is given to the user twice",
        _repeats("userResources", "userSourcedId", "orgSourcedId", "classSourcedId", "resourceSourcedId"),
        (),
        (V1_2,),
    ),
    Relation(
        "lineItems",
        NOTE,
        "academicSessionSourcedId",
        "is a school year",
        _type_of("lineItems", "academicSessions", "academicSessionSourcedId", "'schoolYear'"),
        ("academicSessions",),
        (V1_2,),
    ),
    Relation(
        "lineItems",
        NOTE,
        "schoolSourcedId",
        "is not the school of the class",
        _other("lineItems", "classes", "schoolSourcedId", "classSourcedId", "schoolSourcedId"),
        ("classes",),
        (V1_2,),
    ),
    Relation(
        "results",
        NOTE,
        "studentSourcedId",
        "is not enrolled in the class of the line item",
        _NOT_ENROLLED,
        ("lineItems", "enrollments"),
    ),
    Relation(
        "results",
        NOTE,
        "classSourcedId",
        "is not the class of the line item",
        _other("results", "lineItems", "classSourcedId", "lineItemSourcedId", "classSourcedId"),
        ("lineItems",),
        (V1_2,),
    ),
    Relation(
        "results", NOTE, "score", "lies outside of resultValueMin and resultValueMax", _OUT_OF_BOUNDS, ("lineItems",)
    ),
    Relation(
        "scoreScales",
        NOTE,
        "courseSourcedId",
        "is not the course of the class",
        _other("scoreScales", "classes", "courseSourcedId", "classSourcedId", "courseSourcedId"),
        ("classes",),
        (V1_2,),
    ),
    Relation(
        "lineItemScoreScales",
        NOTE,
        "scoreScaleSourcedId",
        "is a scale of another class",
        _scale_of_other_class(),
        ("lineItems", "scoreScales"),
        (V1_2,),
    ),
    Relation(
        "resultScoreScales",
        NOTE,
        "scoreScaleSourcedId",
        "is a scale of another class",
        _scale_of_other_class_of_result(),
        ("results", "lineItems", "scoreScales"),
        (V1_2,),
    ),
    Relation(
        "lineItemLearningObjectiveIds",
        ROW,
        "learningObjectiveId",
        "is not a UUID URN although the source is case",
        _NOT_A_URN,
        (),
        (V1_2,),
    ),
    Relation(
        "resultLearningObjectiveIds",
        ROW,
        "learningObjectiveId",
        "is not a UUID URN although the source is case",
        _NOT_A_URN,
        (),
        (V1_2,),
    ),
)


def relations_of(file: str, version: Version) -> tuple[Relation, ...]:
    """Rules of one file in one version."""
    return tuple(rule for rule in _RULES if rule.file == file and version in rule.versions)
