"""Streams that a bundle has no file for: roles of 1.1, and views of orgs, sessions and users."""

from __future__ import annotations

import pytest

from tests.csv.bundles import ORGS, csv_text, read, write

USERS_1_1 = csv_text(
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,givenName,familyName",
    'u1,,,true,"s1,s2",teacher,ann,Ann,Lee',
    "u2,,,true,s1,student,bob,Bob,Ray",
    "u3,,,true,d1,administrator,cat,Cat,Fox",
)
USERS_1_2 = csv_text("sourcedId,enabledUser,username", "u1,true,ann", "u2,true,bob", "u3,true,cat")
ROLES = csv_text(
    "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId",
    "r1,,,u1,primary,teacher,,,s1",
    "r2,,,u2,primary,student,,,s1",
    "r3,,,u2,secondary,aide,,,s2",
)
SESSIONS = csv_text(
    "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "y,,,Year,schoolYear,2026-08-01,2027-07-01,,2027",
    "t,,,Term,term,2026-08-01,2027-01-01,y,2027",
    "g,,,Period,gradingPeriod,2026-08-01,2026-10-01,t,2027",
)


def test_roles_of_1_1_come_from_users_in_one_pass(tmp_path):
    found = read(write(tmp_path / "b.zip", {"users.csv": USERS_1_1}), "users", "roles")
    assert [(r["userSourcedId"], r["orgSourcedId"], r["role"], r["roleType"]) for r in found.records["roles"]] == [
        ("u1", "s1", "teacher", "primary"),
        ("u1", "s2", "teacher", "primary"),
        ("u2", "s1", "student", "primary"),
        ("u3", "d1", "administrator", "primary"),
    ]
    assert [(name, facts.derived, facts.snapshot) for name, facts in found.facts] == [
        ("users", False, True),
        ("roles", True, True),
    ]


def test_roles_alone_are_made_without_delivering_users(tmp_path):
    found = read(write(tmp_path / "b.zip", {"users.csv": USERS_1_1}), "roles")
    assert len(found.rows) == 4


def test_a_1_2_bundle_without_roles_has_none_and_nobody_loses_theirs(tmp_path):
    """Its users.csv does not say either; an empty list made of it would delete all roles."""
    found = read(write(tmp_path / "b", {"users.csv": USERS_1_2}, version="1.2"), "users", "roles")
    assert [(name, facts.mode, facts.snapshot) for name, facts in found.facts] == [
        ("roles", "absent", False),
        ("users", "bulk", True),
    ]
    assert found.records["roles"] == []


def test_roles_of_1_2_come_from_their_file(tmp_path):
    path = write(tmp_path / "b", {"users.csv": USERS_1_2, "roles.csv": ROLES}, version="1.2")
    found = read(path, "users", "roles")
    assert [row["sourcedId"] for row in found.records["roles"]] == ["r1", "r2", "r3"]


def test_roles_follow_a_district_that_moves_from_1_1_to_1_2(tmp_path):
    """Each bundle in its own way, in the order of time."""
    write(tmp_path / "a.zip", {"users.csv": USERS_1_1}, at=1_788_000_000)
    changed = ROLES.replace(",,,u", ",active,2026-09-01T00:00:00.000Z,u", 1)
    write(tmp_path / "b.zip", {"roles.csv": changed}, "delta", version="1.2", at=1_788_090_000)
    found = read(tmp_path / "*.zip", "users", "roles")
    assert len(found.records["roles"]) == 4 + 3
    assert found.records["roles"][-1]["sourcedId"] == "r3"


def test_a_stream_added_later_is_read_although_its_parent_was_read_before(tmp_path):
    path = write(tmp_path / "b.zip", {"users.csv": USERS_1_1})
    first = read(path, "users")
    found = read(path, "users", "roles", state={"users": {"bundles": first.bundles}})
    assert (found.records["users"], len(found.records["roles"])) == ([], 4)
    assert found.modes == ["skipped", "bulk"]


@pytest.mark.parametrize(
    ("view", "ids"),
    [
        ("schools", ["s1", "s2"]),
        ("terms", ["t"]),
        ("gradingPeriods", ["g"]),
        ("students", ["u2"]),
        ("teachers", ["u1"]),
    ],
    ids=str,
)
def test_views_are_the_rows_of_their_parent_that_they_name(tmp_path, view, ids):
    files = {"orgs.csv": ORGS, "academicSessions.csv": SESSIONS, "users.csv": USERS_1_1}
    found = read(write(tmp_path / "b.zip", files), view)
    assert found.ids == ids
    assert found.last.snapshot
    assert not found.last.derived


@pytest.mark.parametrize(("view", "ids"), [("students", ["u2"]), ("teachers", ["u1"])], ids=str)
def test_views_of_users_ask_roles_csv_in_1_2(tmp_path, view, ids):
    path = write(tmp_path / "b", {"users.csv": USERS_1_2, "roles.csv": ROLES}, version="1.2")
    assert read(path, view).ids == ids


def test_views_of_users_are_absent_where_nothing_says_who_they_are(tmp_path):
    path = write(tmp_path / "b", {"users.csv": USERS_1_2}, version="1.2")
    assert read(path, "students").modes == ["absent"]


def test_a_view_of_users_in_a_1_2_delta_is_refused_not_guessed(tmp_path):
    """A user who changed need not be in roles.csv, nor the other way round."""
    files = {"users.csv": USERS_1_2, "roles.csv": ROLES}
    path = write(tmp_path / "b", files, {"users": "delta", "roles": "bulk"}, version="1.2")
    assert "nobody's role is certain" in read(path, "students", accept_orphan_delta=True).error
