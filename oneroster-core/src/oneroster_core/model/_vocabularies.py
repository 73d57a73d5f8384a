"""The closed and the extensible word lists of the standard, each defined once."""

from __future__ import annotations

from ._types import Vocabulary

STATUS = Vocabulary(("active", "tobedeleted"))
SESSION_TYPES = Vocabulary(("gradingPeriod", "semester", "schoolYear", "term"), extensible=True)
ORG_TYPES = Vocabulary(("department", "school", "district", "local", "state", "national"), extensible=True)
CLASS_TYPES = Vocabulary(("homeroom", "scheduled"), extensible=True)

# The standard has three role vocabularies, not one (mapping.md, section 3.3).
ENROLLMENT_ROLES = Vocabulary(("administrator", "proctor", "student", "teacher"), extensible=True)
USER_ROLES_1_1 = Vocabulary(
    ("administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher")
)
RESOURCE_ROLES = Vocabulary(USER_ROLES_1_1.words, extensible=True)
ROLES_1_2 = Vocabulary(
    (
        "aide",
        "counselor",
        "districtAdministrator",
        "guardian",
        "parent",
        "principal",
        "proctor",
        "relative",
        "siteAdministrator",
        "student",
        "systemAdministrator",
        "teacher",
    ),
    extensible=True,
)
ROLE_TYPES = Vocabulary(("primary", "secondary"))

IMPORTANCE = Vocabulary(("primary", "secondary"))
SEX = Vocabulary(("male", "female"), added=("unspecified", "other"), extensible=True)
SCORE_STATUS = Vocabulary(("exempt", "fully graded", "not submitted", "partially graded", "submitted"), extensible=True)
OBJECTIVE_SOURCES = Vocabulary(("case", "unknown"), extensible=True)
