"""A delta of 1.1 becomes one of 1.2: what a record of 1.1 does not say, and the bundle that is there does."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster.errors import TargetError

from .mini import lines, receipt, record_line, row, rows, schema_line

if TYPE_CHECKING:
    from .conftest import Place

DELTA = {"file_mode": "delta", "oneroster_version": "1.2"}
MEMORY = ".sent-roles.csv"
LATER = "2026-02-02T00:00:00.000Z"


def only(*names: str) -> dict[str, list[dict[str, Any]]]:
    return {name: found for name, found in rows("1.1").items() if name in names}


def roles(place: Place) -> set[tuple[str, str, str, str]]:
    return {(r["userSourcedId"], r["orgSourcedId"], r["role"], r["status"]) for r in place.rows("roles")}


def test_the_school_of_a_line_item_comes_from_its_class(place: Place) -> None:
    """The class came in the delta."""
    place.run(lines(only("lineItems", "classes")), **DELTA)
    assert place.rows("lineItems")[0]["schoolSourcedId"] == "s1"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_or_from_the_class_in_the_bundle_that_is_there(any_place: Place, version: str) -> None:
    """The class came on another night; bundles of either version and mode know its school."""
    any_place.run(lines(rows("1.1")), oneroster_version=version)
    any_place.run(lines(only("lineItems")), **DELTA)
    assert any_place.rows("lineItems")[0]["schoolSourcedId"] == "s1"
    assert any_place.ids("classes") == []


def test_or_the_class_is_asked_for(place: Place) -> None:
    """Nothing knows the class: the message says what is needed."""
    with pytest.raises(TargetError, match="The school is taken from the row of the class: send it, too"):
        place.run(lines(only("lineItems")), **DELTA)


def moved() -> dict[str, list[dict[str, Any]]]:
    """The teacher left school s1 for s2."""
    user = row(rows("1.1"), "users", "u2")
    return {"users": [user | {"orgSourcedIds": ["s2"], "dateLastModified": LATER}]}


def test_a_role_that_a_person_left_is_deleted(any_place: Place) -> None:
    """Which roles were sent lies beside the bundle, ids only, for its owner: the one that is gone is written as such."""
    any_place.run(lines(only("users")), **DELTA)
    memory = any_place.output.with_name(any_place.output.name + MEMORY)
    assert stat.S_IMODE(memory.stat().st_mode) == 0o600
    assert "Tom" not in memory.read_text()
    sent = {r["userSourcedId"]: r["sourcedId"] for r in any_place.rows("roles")}
    any_place.run(lines(moved()), **DELTA)
    assert roles(any_place) == {("u2", "s1", "teacher", "tobedeleted"), ("u2", "s2", "teacher", "active")}
    gone = next(r for r in any_place.rows("roles") if r["status"] == "tobedeleted")
    assert (gone["sourcedId"], gone["dateLastModified"]) == (sent["u2"], LATER)
    any_place.run(lines(moved()), **DELTA)
    assert roles(any_place) == {("u2", "s2", "teacher", "active")}
    back = {"users": [row(rows("1.1"), "users", "u2")]}
    any_place.run(lines(back), **DELTA)
    assert roles(any_place) == {("u2", "s2", "teacher", "tobedeleted"), ("u2", "s1", "teacher", "active")}


def test_the_roles_of_a_deleted_user_are_deleted(place: Place) -> None:
    """Also where the record no longer names the user's orgs."""
    place.run(lines(only("users")), **DELTA)
    user = row(rows("1.1"), "users", "u2") | {"status": "tobedeleted", "dateLastModified": LATER}
    place.run(lines({"users": [user]}), **DELTA)
    assert roles(place) == {("u2", "s1", "teacher", "tobedeleted")}


def test_the_bundle_that_is_there_says_what_was_sent(place: Place) -> None:
    """The first delta after a bulk bundle at the same path."""
    place.run(lines(rows("1.1")), oneroster_version="1.2")
    assert not place.output.with_name(place.output.name + MEMORY).exists()
    place.run(lines(moved()), **DELTA)
    assert ("u2", "s1", "teacher", "tobedeleted") in roles(place)


def test_a_merged_delta_keeps_what_it_has_deleted(place: Place) -> None:
    """With upsert, the role that is gone stays in the bundle as deleted, and the new one is there."""
    upsert = DELTA | {"load_method": "upsert"}
    place.run(lines(only("users")), **upsert)
    for _ in range(2):
        place.run(lines(moved()), **upsert)
        assert {r for r in roles(place) if r[0] == "u2"} == {
            ("u2", "s1", "teacher", "tobedeleted"),
            ("u2", "s2", "teacher", "active"),
        }


def test_without_a_memory_the_run_says_so(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing lies there: roles that are gone stay, and the log names what helps."""
    place.run(lines(moved()), **DELTA)
    assert 'file_modes {"roles": "bulk"} sends all roles' in caplog.text
    caplog.clear()
    place.run(lines(moved()), **DELTA)
    assert "file_modes" not in caplog.text


def test_a_refused_delta_forgets_nothing(place: Place) -> None:
    """What was not published has not been deleted."""
    place.run(lines(only("users")), **DELTA)
    bad = moved()
    bad["users"].append(row(rows("1.1"), "users", "u1") | {"givenName": None})
    with pytest.raises(TargetError):
        place.run(lines(bad), **DELTA)
    place.run(lines(moved()), **DELTA)
    assert ("u2", "s1", "teacher", "tobedeleted") in roles(place)


def test_roles_that_the_tap_derives_are_taken_back_as_well(place: Place) -> None:
    """REST of 1.2: a user who came has brought all roles; one that was sent and did not come is gone."""

    def run(district: dict[str, list[dict[str, Any]]]) -> None:
        proofs = [
            record_line("syncReceipts", receipt(s, r, contentDigest=None if s == "roles" else "0" * 16))
            for s, r in district.items()
        ]
        place.run([schema_line("syncReceipts"), *lines(district), *proofs], **DELTA)

    district = rows("1.2")
    second = row(district, "roles", "r2") | {"sourcedId": "r2b", "roleType": "secondary", "role": "aide"}
    one, two = row(district, "users", "u2"), row(district, "roles", "r2") | {"userProfileSourcedId": None}
    run({"users": [one], "roles": [two, second]})
    run({"users": [one], "roles": [two]})
    assert {(r["sourcedId"], r["status"]) for r in place.rows("roles")} == {("r2", "active"), ("r2b", "tobedeleted")}
    assert json.loads(place.report.read_text())["counts"]["roles: deleted, since their users no longer have them"] == 1
