"""Records that came more than once under one id: identical, newer, of one person, or in conflict."""

from __future__ import annotations

from itertools import cycle, product
from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster.errors import TargetError

from tests.target.mini import lines, record_line, row, rows, schema_line

if TYPE_CHECKING:
    from .conftest import House

LATER = "2026-02-02T00:00:00.000Z"
FILES = ["orgs", "classes", "users", "enrollments", "results", "scoreScales"]
STATE: dict[str, Any] = {"bookmarks": {}}
CHANGE: dict[str, dict[str, Any]] = {
    "orgs": {"name": "Other"},
    "classes": {"title": "Other"},
    "users": {"givenName": "Other"},
    "enrollments": {"beginDate": "2025-08-16"},
    "results": {"score": 1.0},
    "scoreScales": {"title": "Other"},
}
FIRST_OR_LATER = pytest.mark.parametrize("later", [False, True], ids=["first load", "later load"])


@FIRST_OR_LATER
@pytest.mark.parametrize("file", FILES)
def test_identical_and_older_copies_are_left_out(house: House, file: str, later: bool) -> None:
    """The same row again is one row; of rows with other times the newest counts, in whatever order they come."""
    district = rows()
    if later:
        house.run(lines(district))
    old = dict(district[file][0])
    new = old | CHANGE[file] | {"dateLastModified": LATER}
    district[file] = [new, old, dict(new), *district[file][1:]]
    assert house.run(lines(district, state=STATE)) == [STATE]
    (column,) = CHANGE[file]
    assert str(house.rows(file)[old["sourcedId"]][column]) == str(CHANGE[file][column])
    assert len(house.there(file)) == len(district[file]) - 2
    assert "the same record more than once" in house.outcome.tables[file].note


DATES = {"the same": ("x", "x"), "none": (None, None), "one": (None, LATER)}
EACH = [*zip(FILES, cycle(DATES), strict=False), *product(["users"], DATES)]
"""Every file with one of the kinds of dates, and one file with all of them."""


@FIRST_OR_LATER
@pytest.mark.parametrize(("file", "dates"), dict.fromkeys(EACH))
def test_a_conflict_is_not_loaded(house: House, file: str, dates: str, later: bool) -> None:
    """Nothing says which is right: the table stays as it was, the others are loaded, no state is written."""
    district = rows()
    if later:
        house.run(lines(district))
    old = district[file].pop(0)
    pair = [dict(old), old | CHANGE[file]]
    for one, date in zip(pair, DATES[dates], strict=True):
        one["dateLastModified"] = old["dateLastModified"] if date == "x" else date
    district[file] += pair
    with pytest.raises(TargetError, match=f"{file}: different records under one id") as caught:
        house.run(lines(district, state=STATE))
    assert "Other" not in str(caught.value)
    assert house.state == []
    assert len(house.there("academicSessions")) == 3
    if later:
        (column,) = CHANGE[file]
        assert house.rows(file)[old["sourcedId"]][column] is not None
        assert str(house.rows(file)[old["sourcedId"]][column]) != str(CHANGE[file][column])
    else:
        assert not house.query(f"SELECT 1 FROM duckdb_tables() WHERE table_name = '{file}'")


def test_ids_with_the_same_hash_are_not_copies(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are counted by their hashes first; if hashes collide, the ids themselves decide."""
    monkeypatch.setattr("target_oneroster.warehouse.staging.count_distinct", lambda _: "count(DISTINCT 1)")
    district = rows()
    copied = dict(district["orgs"][0])
    house.run(lines(district | {"orgs": [*district["orgs"], copied]}))
    assert len(house.there("users")) == len(district["users"])
    assert len(house.there("orgs")) == len(district["orgs"])
    assert not house.outcome.tables["users"].note
    assert "identical: 1" in house.outcome.tables["orgs"].note


def test_a_higher_version_replaces(house: House) -> None:
    """A tap that starts a collection over raises the version: what the first attempt sent does not count."""
    district = rows()
    first = lines({"orgs": [row(district, "orgs", "s1") | {"name": "Other"}]}, version=1)
    house.run([*first, *lines(district, version=2)])
    assert house.rows("orgs")["s1"]["name"] == 'School "One", north'


@FIRST_OR_LATER
def test_rows_of_one_person_are_united(house: House, later: bool) -> None:
    """A row for each school of one person: the orgs of all rows arrive in one."""
    district = rows("1.1")
    if later:
        house.run(lines(district))
    user = district["users"].pop(1)
    district["users"] += [user | {"orgSourcedIds": [org]} for org in ("s2", "s1")]
    assert house.run(lines(district, state=STATE)) == [STATE]
    assert house.rows("users")["u2"]["orgSourcedIds"] == ["s2", "s1"]
    assert house.rows("users")["u1"]["orgSourcedIds"] == ["s1"]


@FIRST_OR_LATER
def test_several_roles_of_one_person_are_united(house: House, later: bool) -> None:
    """A row of users holds one role, the one with most rights; without the stream `roles`, a note says so."""
    district = rows("1.1")
    if later:
        house.run(lines(district))
    user = district["users"].pop(1)
    district["users"] += [user | {"orgSourcedIds": ["s2"], "role": "aide"}, user]
    assert house.run(lines(district, state=STATE)) == [STATE]
    assert house.rows("users")["u2"]["role"] == "teacher"
    assert house.rows("users")["u2"]["orgSourcedIds"] == ["s2", "s1"]
    assert (
        "several roles in several rows; users.role holds the one with most rights" in house.outcome.tables["users"].note
    )
    roles = [
        {"sourcedId": f"r{n}", "userSourcedId": "u2", "roleType": "primary", "role": role, "orgSourcedId": org}
        for n, (role, org) in enumerate((("aide", "s2"), ("teacher", "s1")))
    ]
    both = [*lines(district), schema_line("roles"), *(record_line("roles", one) for one in roles)]
    house.run(both)
    assert house.rows("users")["u2"]["role"] == "teacher"
    assert house.rows("users")["u2"]["orgSourcedIds"] == ["s2", "s1"]
    assert len(house.rows("roles")) == 2
    assert "several roles" not in house.outcome.tables["users"].note
