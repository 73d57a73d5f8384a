"""Columns, keys and sanity: each check finds what it is for, and is silent otherwise."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from tests.audit.conftest import found
from tests.audit.nights import district, enroll

if TYPE_CHECKING:
    from tests.audit.conftest import Desk


def test_a_column_that_went_blank(desk: Desk) -> None:
    """In one school it is a warning for that school, for a reference it holds it; a few rows are nothing."""
    rows = district(4)
    desk.audit(rows)
    new = copy.deepcopy(rows)
    for n in range(30):
        new["users"][f"s1-p{n}"]["email"] = None
        new["enrollments"][f"s2-c0-s2-p{n}"]["userSourcedId"] = None
    for n in range(3):
        new["users"][f"s3-p{n}"]["email"] = None
    report = desk.audit(new, code=3)
    blank = {(f["file"], f["column"], f["school"], f["severity"]) for f in found(report, "columns.blank")}
    assert ("users", "email", "s1", "warn") in blank
    assert not [b for b in blank if b[2] == "s3"]
    assert [s["id"] for s in report["held_schools"]] == ["s2"]
    assert {f["school"] for f in found(report, "columns.blank") if f["severity"] == "hold" and not f["root"]} == {"s2"}
    assert [(f["column"], f["school"], f["count"]) for f in found(report, "keys.missing")] == [
        ("userSourcedId", "s2", 30)
    ]
    # What went blank is reported as such, and not as rows that changed.
    assert not [f for f in found(report, "brake.changed") if f["file"] == "users"]


def test_words_of_a_vocabulary(desk: Desk) -> None:
    """A new word is a note, and what is no word of the standard is not named."""
    rows = district(2)
    desk.audit(rows)
    new = copy.deepcopy(rows)
    new["enrollments"]["s1-c0-s1-p1"]["role"] = "proctor"
    new["classes"]["s1-c0"]["classType"] = "Ada Lovelace"
    report = desk.audit(new)
    assert {f["severity"] for f in found(report, "columns.words")} == {"note"}
    assert {f["column"] for f in found(report, "columns.words")} == {"role", "classType"}
    assert "Ada" not in str(desk.store("SELECT words FROM columns"))


def test_references_without_a_row(desk: Desk) -> None:
    """New ones are a warning in their school, and hold it from 1 % of the file on; old ones are no finding."""
    rows = district(4)
    rows["enrollments"]["old"] = rows["enrollments"]["s1-c0-s1-p1"] | {"sourcedId": "old", "userSourcedId": "gone"}
    assert [f["count"] for f in found(desk.audit(rows), "keys.orphan-user")] == [1]
    report = desk.audit(rows)
    assert not found(report, "keys.orphan-user")
    new = copy.deepcopy(rows)
    enroll(new, "s2-c0", "nobody")
    report = desk.audit(new)
    assert [(f["school"], f["severity"], f["count"]) for f in found(report, "keys.orphan-user")] == [("s2", "warn", 1)]
    for n in range(7):
        enroll(new, "s2-c0", f"nobody{n}")
    report = desk.audit(new, code=3)
    assert [(f["school"], f["severity"]) for f in found(report, "keys.orphan-user")] == [("s2", "hold")]
    assert [s["id"] for s in report["held_schools"]] == ["s2"]


def test_an_id_that_names_another_person_or_class(desk: Desk) -> None:
    """Trap 25: another name and number under one id holds the school; a person who married, and a class renamed, do not."""
    rows = district(3)
    desk.audit(rows)
    married = copy.deepcopy(rows)
    married["users"]["s1-p1"] |= {"familyName": "Other", "username": "other", "email": "other@example.com"}
    married["classes"]["s1-c0"]["title"] = "Another title"
    married["courses"]["s1-other"] = {"sourcedId": "s1-other", "title": "Other", "orgSourcedId": "s1"}
    married["classes"]["s1-c1"]["courseSourcedId"] = "s1-other"  # another course, and the same students
    assert not found(desk.audit(married), "keys.reused")
    new = copy.deepcopy(married)
    new["users"]["s2-p1"] |= {"givenName": "X", "familyName": "Y", "username": "xy", "identifier": "9"}
    new["classes"]["s3-c0"]["courseSourcedId"] = "s1-other"
    for n in range(30):
        del new["enrollments"][f"s3-c0-s3-p{n}"]
    new["users"]["s3-new"] = rows["users"]["s3-p1"] | {"sourcedId": "s3-new", "username": "n", "identifier": "n"}
    new["roles"]["s3-new"] = rows["roles"]["s3-p1-r"] | {"sourcedId": "s3-new", "userSourcedId": "s3-new"}
    enroll(new, "s3-c0", "s3-new")
    report = desk.audit(new, code=3)
    assert {(f["file"], f["school"]) for f in found(report, "keys.reused")} == {("users", "s2"), ("classes", "s3")}


def test_sanity(desk: Desk) -> None:
    """Each is counted by school and stands with the load since when; none of them holds."""
    rows: dict[str, Any] = district(2, students=52, classes=2)
    rows["users"]["s1-p1"]["grades"] = []
    for c in (0, 1):
        del rows["enrollments"][f"s1-c{c}-s1-p2"]
    del rows["enrollments"]["s2-c0-s2-teacher"]
    rows["classes"]["s2-empty"] = rows["classes"]["s2-c0"] | {"sourcedId": "s2-empty"}
    rows["courses"]["s2-unused"] = {"sourcedId": "s2-unused", "title": "x", "orgSourcedId": "s2"}
    rows["roles"]["both"] = rows["roles"]["s1-p3-r"] | {"sourcedId": "both", "role": "teacher"}
    for n in range(51):
        rows["classes"][f"s2-m{n}"] = rows["classes"]["s2-c0"] | {"sourcedId": f"s2-m{n}"}
        enroll(rows, f"s2-m{n}", "s2-teacher", "teacher")
    desk.audit(rows)
    report = desk.audit(rows)
    counted = {(f["check"], f["school"]): f["count"] for f in report["findings"] if f["check"].startswith("sanity.")}
    assert counted == {
        ("sanity.students-without-enrollment", "s1"): 1,
        ("sanity.students-without-grade", "s1"): 1,
        ("sanity.classes-without-students", "s2"): 52,
        ("sanity.classes-without-teacher", "s2"): 2,
        ("sanity.courses-without-classes", "s2"): 1,
        ("sanity.two-roles", "s1"): 1,
        ("sanity.large-class", "s1"): 2,
        ("sanity.large-class", "s2"): 2,
        ("sanity.many-classes", "s2"): 1,
    }
    assert {n for (n,) in desk.store("SELECT first_load FROM findings WHERE load = 2 AND check_id LIKE 'sanity%'")} == {
        1
    }
