"""A small district that every consumer accepts, and for each rule of a profile the ways to break it, made from its kind."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from oneroster_audit.consumers.kinds import (
    CountBetween,
    Files,
    Forbids,
    Length,
    OneOf,
    Pattern,
    References,
    Required,
    Unique,
    UniqueAcross,
)

from tests.audit.nights import district, enroll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oneroster_audit.consumers.kinds import Rule
    from oneroster_audit.consumers.profiles import Profile

    from tests.audit.nights import District

CONTENT: dict[str, Any] = {r"[\r\n]": "a\nb", r"^\s+$": "  ", ":": {"k": "v"}}
"""For each expression that is forbidden a value that it finds."""
STUDENT = "s1-p0"


def tidy(profile: Profile) -> District:
    """The district, without the files that the consumer forbids."""
    rows = district(2, students=3, classes=2)
    for name in ("academicSessions", "enrollments"):
        for row in rows[name].values():
            row |= {"endDate": "2027-06-05", ("startDate" if name == "academicSessions" else "beginDate"): "2026-08-24"}
    for row in rows["users"].values():
        row |= {"phone": "+15550100", "sms": "+15550101"}
    for rule in profile.rules:
        for name in rule.files if isinstance(rule, Forbids) else ():
            rows[name] = {}
    return rows


def broken(rule: Rule, tidy_rows: District) -> Iterator[tuple[District, int]]:
    """Yield districts that break the rule and no other, with how often; nothing for a rule about changes."""
    if isinstance(rule, Files):
        for name in rule.files:
            yield {**tidy_rows, name: {}}, 1
    elif not (isinstance(rule, CountBetween) and rule.change):
        rows = copy.deepcopy(tidy_rows)
        _value(rows, rule)
        _several(rows, rule)
        yield rows, 2 if isinstance(rule, Unique) else 1


def _value(rows: District, rule: Rule) -> None:
    """Break a rule about values in one row."""
    match rule:
        case Forbids() if not rule.files:
            _set(rows, rule, rule.columns[0], CONTENT[rule.matches])
        case Required() if rule.column == "password":  # no column of the tests' warehouse: it is emptied there
            rows["users"][STUDENT]["middleName"] = "x"
        case Required():
            _set(rows, rule, rule.column, [] if rule.column in ("grades", "periods") else None)
        case Pattern() if rule.column == "sourcedId":
            _add(rows, rule.file, "not_right")
        case Pattern() | OneOf():
            _set(rows, rule, rule.column, "parent" if rule.column == "role" else "not right")
        case Length():
            _add(rows, rule.file, "x" * (rule.most + 1))
        case References():
            _set(rows, rule, rule.column, ["nowhere"] if rule.column == "termSourcedIds" else "nowhere")


def _several(rows: District, rule: Rule) -> None:
    """Break a rule about several rows."""
    match rule:
        case Forbids() if rule.files:
            rows[rule.files[0]]["x"] = {"sourcedId": "x"}
        case Unique() if rule.file == "users":
            rows["users"][STUDENT][rule.columns[0]] = rows["users"]["s1-p1"][rule.columns[0]]
        case Unique():
            _add(rows, rule.file, "again")
        case UniqueAcross():
            _add(rows, "courses", "d")
        case CountBetween():
            _count(rows, rule)


def _set(rows: District, rule: Any, column: str, value: Any) -> None:
    """Set a value in one row; role and orgs of users stand in roles."""
    if rule.file == "users" and column in ("role", "orgSourcedIds"):
        rows["roles"][f"{STUDENT}-r"]["role" if column == "role" else "orgSourcedId"] = value
        return
    row = rows[rule.file]["s1-teacher" if "teacher" in getattr(rule, "roles", ()) else _first(rows, rule.file)]
    row[column] = value


def _first(rows: District, file: str) -> str:
    return {"users": STUDENT, "roles": f"{STUDENT}-r"}.get(file) or next(iter(rows[file]))


def _add(rows: District, file: str, sourced_id: str, like: str = "") -> None:
    """Add a copy of a row under another id; a user with the same role."""
    like = like or _first(rows, file)
    rows[file][sourced_id] = rows[file][like] | {"sourcedId": sourced_id}
    if file == "users":
        rows["users"][sourced_id]["email"] = f"{sourced_id}@example.com"
        rows["roles"][f"{sourced_id}-r"] = rows["roles"][f"{like}-r"] | {
            "sourcedId": f"{sourced_id}-r",
            "userSourcedId": sourced_id,
        }


def _count(rows: District, rule: CountBetween) -> None:
    if rule.through:  # a student in a class without a teacher
        _add(rows, "classes", "c")
        _add(rows, "users", "u")
        enroll(rows, "c", "u")
    elif rule.least:
        _add(rows, rule.file, "new", "s1-teacher" if rule.roles == ["teacher"] else "")
        for role in {"student", "teacher"} - set(rule.of_roles) if rule.of_roles else ():
            enroll(rows, "new", STUDENT if role == "student" else "s1-teacher", role)
    elif rule.of == "roles":
        rows["roles"]["second"] = rows["roles"][f"{STUDENT}-r"] | {"sourcedId": "second", "role": "aide"}
    else:
        for n in range((rule.most or 0) + 1):
            if rule.file == "users":
                _add(rows, "classes", f"c{n}")
                enroll(rows, f"c{n}", "s1-teacher", "teacher")
            else:
                row = rows["enrollments"][f"s1-c0-{STUDENT}"]
                rows["enrollments"][f"e{n}"] = row | {"sourcedId": f"e{n}"}
