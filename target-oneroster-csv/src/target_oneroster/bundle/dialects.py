"""Dialects: what some consumers want written in another way than the standard. Data only.

Sources, read on 2026-11-30. SDS: learn.microsoft.com/schooldatasync (file format V2.1, validation rules, default list of values)
and the samples "SDS v2.1" of OfficeDev/O365-EDU-Tools. Apple: support.apple.com/guide/apple-school-manager (axm46d50f6bf and the
five OneRoster templates). HMH: downloads.hmlt.hmco.com (About OneRoster Template Files, and the page of each file).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .._core.model import Version
from .manifest import BUNDLE_FILES


@dataclass(frozen=True, slots=True)
class Output:
    """One file of a dialect with headers of its own."""

    columns: Mapping[str, str]
    """For each header the SQL of its cell, over the rows `x`."""
    rows: str
    """The FROM clause."""
    distinct: bool = False
    """True if equal rows are written once, since their ids are not written. Other rows are ordered by id."""
    school: str = ""
    """SQL of a row's school in the written file `x`, for the comparison with the bundle that is replaced."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a consumer cannot hold: cells that are set, or rows that are left out. Each is counted under `rule`."""

    rule: str
    table: str
    where: str
    set: str = ""
    """Empty if the rows are left out."""
    needs: str = ""
    """Another table that `where` reads."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the bundle of one consumer differs from the standard's."""

    name: str
    title: str
    version: Version
    """Version to which the records are converted first."""
    files: tuple[str, ...]
    """Files that are written; those of `outputs` have headers of their own, the others the standard's."""
    outputs: Mapping[str, Output] = field(default_factory=dict)
    header_only: frozenset[str] = frozenset()
    """Files of which only the header is written."""
    always: bool = False
    """True if every file is written, also without rows."""
    cell: str = "cell(x)"
    """SQL of the text of a cell `x`."""
    line_end: str = "\r\n"
    escape: str = '"'
    """What stands before a quotation mark in a quoted cell."""
    manifest: bool = False
    changes: tuple[Change, ...] = ()
    ids: str = ""
    """Regular expression of the ids that the consumer takes; others are reported."""


def _same(*names: str, **others: str) -> dict[str, str]:
    """Return columns that are written as they are, and others by their SQL."""
    return {name: f'x."{name}"' for name in names} | others


_WORDS = {
    "administrator": ("districtAdministrator", "siteAdministrator", "systemAdministrator", "administrator"),
    "assistant": ("aide",),
    "advisor": ("counselor",),
    "principal": ("principal",),
    "proctor": ("proctor",),
    "student": ("student",),
    "teacher": ("teacher",),
}
"""Roles of SDS, and the standard's words for each."""
RELATIVE_WORDS = "('guardian', 'parent', 'relative')"
_SDS_ROLE = (
    'CASE x."role" '
    + " ".join(f"WHEN '{word}' THEN '{theirs}'" for theirs, words in _WORDS.items() for word in words)
    + " ELSE 'other' END"
)
_RACES = ("americanIndianOrAlaskaNative", "asian", "blackOrAfricanAmerican", "nativeHawaiianOrOtherPacificIslander",
          "white", "demographicRaceTwoOrMoreRaces")  # fmt: skip

