"""Every rule has a district that breaks it: the rule is found, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster.errors import TargetError

from .mini import UUID, Rows, lines, row, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Place

Change = "Callable[[Rows], Any]"


def put(file: str, source_id: str, **cells: Any) -> Callable[[Rows], Any]:
    return lambda d: row(d, file, source_id).update(cells)


def add(file: str, source_id: str, like: str, **cells: Any) -> Callable[[Rows], Any]:
    return lambda d: d[file].append(row(d, file, like) | {"sourcedId": source_id} | cells)


def both(*changes: Callable[[Rows], Any]) -> Callable[[Rows], Any]:
    return lambda d: [change(d) for change in changes]


EMPTY = "a required cell is empty"
NO_WORD = "is not a word of the vocabulary"
NO_DATE = "is not a date (YYYY-MM-DD)"


def different(file: str) -> set[tuple[str, str, str]]:
    return {
        (
            "row",
            f"{file}.sourcedId",
            "different records under one id",
        )
    }


def only(file: str) -> Callable[[Rows], Any]:
    return lambda d: [d.pop(name) for name in list(d) if name != file]


def absent(*files: str) -> set[tuple[str, str, str]]:
    return {("note", f"{file}.", "is absent, and importers of rosters want it") for file in files}


def gone(target: str) -> str:
    return f"names a row that is not in {target}"


# Name, version, change, then what must be found: severity, column, rule.
CASES: list[tuple[str, str, Callable[[Rows], Any], set[tuple[str, str, str]]]] = [
    ("required text", "1.2", put("lineItemLearningObjectiveIds", "lo", learningObjectiveId=None, source="unknown"), {("row", "lineItemLearningObjectiveIds.learningObjectiveId", EMPTY)}),
    ("required word", "1.2", put("classes", "k2", classType=None), {("row", "classes.classType", EMPTY)}),
    ("required score of 1.1", "1.1", put("results", "x1", score=None), {("row", "results.score", EMPTY)}),
    ("id with a blank", "1.2", put("categories", "cat", sourcedId="c at"), {
        ("row", "categories.sourcedId", "is not an id (1 to 255 of letters, digits and . - _ / @)"),
        ("row", "lineItems.categorySourcedId", gone("categories")),
        *{("row", f"{file}.{column}", gone(target)) for file, column, target in (
            ("results", "lineItemSourcedId", "lineItems"), ("lineItemScoreScales", "lineItemSourcedId", "lineItems"),
            ("lineItemLearningObjectiveIds", "lineItemSourcedId", "lineItems"),
            ("resultScoreScales", "resultSourcedId", "results"), ("resultLearningObjectiveIds", "resultSourcedId", "results"),
        )},
    }),
    ("word of no vocabulary", "1.2", put("enrollments", "e2", role="aide"), {("row", "enrollments.role", NO_WORD)}),
    ("extension in 1.1", "1.1", put("classes", "k2", classType="ext:club"), {("row", "classes.classType", NO_WORD)}),
    ("optional word", "1.2", put("resources", "b1", importance="vital"), {("value", "resources.importance", NO_WORD)}),
    ("list of words", "1.2", put("resources", "b1", roles=["student", "pupil"]), {("value", "resources.roles", "holds a word that is not of the vocabulary")}),
    ("day that is none", "1.2", put("enrollments", "e1", beginDate="2025-02-30"), {("value", "enrollments.beginDate", NO_DATE)}),
    ("required day", "1.2", put("results", "x1", scoreDate="9/9/2025"), {
        ("row", "results.scoreDate", NO_DATE), ("row", "resultScoreScales.resultSourcedId", gone("results")),
        ("row", "resultLearningObjectiveIds.resultSourcedId", gone("results")),
    }),
    ("year", "1.2", put("academicSessions", "g1", schoolYear="26"), {
        ("row", "academicSessions.schoolYear", "is not a year (YYYY)"), ("row", "lineItems.academicSessionSourcedId", gone("academicSessions")),
        *{("row", f"{file}.{column}", gone(target)) for file, column, target in (
            ("results", "lineItemSourcedId", "lineItems"), ("lineItemScoreScales", "lineItemSourcedId", "lineItems"),
            ("lineItemLearningObjectiveIds", "lineItemSourcedId", "lineItems"),
            ("resultScoreScales", "resultSourcedId", "results"), ("resultLearningObjectiveIds", "resultSourcedId", "results"),
        )},
    }),
    ("user ids", "1.2", put("users", "u1", userIds=[{"type": None, "identifier": "x"}]), {("value", "users.userIds", "holds an element that is not {type:identifier}")}),
    ("scale values", "1.2", put("scoreScales", "sc", scoreScaleValue=[{"itemValueLHS": None, "itemValueRHS": "9"}]), {
        ("row", "scoreScales.scoreScaleValue", "holds an element that is not {left:right}"),
        ("row", "lineItemScoreScales.scoreScaleSourcedId", gone("scoreScales")), ("row", "resultScoreScales.scoreScaleSourcedId", gone("scoreScales")),
    }),
    ("session that ends before it starts", "1.2", add("academicSessions", "t9", "t1", endDate="2025-01-01"), {("row", "academicSessions.endDate", "is not after startDate")}),
    ("grading period below a year", "1.2", put("academicSessions", "g1", parentSourcedId="y"), {("note", "academicSessions.parentSourcedId", "of a grading period is not a term")}),
    ("parent that is not there", "1.2", put("orgs", "s1", parentSourcedId="d9"), {("value", "orgs.parentSourcedId", "names a row that is not in orgs")}),
    ("circle of orgs", "1.2", put("orgs", "d1", parentSourcedId="s1"), {("value", "orgs.parentSourcedId", "is part of a circle")}),
    ("org that is its own parent", "1.2", put("orgs", "d1", parentSourcedId="d1"), {("value", "orgs.parentSourcedId", "is part of a circle")}),
    ("circle of sessions", "1.2", put("academicSessions", "y", parentSourcedId="t1"), {("value", "academicSessions.parentSourcedId", "is part of a circle")}),
    ("course of a year that is none", "1.2", put("courses", "c1", schoolYearSourcedId="t1"), {("value", "courses.schoolYearSourcedId", "names a row of academicSessions whose type is not schoolYear")}),
    ("lists of two lengths", "1.2", put("courses", "c1", subjectCodes=["05"]), {("value", "courses.subjectCodes", "has not as many elements as subjects")}),
    ("lists of two lengths in a class", "1.2", put("classes", "k1", subjects=["Art"], subjectCodes=["05", "06"]), {("value", "classes.subjectCodes", "has not as many elements as subjects")}),
    ("class at a district", "1.2", put("classes", "k2", schoolSourcedId="d1"), {("row", "classes.schoolSourcedId", "names a row of orgs whose type is not school")}),
    ("class without its course", "1.2", put("classes", "k2", courseSourcedId="c9"), {("row", "classes.courseSourcedId", gone("courses"))}),
    ("term that is not there", "1.2", put("classes", "k2", termSourcedIds=["t1", "t9"]), {("value", "classes.termSourcedIds", "holds an id that is not in academicSessions")}),
    ("no term that is there", "1.2", put("classes", "k2", termSourcedIds=["t9"]), {
        ("value", "classes.termSourcedIds", "holds an id that is not in academicSessions"),
        ("row", "classes.termSourcedIds", "names no row that is in academicSessions"),
    }),
    ("enrollment without its user", "1.2", put("enrollments", "e1", userSourcedId="u9"), {("row", "enrollments.userSourcedId", gone("users")), ("note", "results.studentSourcedId", "is not enrolled in the class of the line item")}),
    ("enrollment without its class", "1.1", put("enrollments", "e2", classSourcedId="k9"), {("row", "enrollments.classSourcedId", gone("classes"))}),
    ("enrollment at another school", "1.2", both(add("orgs", "s2", "s1"), put("enrollments", "e2", schoolSourcedId="s2")), {("note", "enrollments.schoolSourcedId", "is not the school of the class")}),
    ("enrollment that ends first", "1.2", put("enrollments", "e2", endDate="2025-01-01"), {("note", "enrollments.endDate", "is before beginDate")}),
    ("role the user has not", "1.2", add("enrollments", "e3", "e1", userSourcedId="u3"), {("note", "enrollments.role", "is not a role of the user")}),
    ("role the user has not, 1.1", "1.1", add("enrollments", "e3", "e1", userSourcedId="u3"), {("note", "enrollments.role", "is not a role of the user")}),
    ("primary student", "1.2", put("enrollments", "e1", primary=True), {("value", "enrollments.primary", "is true for someone who is no teacher")}),
    ("two primary teachers", "1.2", add("enrollments", "e3", "e2"), {("value", "enrollments.primary", "is true for two teachers of a class at a time")}),
    ("guardian who is not there", "1.2", put("users", "u1", agentSourcedIds=["u3", "u9"]), {("value", "users.agentSourcedIds", "holds an id that is not in users, or the row's own")}),
    ("own guardian", "1.2", put("users", "u1", agentSourcedIds=["u1"]), {("value", "users.agentSourcedIds", "holds an id that is not in users, or the row's own")}),
    ("orgs of a user, 1.1", "1.1", put("users", "u3", orgSourcedIds=["s9"]), {
        ("value", "users.orgSourcedIds", "holds an id that is not in orgs"), ("row", "users.orgSourcedIds", "names no row that is in orgs"),
        ("value", "users.agentSourcedIds", "holds an id that is not in users, or the row's own"),
    }),
    ("primary org", "1.2", put("users", "u1", primaryOrgSourcedId="d1"), {("note", "users.primaryOrgSourcedId", "is an org where the user has no role")}),
    ("primary org that is not there", "1.2", put("users", "u1", primaryOrgSourcedId="d9"), {("value", "users.primaryOrgSourcedId", gone("orgs"))}),
    ("user without a role", "1.2", add("users", "u4", "u2", username="x"), {("row", "users.sourcedId", "has no row in roles")}),
    ("two primary roles", "1.2", add("roles", "r4", "r2", role="aide", userProfileSourcedId=None), {("row", "roles.roleType", "is primary a second time for one user and org")}),
    ("role of nobody", "1.2", add("roles", "r4", "r1", userSourcedId="u9"), {("row", "roles.userSourcedId", gone("users"))}),
    ("role that ends first", "1.2", put("roles", "r1", beginDate="2026-01-01", endDate="2025-01-01"), {("note", "roles.endDate", "is before beginDate")}),
    ("profile of another user", "1.2", put("roles", "r1", userProfileSourcedId="p2"), {("value", "roles.userProfileSourcedId", "names a row of userProfiles with another userSourcedId")}),
    ("profile that is not there", "1.2", put("roles", "r1", userProfileSourcedId="p9"), {("value", "roles.userProfileSourcedId", gone("userProfiles"))}),
    ("demographics of nobody", "1.2", add("demographics", "u9", "u1"), {("row", "demographics.sourcedId", gone("users"))}),
    ("sex of 1.1", "1.1", put("demographics", "u1", sex="x"), {("value", "demographics.sex", NO_WORD)}),
    ("line item in a school year", "1.2", put("lineItems", "l1", academicSessionSourcedId="y"), {("note", "lineItems.academicSessionSourcedId", "is a school year")}),
    ("line item in a term, 1.1", "1.1", put("lineItems", "l1", academicSessionSourcedId="t1"), {
        ("row", "lineItems.academicSessionSourcedId", "names a row of academicSessions whose type is not gradingPeriod"), ("row", "results.lineItemSourcedId", gone("lineItems")),
    }),
    ("line item at another school", "1.2", both(add("orgs", "s2", "s1"), put("lineItems", "l1", schoolSourcedId="s2")), {("note", "lineItems.schoolSourcedId", "is not the school of the class")}),
    ("result of a teacher", "1.2", add("results", "x2", "x1", studentSourcedId="u2"), {("row", "results.studentSourcedId", "names a row of users whose role is not student")}),
    ("result of a teacher, 1.1", "1.1", add("results", "x2", "x1", studentSourcedId="u2"), {("row", "results.studentSourcedId", "names a row of users whose role is not student")}),
    ("result outside of its bounds", "1.2", put("results", "x1", score=101.0), {("note", "results.score", "lies outside of resultValueMin and resultValueMax")}),
    ("result of another class", "1.2", put("results", "x1", classSourcedId="k2"), {("note", "results.classSourcedId", "is not the class of the line item")}),
    ("scale of another course", "1.2", both(add("courses", "c2", "c1"), put("scoreScales", "sc", courseSourcedId="c2")), {("note", "scoreScales.courseSourcedId", "is not the course of the class")}),
    ("scale of another class", "1.2", put("scoreScales", "sc", classSourcedId="k2"), {
        ("note", "lineItemScoreScales.scoreScaleSourcedId", "is a scale of another class"), ("note", "resultScoreScales.scoreScaleSourcedId", "is a scale of another class"),
    }),
    ("objective that is no URN", "1.2", put("lineItemLearningObjectiveIds", "lo", learningObjectiveId="math-1"), {("row", "lineItemLearningObjectiveIds.learningObjectiveId", "is not a UUID URN although the source is case")}),
    ("objective of a result that is no URN", "1.2", put("resultLearningObjectiveIds", "xo", source="case"), {("row", "resultLearningObjectiveIds.learningObjectiveId", "is not a UUID URN although the source is case")}),
    ("resource twice for a class", "1.2", add("classResources", "kb2", "kb"), {("note", "classResources.resourceSourcedId", "is given to the class twice")}),
    ("resource twice for a course", "1.2", add("courseResources", "cb2", "cb"), {("note", "courseResources.resourceSourcedId", "is given to the course twice")}),
    ("resource twice for a user", "1.2", add("userResources", "ub2", "ub"), {("note", "userResources.resourceSourcedId", "is given to the user twice")}),
    ("two people under one id", "1.1", add("users", "u2", "u1"), different("users") | {("row", "enrollments.userSourcedId", "names a row that is not in users")}),
    ("two seats under one id", "1.2", add("enrollments", "e1", "e2"), different("enrollments") | {("note", "results.studentSourcedId", "is not enrolled in the class of the line item")}),
    ("nothing but orgs", "1.2", only("orgs"), absent("academicSessions", "courses", "classes", "users", "enrollments")),
    ("nothing but sessions", "1.1", only("academicSessions"), absent("orgs", "courses", "classes", "users", "enrollments")),
    ("no roles at all", "1.2", lambda d: d.pop("roles"), {("stop", "users.sourcedId", "no user has a role: neither roles nor users.role came")}),
]  # fmt: skip


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_valid_district_has_no_findings(place: Place, version: str) -> None:
    """The district all cases start from breaks no rule."""
    place.run(lines(rows(version)), oneroster_version=version)
    assert place.findings() == set()


@pytest.mark.parametrize(
    ("version", "change", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_broken_rule_is_found_and_nothing_else(
    place: Place, version: str, change: Callable[[Rows], Any], expected: set[tuple[str, str, str]]
) -> None:
    """One change, and the findings that follow from it, and no other."""
    district = rows(version)
    change(district)
    fatal = any(severity in ("stop", "row") for severity, _, _ in expected)
    if fatal:
        with pytest.raises(TargetError):
            place.run(lines(district), oneroster_version=version)
        assert place.files() == {}
    else:
        place.run(lines(district), oneroster_version=version)
    assert place.findings() == expected


def test_uuid_is_written_as_urn(place: Place) -> None:
    """REST carries bare UUIDs, a bundle URNs: that is a conversion, not a fault."""
    district = rows()
    row(district, "lineItemLearningObjectiveIds", "lo")["learningObjectiveId"] = UUID
    place.run(lines(district))
    assert place.rows("lineItemLearningObjectiveIds")[0]["learningObjectiveId"] == f"urn:uuid:{UUID}"
