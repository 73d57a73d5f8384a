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


def test_the_schema_of_present_rows_has_a_view_for_each_table(house: House) -> None:
    """Reports read `oneroster_current`: no row that is gone, no column of the loader, and words on each column."""
    district = rows()
    house.run(lines(district))
    gone = district["users"][0]
    house.run(lines({"users": [dict(gone, status="tobedeleted")]}))
    there = house.query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'oneroster'")
    tables = {name for (name,) in there} - {"syncReceipts", "_loads", "_schema"}
    views = dict(house.query("SELECT view_name, comment FROM duckdb_views() WHERE schema_name = 'oneroster_current'"))
    assert tables <= views.keys()
    columns = house.query(
        "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = 'oneroster_current'"
    )
    assert not [name for _, name, _ in columns if name.startswith("_sdc_")]
    assert not [(table, name) for table, name, words in columns if not words and table in tables]
    assert all("Present rows only." in views[name] for name in tables)
    present = {source_id for (source_id,) in house.query('SELECT "sourcedId" FROM oneroster_current.users')}
    assert present == {user["sourcedId"] for user in district["users"]} - {gone["sourcedId"]}


def test_a_table_in_the_place_of_a_view_is_named(house: House) -> None:
    """Somebody's own table is not replaced."""
    import duckdb
    from target_oneroster.errors import TargetError

    with duckdb.connect(str(house.path)) as database:
        database.execute("CREATE SCHEMA oneroster_current; CREATE TABLE oneroster_current.users (mine INTEGER)")
    with pytest.raises(TargetError, match=r"oneroster_current\.users is a table"):
        house.run(lines(rows()))
    assert house.state == []


def test_views_are_left_out_where_a_setting_says_so(house: House) -> None:
    house.run(lines(rows()), views=False)
    assert house.query("SELECT count(*) FROM duckdb_views() WHERE NOT internal") == [(0,)]
