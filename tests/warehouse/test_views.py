"""The standard's five views show the rows that are there, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.target.mini import lines, row, rows

if TYPE_CHECKING:
    from .conftest import House


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_each_view_is_what_the_standard_calls_by_that_name(house: House, version: str) -> None:
    """By `roles` where there are any, by the users' own column where a 1.1 tap sends nothing else."""
    district = rows(version)
    house.run(lines(district))
    expected = {
        "schools": [o["sourcedId"] for o in district["orgs"] if o["type"] == "school"],
        "terms": [s["sourcedId"] for s in district["academicSessions"] if s["type"] == "term"],
        "gradingPeriods": [s["sourcedId"] for s in district["academicSessions"] if s["type"] == "gradingPeriod"],
    }
    for name, word in (("students", "student"), ("teachers", "teacher")):
        if version == "1.1":
            expected[name] = [u["sourcedId"] for u in district["users"] if u["role"] == word]
        else:
            expected[name] = [r["userSourcedId"] for r in district["roles"] if r["role"] == word]
    for name, ids in expected.items():
        assert ids or name == "terms"
        assert set(house.rows(name)) == set(ids), name


def test_a_row_that_is_gone_is_in_no_view(house: House) -> None:
    """Neither a user that is gone, nor one whose role is."""
    district = rows()
    house.run(lines(district))
    (student,) = house.rows("students")
    role = next(r for r in district["roles"] if r["userSourcedId"] == student)
    house.run(lines({"roles": [dict(role, status="tobedeleted")]}))
    assert house.rows("students") == {}
    house.run(lines({"roles": [role], "users": [dict(row(district, "users", student), status="tobedeleted")]}))
    assert house.rows("students") == {}
    house.run(lines({"users": [row(district, "users", student)]}))
    assert set(house.rows("students")) == {student}


def test_views_are_left_out_where_a_setting_says_so(house: House) -> None:
    house.run(lines(rows()), views=False)
    assert house.query("SELECT count(*) FROM duckdb_views() WHERE NOT internal") == [(0,)]
