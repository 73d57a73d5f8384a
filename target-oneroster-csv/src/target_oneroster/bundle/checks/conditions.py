"""SQL conditions for rules between columns and rows; true if a rule is broken."""

from __future__ import annotations

from ..._core.model import Version
from ..._core.sql import quoted

_STAYS = "\"status\" <> 'tobedeleted'"
"""False for rows of a delta that mark a deletion."""
_GRADES = "IT|PR|PK|TK|KG|0[1-9]|1[0-3]|PS|UG|Other"
CEDS = {
    "countryOfBirthCode": "[A-Z]{2}",
    "stateOfBirthAbbreviation": "[A-Z]{2}",
    "publicSchoolResidenceStatus": "0165[2-6]",
}
"""Codes that 1.1 takes from CEDS; 1.2 leaves them to an agreement between the parties."""
_UUID_URN = "urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def other(file: str, target: str, key: str, column: str) -> str:
    """Return a condition: `column` of the row that `key` refers to differs from this row's `own`; both are set."""
    theirs, mine = f"t.{quoted(column)}", f"f.{quoted(column)}"
    # A join is faster than EXISTS for each row.
    return (
        f'"sourcedId" IN (SELECT f."sourcedId" FROM {quoted(file)} f JOIN {quoted(target)} t '
        f"ON t.\"sourcedId\" = f.{quoted(key)} WHERE {theirs} <> '' AND {mine} <> '' AND {theirs} <> {mine})"
    )


def type_of(file: str, target: str, key: str, words: str) -> str:
    """Return a condition: the row that `key` refers to has one of these types."""
    return (
        f'EXISTS (SELECT 1 FROM {quoted(target)} t WHERE t."sourcedId" = {quoted(file)}.{quoted(key)} '
        f'AND t."type" IN ({words}))'
    )


def repeats(file: str, *columns: str) -> str:
    """Return a condition: a row with a smaller id that is not deleted has the same values in these columns."""
    names = ", ".join(quoted(c) for c in columns)
    # Only values that repeat are sorted; commonly there are none.
    several = f"SELECT {names} FROM {quoted(file)} WHERE {_STAYS} GROUP BY {names} HAVING count(*) > 1"
    return (
        f'"sourcedId" IN (SELECT "sourcedId" FROM (SELECT "sourcedId", '
        f'row_number() OVER (PARTITION BY {names} ORDER BY "sourcedId") AS n FROM {quoted(file)} '
        f"WHERE {_STAYS} AND ({names}) IN ({several})) WHERE n > 1)"
    )


def lengths_differ(one: str, other: str) -> str:
    """Return a condition: two lists of a row, both set, have different lengths."""
    return (
        f"{quoted(one)} <> '' AND {quoted(other)} <> '' AND "
        f"len(string_split({quoted(one)}, ',')) <> len(string_split({quoted(other)}, ','))"
    )


def not_of_ceds(column: str) -> str:
    """Return a condition: a code of demographics is not valid in 1.1."""
    return f"{quoted(column)} <> '' AND NOT regexp_full_match({quoted(column)}, '{CEDS[column]}')"


def role_disagrees(version: Version) -> str:
    """Return a condition: an enrollment is for a student or teacher, but its user only has other roles."""
    ours = "\"role\" IN ('student', 'teacher')"
    if version == Version.V1_1:
        return (
            '"sourcedId" IN (SELECT e."sourcedId" FROM enrollments e JOIN users u ON u."sourcedId" = e."userSourcedId" '
            f'WHERE e.{ours} AND u."role" <> e."role")'
        )
    # NOT IN over both columns takes half the time of an anti join; no cell is null.
    return f'{ours} AND ("userSourcedId", "role") NOT IN (SELECT "userSourcedId", "role" FROM roles)'


def _number(column: str, table: str = "") -> str:
    """Return SQL for the number of a cell; NULL for a blank one, because a cast that fails is slow."""
    return f"try_cast(nullif({table + '.' if table else ''}{quoted(column)}, '') AS DOUBLE)"


GRADES_NOT_OF_CEDS = f"\"grades\" <> '' AND NOT regexp_full_match(\"grades\", '({_GRADES})(,({_GRADES}))*')"
"""Condition: a grade is not a code of 1.1."""
SCALE_OF_OTHER_CLASS_OF_RESULT = (
    '"sourcedId" IN (SELECT x."sourcedId" FROM "resultScoreScales" x JOIN "scoreScales" s '
    'ON s."sourcedId" = x."scoreScaleSourcedId" JOIN results r ON r."sourcedId" = x."resultSourcedId" '
    'JOIN "lineItems" t ON t."sourcedId" = r."lineItemSourcedId" WHERE s."classSourcedId" <> t."classSourcedId")'
)
"""Condition: a result uses the score scale of another class than that of its line item."""
SCALE_OF_OTHER_CLASS = (
    '"sourcedId" IN (SELECT x."sourcedId" FROM "lineItemScoreScales" x JOIN "scoreScales" s '
    'ON s."sourcedId" = x."scoreScaleSourcedId" JOIN "lineItems" t ON t."sourcedId" = x."lineItemSourcedId" '
    'WHERE s."classSourcedId" <> t."classSourcedId")'
)
"""Condition: a line item uses the score scale of another class."""
SECOND_PRIMARY_TEACHER = (
    '"primary" = \'true\' AND "sourcedId" IN (SELECT a."sourcedId" FROM enrollments a JOIN enrollments b '
    'ON a."classSourcedId" = b."classSourcedId" AND a."sourcedId" <> b."sourcedId" '
    "AND a.\"primary\" = 'true' AND b.\"primary\" = 'true' AND a.\"role\" = 'teacher' AND b.\"role\" = 'teacher' "
    f"AND a.{_STAYS} AND b.{_STAYS} "
    'AND (a."endDate" = \'\' OR b."beginDate" < a."endDate") '
    'AND (b."endDate" = \'\' OR a."beginDate" < b."endDate"))'
)
"""Condition: two `primary` enrollments of teachers in one class overlap in time."""
BEGIN_AFTER_END = '"beginDate" <> \'\' AND "endDate" <> \'\' AND "beginDate" > "endDate"'
NOT_A_URN = f"\"source\" = 'case' AND NOT regexp_full_match(\"learningObjectiveId\", '{_UUID_URN}')"
OUT_OF_BOUNDS = (
    f'{_number("score")} IS NOT NULL AND EXISTS (SELECT 1 FROM "lineItems" t WHERE t."sourcedId" = '
    f'results."lineItemSourcedId" AND ({_number("resultValueMin", "t")} > {_number("score", "results")} '
    f"OR {_number('resultValueMax', 't')} < {_number('score', 'results')}))"
)
NOT_ENROLLED = (
    '"sourcedId" IN (SELECT r."sourcedId" FROM results r JOIN "lineItems" t ON t."sourcedId" = r."lineItemSourcedId" '
    'ANTI JOIN enrollments e ON e."classSourcedId" = t."classSourcedId" AND e."userSourcedId" = r."studentSourcedId")'
)
PRIMARY_ORG_WITHOUT_ROLE = (
    '"primaryOrgSourcedId" <> \'\' AND "sourcedId" IN (SELECT u."sourcedId" FROM users u ANTI JOIN roles r '
    'ON r."userSourcedId" = u."sourcedId" AND r."orgSourcedId" = u."primaryOrgSourcedId")'
)
