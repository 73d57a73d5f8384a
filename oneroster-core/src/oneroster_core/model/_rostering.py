"""Rostering: orgs, people, classes and sessions. Checked against the tables of the CSV and REST bindings."""

from __future__ import annotations

from functools import partial

from . import _vocabularies as words
from ._fields import LAST_MODIFIED, METADATA, SCHOOL, STATUS, data_file
from ._types import ALWAYS, Collection, Derived, Field, File, Kind, Personal, Service, Version, View, Where

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
    Field("location", personal=Personal.TEXT),
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
        Field("birthDate", Kind.DATE, personal=Personal.BIRTH),
        Field("sex", Kind.WORD, words=words.SEX, personal=Personal.DEMOGRAPHIC),
        Field("americanIndianOrAlaskaNative", Kind.TRUE_FALSE, personal=Personal.DEMOGRAPHIC),
        Field("asian", Kind.TRUE_FALSE, personal=Personal.DEMOGRAPHIC),
        Field("blackOrAfricanAmerican", Kind.TRUE_FALSE, personal=Personal.DEMOGRAPHIC),
        Field("nativeHawaiianOrOtherPacificIslander", Kind.TRUE_FALSE, personal=Personal.DEMOGRAPHIC),
        Field("white", Kind.TRUE_FALSE, personal=Personal.DEMOGRAPHIC),
        Field("demographicRaceTwoOrMoreRaces", Kind.TRUE_FALSE, personal=Personal.DEMOGRAPHIC),
        Field("hispanicOrLatinoEthnicity", Kind.TRUE_FALSE, personal=Personal.DEMOGRAPHIC),
        Field("countryOfBirthCode", personal=Personal.DEMOGRAPHIC),
        Field("stateOfBirthAbbreviation", personal=Personal.DEMOGRAPHIC),
        Field("cityOfBirth", personal=Personal.DEMOGRAPHIC),
        Field("publicSchoolResidenceStatus", personal=Personal.SPECIAL),
        METADATA,
    ),
    Collection("/demographics", "demographics", "demographics", DEMOGRAPHICS, DEMOGRAPHICS),
)

ENROLLMENTS = _file(
    "enrollments",
    Field("classSourcedId", Kind.REF, ALWAYS, refers_to="classes", personal=Personal.SCHEDULE),
    Field("schoolSourcedId", Kind.REF, ALWAYS, refers_to="orgs", where=SCHOOL, personal=Personal.SCHEDULE),
    Field("userSourcedId", Kind.REF, ALWAYS, refers_to="users"),
    Field("role", Kind.WORD, ALWAYS, words=words.ENROLLMENT_ROLES, personal=Personal.SCHEDULE),
    Field("primary", Kind.TRUE_FALSE, personal=Personal.SCHEDULE),  # for teachers only; one per class at a time
    Field("beginDate", Kind.DATE, personal=Personal.SCHEDULE),  # inclusive
    Field("endDate", Kind.DATE, personal=Personal.SCHEDULE),  # exclusive
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
    Field("roleType", Kind.WORD, ALWAYS, words=words.ROLE_TYPES, personal=Personal.SCHEDULE),
    Field("role", Kind.WORD, ALWAYS, words=words.ROLES_1_2, personal=Personal.SCHEDULE),
    Field("beginDate", Kind.DATE, personal=Personal.SCHEDULE),  # inclusive
    Field("endDate", Kind.DATE, personal=Personal.SCHEDULE),  # exclusive
    Field("orgSourcedId", Kind.REF, ALWAYS, refers_to="orgs", personal=Personal.SCHEDULE),
    Field(
        "userProfileSourcedId",
        Kind.REF,
        refers_to="userProfiles",
        where=Where("userSourcedId", same=True),
        rest=("userProfile",),
        personal=Personal.ACCOUNT,
    ),
    derived=Derived("users", "roles", ("userSourcedId", "orgSourcedId", "role"), ordinal_by="beginDate"),
    since=V1_2,
    school="orgSourcedId",
    role="role",
)

USER_PROFILES = _file(
    "userProfiles",
    Field("userSourcedId", Kind.REF, ALWAYS, refers_to="users"),
    Field("profileType", required=ALWAYS, personal=Personal.SCHEDULE),
    Field("vendorId", required=ALWAYS, personal=Personal.SCHEDULE),
    Field("applicationId", personal=Personal.SCHEDULE),
    Field("description", personal=Personal.TEXT),
    Field("credentialType", required=ALWAYS, rest=("type",), personal=Personal.SCHEDULE),
    Field("username", required=ALWAYS, personal=Personal.ACCOUNT),
    Field("password", secret=True, personal=Personal.ACCOUNT),
    Field("profileId", csv=False, personal=Personal.ACCOUNT),  # a URI, unique within the user only
    derived=Derived("users", "userProfiles", ("userSourcedId", "profileId", "credentialType"), "username"),
    since=V1_2,
)

USERS = _file(
    "users",
    Field("enabledUser", Kind.TRUE_FALSE, ALWAYS, personal=Personal.SCHEDULE),
    Field("orgSourcedIds", Kind.REFS, ALWAYS, refers_to="orgs", until=V1_1, personal=Personal.SCHEDULE),
    Field("role", Kind.WORD, ALWAYS, words=words.USER_ROLES_1_1, until=V1_1, personal=Personal.SCHEDULE),
    Field("username", required=ALWAYS, personal=Personal.ACCOUNT),
    Field("userIds", Kind.USER_IDS, personal=Personal.IDENTIFIER),
    Field("givenName", required=ALWAYS, personal=Personal.NAME),
    Field("familyName", required=ALWAYS, personal=Personal.NAME),
    Field("middleName", personal=Personal.NAME),
    Field("identifier", personal=Personal.IDENTIFIER),
    Field("email", personal=Personal.CONTACT),
    Field("sms", personal=Personal.CONTACT),
    Field("phone", personal=Personal.CONTACT),
    Field("agentSourcedIds", Kind.REFS, refers_to="users", personal=Personal.CONTACT),
    Field("grades", Kind.STRINGS, kind_1_1=Kind.STRING, personal=Personal.SCHEDULE),
    Field("password", secret=True, personal=Personal.ACCOUNT),
    Field("userMasterIdentifier", since=V1_2, personal=Personal.IDENTIFIER),
    Field("preferredGivenName", since=V1_2, rest=("preferredFirstName",), personal=Personal.NAME),
    Field("preferredMiddleName", since=V1_2, personal=Personal.NAME),
    Field("preferredFamilyName", since=V1_2, rest=("preferredLastName",), personal=Personal.NAME),
    Field("primaryOrgSourcedId", Kind.REF, refers_to="orgs", since=V1_2, personal=Personal.SCHEDULE),
    Field("pronouns", since=V1_2, personal=Personal.DEMOGRAPHIC),
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
