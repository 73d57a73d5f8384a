"""Rostering: orgs, people, classes and sessions. Checked against the tables of the CSV and REST bindings."""

from __future__ import annotations

from functools import partial

from . import _vocabularies as words
from ._fields import LAST_MODIFIED, METADATA, SCHOOL, STATUS, data_file
from ._types import ALWAYS, Collection, Derived, Field, File, Kind, Service, Version, View, Where

_file = partial(data_file, Service.ROSTERING)

V1_1, V1_2 = Version.V1_1, Version.V1_2

CORE_1_1 = ("roster-core.readonly", "roster.readonly")
CORE_1_2 = ("roster.readonly", "roster-core.readonly")
DEMOGRAPHICS = ("roster-demographics.readonly",)


def _core(path: str, wrapper: str, single: str) -> Collection:
    return Collection(path, wrapper, single, CORE_1_1, CORE_1_2)


ACADEMIC_SESSIONS = _file(
    "academicSessions",
    Field("title", required=ALWAYS),
    Field("type", Kind.WORD, ALWAYS, words=words.SESSION_TYPES),
    Field("startDate", Kind.DATE, ALWAYS),  # inclusive
    Field("endDate", Kind.DATE, ALWAYS),  # exclusive
    Field("parentSourcedId", Kind.REF, refers_to="academicSessions"),
    Field("schoolYear", Kind.YEAR, ALWAYS),  # the year in which it ends
    Field("childSourcedIds", Kind.REFS, refers_to="academicSessions", rest=("children",), csv=False),
    collection=_core("/academicSessions", "academicSessions", "academicSession"),
    small=True,
)

CLASSES = _file(
    "classes",
    Field("title", required=ALWAYS),
    Field("grades", Kind.STRINGS),
    Field("courseSourcedId", Kind.REF, ALWAYS, refers_to="courses"),
    Field("classCode"),
    Field("classType", Kind.WORD, ALWAYS, words=words.CLASS_TYPES),
    Field("location"),
    Field("schoolSourcedId", Kind.REF, ALWAYS, refers_to="orgs", where=SCHOOL),
    Field("termSourcedIds", Kind.REFS, ALWAYS, refers_to="academicSessions"),
    Field("subjects", Kind.STRINGS),
    Field("subjectCodes", Kind.STRINGS, pairs_with="subjects"),
    Field("periods", Kind.STRINGS),
    collection=_core("/classes", "classes", "class"),
    school="schoolSourcedId",
    terms="termSourcedIds",
    small=True,
)

COURSES = _file(
    "courses",
    Field(
        "schoolYearSourcedId",
        Kind.REF,
        refers_to="academicSessions",
        where=Where("type", "schoolYear", extensible=True),
    ),
    Field("title", required=ALWAYS),
    Field("courseCode"),
    Field("grades", Kind.STRINGS),
    Field("orgSourcedId", Kind.REF, ALWAYS, refers_to="orgs"),
    Field("subjects", Kind.STRINGS),
    Field("subjectCodes", Kind.STRINGS, pairs_with="subjects"),
    collection=_core("/courses", "courses", "course"),
    school="orgSourcedId",
    small=True,
)

DEMOGRAPHICS_FILE = File(
    "demographics",
    Service.ROSTERING,
    (
        Field("sourcedId", Kind.REF, ALWAYS, refers_to="users", rest=("sourcedId",)),
        STATUS,
        LAST_MODIFIED,
        Field("birthDate", Kind.DATE),
        Field("sex", Kind.WORD, words=words.SEX),
        Field("americanIndianOrAlaskaNative", Kind.TRUE_FALSE),
        Field("asian", Kind.TRUE_FALSE),
        Field("blackOrAfricanAmerican", Kind.TRUE_FALSE),
        Field("nativeHawaiianOrOtherPacificIslander", Kind.TRUE_FALSE),
        Field("white", Kind.TRUE_FALSE),
        Field("demographicRaceTwoOrMoreRaces", Kind.TRUE_FALSE),
        Field("hispanicOrLatinoEthnicity", Kind.TRUE_FALSE),
        Field("countryOfBirthCode"),
        Field("stateOfBirthAbbreviation"),
        Field("cityOfBirth"),
        Field("publicSchoolResidenceStatus"),
        METADATA,
    ),
    Collection("/demographics", "demographics", "demographics", DEMOGRAPHICS, DEMOGRAPHICS),
)

