"""Rows of one file that share a sourcedId: identical, newer, of one person, or in conflict."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_oneroster.bundle.read.copies import _beginnings
from tap_oneroster.bundle.read.encoding import BLOCK

from tests.csv.bundles import ORGS_HEADER as ORGS
from tests.csv.bundles import csv_text, delta, read, write
from tests.singer import Run, run_tap

CONFLICT = "sourcedId: different records under one id"
LAST = f"{CONFLICT}, the last one was kept"
IDENTICAL = "the same record more than once: identical"
NEWEST = "the same record more than once: differing, the newest was kept"
UNITED = "the same person more than once: orgs and roles united"
USERS = "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,givenName,familyName"


def run(path: Any, state: Any = None, **config: Any) -> Run:
    """One run of the tap over a bundle."""
    return run_tap({"mode": "csv", "csv_path": str(path), "settle_seconds": 0, **config}, state=state)


def orgs(tmp_path: Any, *rows: str, name: str = "b.zip") -> Any:
    """A bundle of orgs."""
    return write(tmp_path / name, {"orgs.csv": csv_text(ORGS, *rows)})


@pytest.mark.parametrize("name", ["b", "b.zip"])
def test_identical_copies_are_delivered_once_and_counted(tmp_path, name):
    found = run(orgs(tmp_path, "a,,,A,school,,", "b,,,B,school,,", 'a,,,"A",school,,', name=name))
    receipt = found.receipts["orgs"]
    assert found.error is None
    assert [row["sourcedId"] for row in found.records["orgs"]] == ["a", "b"]
    assert (receipt["expected"], receipt["received"], receipt["distinct"], receipt["rejected"]) == (3, 3, 2, 0)
    assert receipt["deviations"] == {IDENTICAL: 1}
    assert "orgs" in found.of("ACTIVATE_VERSION")


@pytest.mark.parametrize("on_invalid", ["report", "accept", "fail"])
def test_different_records_under_one_id_are_a_conflict(tmp_path, on_invalid):
    """Nothing tells which is right: none is delivered, or the last by who has looked, or the run stops."""
    rows = ["s1,,,North,school,,", "s2,,,East,school,,", "s1,,,South,school,,"]
    found = run(orgs(tmp_path, *rows), on_invalid=on_invalid)
    names = [row["name"] for row in found.records["orgs"]]
    receipt = found.receipts["orgs"]
    assert "orgs" not in found.of("ACTIVATE_VERSION")
    match on_invalid:
        case "report":
            assert names == ["East"]
            assert "2 of 3 rows were left out" in found.error
            assert (receipt["expected"], receipt["received"], receipt["rejected"]) == (3, 1, 2)
            assert receipt["deviations"] == {CONFLICT: 2}
            assert not receipt["complete"]
            assert "bundles" not in found.state.get("bookmarks", {}).get("orgs", {})
        case "accept":
            assert names == ["East", "South"]
            assert found.error is None
            assert (receipt["expected"], receipt["received"], receipt["rejected"]) == (3, 2, 1)
            assert receipt["deviations"] == {LAST: 1}
            assert found.state["bookmarks"]["orgs"]["bundles"]
        case "fail":
            assert names == []
            assert found.error == f"orgs.csv in b.zip, row 4: {CONFLICT}"
            assert not receipt["complete"]


def test_ids_that_a_spreadsheet_rounded_are_a_conflict_of_persons(tmp_path):
    """Excel writes 1234567001 and 1234570002 alike; also what is made of the rows is left out."""
    pupils = [f"1.23457E+12,,,true,s1,student,u{n},Given{n},Family" for n in range(3)]
    found = run(write(tmp_path / "b.zip", {"users.csv": csv_text(USERS, *pupils, "u9,,,true,s1,student,i,J,K")}))
    assert [row["sourcedId"] for row in found.records["users"]] == ["u9"]
    assert [row["userSourcedId"] for row in found.records["roles"]] == ["u9"]
    assert found.receipts["users"]["rejected"] == found.receipts["roles"]["rejected"] == 3
    assert not found.receipts["users"]["complete"]
    assert not found.receipts["roles"]["complete"]


def test_rows_in_conflict_are_named_without_their_values(tmp_path, caplog):
    with caplog.at_level("INFO"):
        run(orgs(tmp_path, "SECRET,,,North,school,,", "SECRET,,,South,school,,"))
    assert f"orgs.csv in b.zip, row 2: {CONFLICT}: left out" in caplog.text
    assert f"orgs.csv in b.zip, row 3: {CONFLICT}: left out" in caplog.text
    assert "SECRET" not in caplog.text


MONDAY, TUESDAY = "2026-11-02T00:00:00.000Z", "2026-11-03T00:00:00.000Z"


@pytest.mark.parametrize(
    ("rows", "names", "rules"),
    [
        ([("A", MONDAY), ("A", TUESDAY)], ["A"], {NEWEST: 1}),
        ([("A", TUESDAY), ("A", MONDAY)], ["A"], {NEWEST: 1}),
        ([("B", TUESDAY), ("A", MONDAY)], ["B"], {NEWEST: 1}),
        ([("A", MONDAY), ("B", TUESDAY), ("B", TUESDAY)], ["B"], {NEWEST: 1, IDENTICAL: 1}),
        ([("A", MONDAY), ("B", TUESDAY), ("C", TUESDAY)], [], {CONFLICT: 3}),
        ([("A", ""), ("A", MONDAY)], ["A"], {NEWEST: 1}),
        ([("A", ""), ("B", MONDAY)], [], {CONFLICT: 2}),
        ([("A", ""), ("A", ""), ("B", "")], [], {CONFLICT: 3}),
    ],
)
def test_the_newest_of_differing_copies_counts(tmp_path, rows, names, rules):
    """Where all have a date; one without cannot be placed among those that have one."""
    found = run(orgs(tmp_path, *(f"a,active,{date},{name},school,," for name, date in rows), "z,active,,Z,school,,"))
    assert [row["name"] for row in found.records["orgs"] if row["sourcedId"] == "a"] == names
    if names:
        latest = max(date for _, date in rows)
        assert [row["dateLastModified"] for row in found.records["orgs"]][:1] == [latest]
    assert {rule: n for rule, n in found.receipts["orgs"]["deviations"].items() if rule in {*rules, CONFLICT}} == rules


def test_a_later_delta_may_say_something_else_under_the_same_id(tmp_path):
    """Copies are looked for within a file: over files the later one counts, as ever."""
    orgs(tmp_path, "s7,,,Six,school,,", name="a.zip")
    write(tmp_path / "c.zip", {"orgs.csv": delta("s7,active,Seven")}, "delta", at=4_000_000_000)
    found = run(tmp_path / "*.zip")
    assert found.error is None
    assert [row["name"] for row in found.records["orgs"]] == ["Six", "Seven"]


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("spelling", ["s1", '"s1"', "s1 ", "in the third column"])
def test_copies_are_found_however_the_id_is_written_and_however_far_apart(tmp_path, spelling, far):
    between = [f"x{n},,,Between,school,," for n in range(2 * BLOCK // 20 if far else 1)]
    if spelling == "in the third column":
        header = "name,type,sourcedId,identifier,parentSourcedId"
        rows = ['"N, and\nmore",school,s1,,', *(f"B,school,x{n},," for n in range(len(between))), "S,school,s1,,"]
        path = write(tmp_path / "b.zip", {"orgs.csv": csv_text(header, *rows)})
    else:
        path = orgs(tmp_path, "s1,,,North,school,,", *between, f"{spelling},,,South,school,,")
    found = read(path, "orgs")
    if spelling == "s1 " and "s1 " in found.ids:
        pytest.skip("ids are not trimmed yet")
    assert len(found.ids) == len(between)
    assert found.odd[CONFLICT] == 2


@given(st.lists(st.text(" \t\x1c\xa0ab\u20acé\ufeff", max_size=3), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_the_quick_look_at_ids_sees_at_least_what_a_parser_would(ids):
    """However an id is quoted and padded: equal ids have equal hashes, as text or as bytes."""
    for quoted, end in product([False, True], ["\n", "\r\n"]):
        lines = "".join(f'"{one}",x y{end}' if quoted else f"{one},x y{end}" for one in ids)
        looked = list(map(hash, _beginnings(lines.encode())))[: len(ids)]
        assert looked == [hash(one.strip()) for one in ids]


ANN = "true,{org},{role},ann,Ann,Lee"


def persons(tmp_path: Any, *rows: tuple[str, str, str], name: str = "b.zip", header: str = USERS) -> Any:
    """A bundle of 1.1 with users that have so many rows: id, orgs, role."""
    lines = [f"{one},,," + ANN.format(org=org, role=role) for one, org, role in rows]
    return write(tmp_path / name, {"users.csv": csv_text(header, *lines)})


@pytest.mark.parametrize("columnar", [False, True])
def test_a_row_for_each_school_of_a_person_is_one_person_at_all_of_them(tmp_path, columnar):
    """The first row's role is the user's; each org and role has a row of `roles`, the first at an org primary."""
    if columnar:
        pytest.importorskip("pyarrow")
    rows = [
        ("u1", "s1", "teacher"),
        ("u2", "s1", "student"),
        ("u1", "s2", "student"),
        ("u1", "s1", "guardian"),
        ("u1", '"s2,s3"', "student"),
    ]
    found = read(persons(tmp_path, *rows), "users", "roles", columnar=columnar)
    assert found.error is None
    assert [(r["sourcedId"], r["orgSourcedIds"], r["role"]) for r in found.records["users"]] == [
        ("u1", ["s1", "s2", "s3"], "teacher"),
        ("u2", ["s1"], "student"),
    ]
    assert [(r["userSourcedId"], r["orgSourcedId"], r["role"], r["roleType"]) for r in found.records["roles"]] == [
        ("u1", "s1", "teacher", "primary"),
        ("u1", "s2", "student", "primary"),
        ("u1", "s1", "guardian", "secondary"),
        ("u1", "s3", "student", "primary"),
        ("u2", "s1", "student", "primary"),
    ]
    assert found.odd[UNITED] == 3
    assert all(facts.snapshot for _, facts in found.facts)


def test_ids_of_roles_do_not_depend_on_how_many_rows_a_person_has(tmp_path):
    one = read(persons(tmp_path, ("u1", '"s1,s2"', "student"), name="one"), "roles")
    two = read(persons(tmp_path, ("u1", "s1", "student"), ("u1", "s2", "student"), name="two"), "roles")
    assert one.rows == two.rows


def test_persons_with_two_roles_are_in_the_views_of_both(tmp_path):
    path = persons(tmp_path, ("u1", "s1", "teacher"), ("u1", "s1", "student"), ("u2", "s1", "student"))
    assert read(path, "students").ids == ["u1", "u2"]
    assert read(path, "teachers").ids == ["u1"]


def test_rows_that_do_not_agree_in_the_person_are_a_conflict(tmp_path):
    lines = ["u1,,,true,s1,student,ann,Ann,Lee", "u1,,,true,s2,student,bob,Bob,Ray"]
    found = read(write(tmp_path / "b.zip", {"users.csv": csv_text(USERS, *lines)}), "users", "roles")
    assert found.records == {"users": [], "roles": []}
    assert found.odd[CONFLICT] == 2


def test_demographics_under_one_user_conflict_as_any_other_record(tmp_path):
    header = "sourcedId,status,dateLastModified,birthDate,sex"
    rows = ["u1,,,2010-01-01,female", "u1,,,2011-01-01,female", "u2,,,2012-01-01,male", "u2,,,2012-01-01,male"]
    found = read(write(tmp_path / "b.zip", {"demographics.csv": csv_text(header, *rows)}), "demographics")
    assert found.ids == ["u2"]
    assert (found.odd[CONFLICT], found.odd[IDENTICAL]) == (2, 1)


def test_rows_that_list_other_resources_are_not_identical(tmp_path):
    """A column of 1.2.0 that is a stream of its own today: nothing of it is lost in silence."""
    header = "sourcedId,enabledUser,username,givenName,familyName,resourceSourcedIds"
    rows = ["u1,true,ann,Ann,Lee,r1", "u1,true,ann,Ann,Lee,r2", "u2,true,bob,Bob,Ray,r1", "u2,true,bob,Bob,Ray,r1"]
    found = read(
        write(tmp_path / "b.zip", {"users.csv": csv_text(header, *rows)}, version="1.2"), "users", "userResources"
    )
    assert [row["sourcedId"] for row in found.records["users"]] == ["u2"]
    assert [row["userSourcedId"] for row in found.records["userResources"]] == ["u2"]
    assert found.odd[CONFLICT] == 2


def test_a_file_cut_off_in_the_middle_has_its_copies_settled_before(tmp_path):
    """What was read until there is delivered; a row of a conflict is not."""
    found = run(orgs(tmp_path, "a,,,A,school,,", "s1,,,N,school,,", "s1,,,S,school,,", 'z,"Z"x,,,,,'))
    assert "cannot be read on from here" in found.error
    assert "s1" not in [row["sourcedId"] for row in found.records["orgs"]]
