"""The schedule: what counts as a move of a class, whom it touches, and when it is a warning."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from tests.audit.conftest import POLICY, found
from tests.audit.nights import district, enroll

if TYPE_CHECKING:
    from tests.audit.conftest import Desk

STILL = {"period": 0, "room": 0, "teacher": 0, "term": 0, "course": 0}


def test_each_kind_of_move(desk: Desk) -> None:
    """By school: opened, closed and moved classes, their students and teachers, each person once; a tenth is a note."""
    rows = district(4, students=6, classes=20)
    desk.audit(rows)
    new = copy.deepcopy(rows)
    classes = new["classes"]
    classes["s1-c0"]["periods"] = ["2"]
    classes["s1-c1"] |= {"location": "Room 2", "termSourcedIds": ["t1", "t2"]}
    classes["s2-c0"]["courseSourcedId"] = "s1-course"
    for n in range(6):  # trap 2: another section of the course moves no class
        row = new["enrollments"].pop(f"s4-c0-s4-p{n}")
        new["enrollments"][f"again{n}"] = row | {"sourcedId": f"again{n}", "classSourcedId": "s4-c2"}
    del new["enrollments"]["s2-c1-s2-teacher"]
    enroll(new, "s2-c1", "s1-teacher", "teacher")
    classes["s2-new"] = classes["s2-c5"] | {"sourcedId": "s2-new"}
    enroll(new, "s2-new", "s2-p0")
    del classes["s2-c9"]
    for key in [k for k, row in new["enrollments"].items() if row["classSourcedId"] == "s2-c9"]:
        del new["enrollments"][key]
    report = desk.audit(new)
    assert report["schedule"] == [
        {"school": "s1", "opened": 0, "closed": 0, "moved": STILL | {"period": 1, "room": 1, "term": 1}, "students": 6, "teachers": 1},
        {"school": "s2", "opened": 1, "closed": 1, "moved": STILL | {"teacher": 1, "course": 1}, "students": 6, "teachers": 2},
    ]  # fmt: skip
    by_school = {f["school"]: f for f in found(report, "schedule.moved")}
    assert {s: (f["severity"], f["count"]) for s, f in by_school.items()} == {"s1": ("note", 2), "s2": ("warn", 4)}
    out = desk.folder / "rows.csv"
    assert desk("rows", by_school["s2"]["id"], "--out", str(out)) == 0, desk.err
    assert out.read_text(encoding="utf-8").split() == [
        "file,id", "classes,s2-c0", "classes,s2-c1", "classes,s2-c9", "classes,s2-new",
    ]  # fmt: skip


def test_what_is_no_move(desk: Desk) -> None:
    """Order in a list, a teacher under a new id, an ended enrollment of a teacher that vanishes; but a handover is one."""
    rows = district(2, classes=8)
    rows["classes"]["s1-c0"] |= {"periods": ["1", "2"], "termSourcedIds": ["t1", "t2"]}
    rows["users"]["sub"] = rows["users"]["s1-teacher"] | {
        "sourcedId": "sub",
        "username": "sub",
        "identifier": "sub",
        "email": None,
    }
    rows["roles"]["sub-r"] = rows["roles"]["s1-teacher-r"] | {"sourcedId": "sub-r", "userSourcedId": "sub"}
    enroll(rows, "s1-c1", "sub", "teacher", endDate="2026-09-01")
    enroll(rows, "s1-c2", "sub", "teacher", endDate="2026-12-24")
    desk.audit(rows)
    new = copy.deepcopy(rows)
    new["classes"]["s1-c0"] |= {"periods": ["2", "1"], "termSourcedIds": ["t2", "t1"]}
    del new["enrollments"]["s1-c1-sub"]
    new["users"]["new"] = new["users"].pop("s2-teacher") | {"sourcedId": "new"}
    for name in ("roles", "enrollments"):
        for row in new[name].values():
            if row["userSourcedId"] == "s2-teacher":
                row["userSourcedId"] = "new"
    assert desk.audit(new)["schedule"] == []
    # Once more, and this one had not ended.
    ended = copy.deepcopy(new)
    del ended["enrollments"]["s1-c2-sub"]
    (row,) = desk.audit(ended)["schedule"]
    assert (row["school"], row["moved"]) == ("s1", STILL | {"teacher": 1})


def test_a_school_that_is_gone_took_its_classes_along(desk: Desk) -> None:
    """The finding follows from the school's; nothing is said of the others."""
    rows = district(3)
    desk.audit(rows)
    new = {
        name: {k: row for k, row in table.items() if not k.startswith("s2")}
        for name, table in copy.deepcopy(rows).items()
    }
    report = desk.audit(new, code=3)
    (finding,) = found(report, "schedule.moved")
    (root,) = found(report, "brake.empty-school")
    assert finding["root"] == root["id"]
    assert [(row["school"], row["closed"]) for row in report["schedule"]] == [("s2", 5)]


def test_the_schedule_of_one_tenant(desk: Desk) -> None:
    """Trap 30: with a tenant each restricted table has it first, and another tenant's ids are not in reach."""
    desk.policy(POLICY + "tenant: north\n")
    desk.house.tenant = "north"
    rows = district(2)
    desk.audit(rows)
    new = copy.deepcopy(rows)
    new["classes"]["s1-c0"]["location"] = "Room 2"
    new["users"]["new"] = new["users"].pop("s2-p0") | {"sourcedId": "new"}
    for name in ("roles", "enrollments"):
        for row in new[name].values():
            if row["userSourcedId"] == "s2-p0":
                row["userSourcedId"] = "new"
    assert len(desk.audit(new)["schedule"]) == 1
    out = desk.folder / "crosswalk.csv"
    assert desk("crosswalk", "2", "--out", str(out)) == 0, desk.err
    assert "users,s2-p0,new," in out.read_text(encoding="utf-8")
    desk.policy(POLICY + "tenant: south\n")
    assert desk("crosswalk", "2", "--out", str(out)) == 2
    assert desk.err == "oneroster-audit: load 2 was not audited\n"
