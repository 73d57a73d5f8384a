"""What is gone from the source: marked or removed, and taken back when it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.target.mini import activate, lines, receipt, record_line, rows, schema_line, whole

if TYPE_CHECKING:
    from .conftest import House


@pytest.fixture
def users() -> list[dict[str, Any]]:
    return rows()["users"]


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
def test_a_whole_read_tells_what_is_gone(house: House, users: list[Any], hard: bool) -> None:
    """Marked with the time, or removed; there again when it comes again."""
    one, *others = users
    house.run(whole(1, *users), hard_delete=hard)
    house.run(whole(2, *others), hard_delete=hard)
    assert house.there("users") == {user["sourcedId"] for user in others}
    assert (one["sourcedId"] in house.rows("users")) is not hard
    assert house.outcome.tables["users"].sum("deleted") == 1
    house.run(whole(3, *others), hard_delete=hard)
    assert house.outcome.tables["users"].sum("deleted") == 0
    house.run(whole(4, *users), hard_delete=hard)
    assert house.there("users") == {user["sourcedId"] for user in users}


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
def test_what_is_marked_by_the_source_is_gone(house: House, users: list[Any], hard: bool) -> None:
    """`tobedeleted` deletes; the time of the first mark stays; a later `active` takes it back."""
    house.run(lines({"users": users}), hard_delete=hard)
    gone = dict(users[0], status="tobedeleted")
    for _ in range(2):
        house.run(lines({"users": [gone]}), hard_delete=hard)
        assert gone["sourcedId"] not in house.there("users")
    times = {row["_sdc_deleted_at"] for row in house.rows("users", "_sdc_deleted_at IS NOT NULL").values()}
    assert len(times) == (0 if hard else 1)
    house.run(lines({"users": users[:1]}), hard_delete=hard)
    assert house.there("users") == {user["sourcedId"] for user in users}


def test_an_incremental_read_deletes_nothing(house: House, users: list[Any]) -> None:
    house.run(whole(1, *users))
    house.run(whole(2, users[0])[:-1])
    assert house.there("users") == {user["sourcedId"] for user in users}


def test_activate_version_can_be_turned_off(house: House, users: list[Any]) -> None:
    house.run(whole(1, *users))
    house.run(whole(2, users[0]), activate_version=False)
    assert house.there("users") == {user["sourcedId"] for user in users}


@pytest.mark.parametrize("case", ["before its records", "without records"])
def test_a_version_announced_too_early_deletes_nothing(house: House, users: list[Any], case: str) -> None:
    """Taps of the SDK announce a version first, and may die after it."""
    house.run(whole(1, *users))
    start = [schema_line("users"), activate("users", 2)]
    house.run(start if case == "without records" else [*start, record_line("users", users[0], 2)])
    assert house.there("users") == {user["sourcedId"] for user in users}


def test_a_version_may_go_on_in_another_run(house: House, users: list[Any]) -> None:
    """A tap that was interrupted goes on where it stopped: what it brought before still counts."""
    house.run(whole(1, *users))
    house.run(whole(2, *users[:1])[:-1])
    house.run(whole(2, *users[1:]))
    assert house.there("users") == {user["sourcedId"] for user in users}


@pytest.mark.parametrize("receipts", [True, False], ids=["by receipt", "nested"])
def test_a_parent_that_comes_brings_all_of_its_derived_rows(house: House, receipts: bool) -> None:
    """A role that its user no longer has is gone, those of users that did not come stay."""
    district = rows()
    users, roles = district["users"], district["roles"]
    derived = {"contentDigest": None}

    def load(some: list[Any], theirs: list[Any]) -> None:
        if receipts:
            messages = [
                schema_line("syncReceipts"),
                *lines({"users": some, "roles": theirs}),
                record_line("syncReceipts", receipt("users", some)),
                record_line("syncReceipts", receipt("roles", theirs, **derived)),
            ]
        else:
            schema = schema_line("users")
            schema["schema"]["properties"]["roles"] = {"type": "array"}
            nested = [
                user
                | {
                    "roles": [
                        {"role": role["role"], "roleType": role["roleType"], "org": {"sourcedId": role["orgSourcedId"]}}
                        for role in theirs
                        if role["userSourcedId"] == user["sourcedId"]
                    ]
                }
                for user in some
            ]
            messages = [schema, *(record_line("users", user) for user in nested)]
        house.run(messages)

    load(users, roles)
    before = house.there("roles")
    assert len(before) == len(roles)
    first = roles[0]["userSourcedId"]
    load([user for user in users if user["sourcedId"] == first], [])
    left = house.query('SELECT "userSourcedId" FROM roles WHERE _sdc_deleted_at IS NULL ORDER BY 1')
    assert left == [(r["userSourcedId"],) for r in roles if r["userSourcedId"] != first]


@pytest.mark.parametrize("fast", [True, False])
def test_a_parent_that_comes_twice_keeps_only_its_last_rows(house: House, fast: bool) -> None:
    """What came with the earlier copy is old, however the lines are read."""
    user = rows()["users"][0]
    stamp = user["dateLastModified"]  # rows that are made of a record repeat its date
    own = {"userSourcedId": user["sourcedId"], "role": "aide", "dateLastModified": stamp}
    one, two = ({"sourcedId": n} | own for n in ("r1", "r2"))
    parts = [("users", user), ("roles", one), ("roles", two), ("users", user), ("roles", two)]
    pages = [[record_line(stream, record)] * (3 if fast else 1) for stream, record in parts]
    house.run(
        [
            schema_line("syncReceipts"), schema_line("users"), schema_line("roles"),
            *(message for page in pages for message in page),
            record_line("syncReceipts", receipt("users", [user])),
            record_line("syncReceipts", receipt("roles", [one, two], contentDigest=None)),
        ]
    )  # fmt: skip
    assert house.there("roles") == {"r2"}