ENROLLMENTS = _file(
    "enrollments",
    Field("classSourcedId", Kind.REF, ALWAYS, refers_to="classes"),
    Field("schoolSourcedId", Kind.REF, ALWAYS, refers_to="orgs", where=SCHOOL),
    Field("userSourcedId", Kind.REF, ALWAYS, refers_to="users"),
    Field("role", Kind.WORD, ALWAYS, words=words.ENROLLMENT_ROLES),
    Field("primary", Kind.TRUE_FALSE),  # for teachers only; one per class at a time
    Field("beginDate", Kind.DATE),  # inclusive
    Field("endDate", Kind.DATE),  # exclusive
    collection=_core("/enrollments", "enrollments", "enrollment"),
    school="schoolSourcedId",
    role="role",
    terms="classSourcedId",
)

ORGS = _file(
    "orgs",
    Field("name", required=ALWAYS),
    Field("type", Kind.WORD, ALWAYS, words=words.ORG_TYPES),
    Field("identifier"),
    Field("parentSourcedId", Kind.REF, refers_to="orgs"),
    Field("childSourcedIds", Kind.REFS, refers_to="orgs", rest=("children",), csv=False),
    collection=_core("/orgs", "orgs", "org"),
    small=True,
)

ROLES = _file(
    "roles",
    Field("userSourcedId", Kind.REF, ALWAYS, refers_to="users"),
    Field("roleType", Kind.WORD, ALWAYS, words=words.ROLE_TYPES),
    Field("role", Kind.WORD, ALWAYS, words=words.ROLES_1_2),
    Field("beginDate", Kind.DATE),  # inclusive
    Field("endDate", Kind.DATE),  # exclusive
    Field("orgSourcedId", Kind.REF, ALWAYS, refers_to="orgs"),
    Field(
        "userProfileSourcedId",
        Kind.REF,
        refers_to="userProfiles",
        where=Where("userSourcedId", same=True),
        rest=("userProfile",),
    ),
    derived=Derived("users", "roles", ("userSourcedId", "orgSourcedId", "role"), ordinal_by="beginDate"),
    since=V1_2,
    school="orgSourcedId",
    role="role",
)

USER_PROFILES = _file(
    "userProfiles",
    Field("userSourcedId", Kind.REF, ALWAYS, refers_to="users"),
    Field("profileType", required=ALWAYS),
    Field("vendorId", required=ALWAYS),
    Field("applicationId"),
    Field("description"),
    Field("credentialType", required=ALWAYS, rest=("type",)),
    Field("username", required=ALWAYS),
    Field("password", secret=True),
    Field("profileId", csv=False),  # a URI, unique within the user only
    derived=Derived("users", "userProfiles", ("userSourcedId", "profileId", "credentialType"), "username"),
    since=V1_2,
)

USERS = _file(
    "users",
    Field("enabledUser", Kind.TRUE_FALSE, ALWAYS),
    Field("orgSourcedIds", Kind.REFS, ALWAYS, refers_to="orgs", until=V1_1),
    Field("role", Kind.WORD, ALWAYS, words=words.USER_ROLES_1_1, until=V1_1),
    Field("username", required=ALWAYS),
    Field("userIds", Kind.USER_IDS),
    Field("givenName", required=ALWAYS),
    Field("familyName", required=ALWAYS),
    Field("middleName"),
    Field("identifier"),
    Field("email"),
    Field("sms"),
    Field("phone"),
    Field("agentSourcedIds", Kind.REFS, refers_to="users"),
    Field("grades", Kind.STRINGS, kind_1_1=Kind.STRING),
    Field("password", secret=True),
    Field("userMasterIdentifier", since=V1_2),
    Field("preferredGivenName", since=V1_2, rest=("preferredFirstName",)),
    Field("preferredMiddleName", since=V1_2),
    Field("preferredFamilyName", since=V1_2, rest=("preferredLastName",)),
    Field("primaryOrgSourcedId", Kind.REF, refers_to="orgs", since=V1_2),
    Field("pronouns", since=V1_2),
    collection=_core("/users", "users", "user"),
    school="orgSourcedIds",
    role="role",
)

VIEWS = (
    View(
        "gradingPeriods",
        "academicSessions",
        "type",
        "gradingPeriod",
        _core("/gradingPeriods", "academicSessions", "academicSession"),
    ),
    View("schools", "orgs", "type", "school", _core("/schools", "orgs", "org")),
    View("students", "users", "role", "student", _core("/students", "users", "user")),
    View("teachers", "users", "role", "teacher", _core("/teachers", "users", "user")),
    View("terms", "academicSessions", "type", "term", _core("/terms", "academicSessions", "academicSession")),
)