_SDS = Dialect(
    name="sds_v2_1",
    title="Microsoft School Data Sync, V2.1",
    version=Version.V1_2,
    files=("orgs", "users", "roles", "academicSessions", "courses", "classes", "enrollments", "demographics", "relationships"),
    outputs={
        "orgs": Output(_same("sourcedId", "name", "type", "parentSourcedId"), "orgs x"),
        "users": Output(
            _same("sourcedId", "username", "givenName", "familyName", "password")
            | {"activeDirectoryMatchId": "''", "email": 'lower(x."email")', "phone": 'x."phone"', "sms": 'x."sms"'},
            "users x",
        ),
        "roles": Output(
            _same("userSourcedId", "orgSourcedId")
            | {
                "role": _SDS_ROLE,
                "sessionSourcedId": "''",
                "grade": "CASE x.\"role\" WHEN 'student' THEN split_part(coalesce(u.\"grades\", ''), ',', 1) ELSE '' END",
                "isPrimary": "CASE x.\"roleType\" WHEN 'primary' THEN 'true' ELSE 'false' END",
                "roleStartDate": 'x."beginDate"',
                "roleEndDate": 'x."endDate"',
            },
            'roles x LEFT JOIN users u ON u."sourcedId" = x."userSourcedId"',
            distinct=True,
            school='x."orgSourcedId"',
        ),
        "academicSessions": Output(
            _same("sourcedId", "title", "type", "schoolYear", "startDate", "endDate"), "\"academicSessions\" x"
        ),
        "courses": Output(
            _same("sourcedId", "orgSourcedId", "title")
            | {
                "code": 'x."courseCode"',
                "schoolYearSourcedId": 'x."schoolYearSourcedId"',
                "subject": "''",
                "grade": "split_part(x.\"grades\", ',', 1)",
            },
            "courses x",
            school='x."orgSourcedId"',
        ),
        "classes": Output(
            {
                "sourcedId": 'x."sourcedId"',
                "orgSourcedId": 'x."schoolSourcedId"',
                "title": 'x."title"',
                "sessionSourcedIds": 'x."termSourcedIds"',
                "courseSourcedId": 'x."courseSourcedId"',
            },
            "classes x",
            school='x."orgSourcedId"',
        ),
        "enrollments": Output(
            _same("classSourcedId", "userSourcedId") | {"role": _SDS_ROLE},
            "enrollments x",
            distinct=True,
            school='(SELECT c."orgSourcedId" FROM {classes} c WHERE c."sourcedId" = x."classSourcedId")',
        ),
        "demographics": Output(
            {
                "userSourcedId": 'x."sourcedId"',
                "sex": 'x."sex"',
                "birthDate": 'x."birthDate"',
                "birthCity": 'x."cityOfBirth"',
                "birthState": 'x."stateOfBirthAbbreviation"',
                "birthCountry": 'x."countryOfBirthCode"',
                "ethnicityCodes": "CASE x.\"hispanicOrLatinoEthnicity\" WHEN 'true' THEN 'hispanicOrLatinoEthnicity' ELSE '' END",
                "raceCodes": "concat_ws(',', "
                + ", ".join(f"CASE x.\"{race}\" WHEN 'true' THEN '{race}' END" for race in _RACES)
                + ")",
            },
            "demographics x",
        ),
        "relationships": Output(
            {
                "userSourcedId": 'x."sourcedId"',
                "relationshipUserSourcedId": 'x."agent"',
                "relationshipRole": 'r."role"',
            },
            "(SELECT \"sourcedId\", unnest(string_split(\"agentSourcedIds\", ',')) AS agent FROM users WHERE \"agentSourcedIds\" <> '') x "
            'JOIN "relatives" r ON r."userSourcedId" = x."agent"',
            distinct=True,
        ),
    },
)  # fmt: skip

_APPLE = Dialect(
    name="apple",
    title="Apple School Manager",
    version=Version.V1_1,
    files=("orgs", "users", "courses", "classes", "enrollments"),
    always=True,
    cell="CASE WHEN contains(x, ' ') OR contains(x, ',') THEN '\"' || replace(replace(x, '\\', '\\\\'), '\"', '\\\"') || '\"' "
    "ELSE replace(replace(x, '\\', '\\\\'), '\"', '\\\"') END",
    line_end="\n",
    escape="\\",
    changes=(
        Change("users.role: staff written as teacher", "users", "\"role\" IN ('administrator', 'aide', 'proctor')", "\"role\" = 'teacher'"),
        Change("users: neither students nor staff, left out", "users", "\"role\" NOT IN ('student', 'teacher')"),
        Change("users.agentSourcedIds: left out with the relatives", "users", "\"agentSourcedIds\" <> ''", "\"agentSourcedIds\" = ''"),
        Change("enrollments: neither student nor teacher, left out", "enrollments", "\"role\" NOT IN ('student', 'teacher')"),
        Change("enrollments: left out with their users", "enrollments", '"userSourcedId" NOT IN (SELECT "sourcedId" FROM users)', needs="users"),
        Change("orgs.type: neither district nor school, left out", "orgs", "\"type\" NOT IN ('district', 'school', '')", "\"type\" = ''"),
    ),
    ids="[A-Za-z0-9-]+",
)  # fmt: skip

_HMH = Dialect(
    name="hmh",
    title="HMH Ed",
    version=Version.V1_1,
    files=("academicSessions", "classes", "courses", "demographics", "enrollments", "orgs", "users"),
    header_only=frozenset({"academicSessions", "courses", "demographics"}),
    always=True,
    cell="'\"' || replace(x, '\"', '\"\"') || '\"'",
    manifest=True,
)

DIALECTS = {dialect.name: dialect for dialect in (_APPLE, _HMH, _SDS)}
"""The consumers whose dialect differs from the standard, by the word of the setting `consumer`."""
WRITTEN_FILES = (*BUNDLE_FILES, "relationships.csv")
"""Names of the files that the target may have written at its output."""
RELATIVES = f'SELECT "userSourcedId", min("role") AS "role" FROM roles WHERE "role" IN {RELATIVE_WORDS} GROUP BY 1'
"""SDS has no roles for relatives: who they are stands in relationships."""
