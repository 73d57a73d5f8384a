"""BATCH messages: files of rows instead of records, ours and those of the SDK."""

from __future__ import annotations

import gzip
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster.errors import TargetError

from tests.support.batches import batch, parquet
from tests.support.values import plain
from tests.target.mini import activate, encode, lines, receipt, record_line, rows, schema_line

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import House

STATE = {"bookmarks": {"users": {"x": 1}}}


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "jsonl gzip"])
@pytest.mark.parametrize("receipts", [True, False], ids=["receipts", "none"])
def test_rows_of_files_are_rows_as_any(house: House, tmp_path: Path, kind: str, receipts: bool) -> None:
    """Typed, merged, counted, told by their version; the files are removed when all of it is in place."""
    users = [dict(user, metadata={"deep": {"er": 1}}) for user in rows()["users"]]
    files = []
    for number, part in enumerate([users[:2], users[2:]]):
        path = tmp_path / f"{number}.{kind.split(maxsplit=1)[0]}"
        if kind == "parquet":
            parquet(part, path, dateLastModified="TIMESTAMPTZ")
        else:
            data = "".join(json.dumps(user) + "\n" for user in part).encode()
            path.write_bytes(gzip.compress(data) if "gzip" in kind else data)
        files.append(path)
    head = [schema_line("syncReceipts")] if receipts else []
    messages = [
        *head,
        schema_line("users"),
        *(batch("users", path, *kind.split(), version=5) for path in files),
        activate("users", 5),
        *([record_line("syncReceipts", receipt("users", users))] if receipts else []),
        {"type": "STATE", "value": STATE},
    ]
    house.run([schema_line("users"), record_line("users", dict(users[0], sourcedId="old"), 4)])
    assert house.run(messages) == [STATE]
    assert house.there("users") == {user["sourcedId"] for user in users}
    assert house.rows("users")["old"]["_sdc_deleted_at"]
    for user in users:
        found = house.rows("users")[user["sourcedId"]]
        assert {name: plain(found[name]) for name in user} == user
        assert found["_sdc_table_version"] == 5
    assert not any(path.exists() for path in files)


def test_parquet_of_another_tap_is_read_as_its_records_would_be(house: House, tmp_path: Path) -> None:
    """Padded ids and references, words in another case: the shape is the model's, the values are not."""
    orgs: list[dict[str, Any]] = [
        {"sourcedId": "s1  ", "name": "One", "type": "SCHOOL", "parentSourcedId": None},
        {"sourcedId": "s2", "name": "Two", "type": "school", "parentSourcedId": " s1"},
    ]
    house.run([schema_line("orgs"), batch("orgs", parquet(orgs, tmp_path / "orgs.parquet"), "parquet")])
    found = {key: (row["type"], row["parentSourcedId"]) for key, row in house.rows("orgs").items()}
    assert found == {"s1": ("school", None), "s2": ("school", "s1")}


def test_parquet_of_another_shape_goes_row_by_row(house: House, tmp_path: Path) -> None:
    """Foreign names, an unknown column, references as objects."""
    seats = [{"sourced_id": "e1", "class": {"sourcedId": "k1"}, "bus": 7, "role": "student"}]
    path = parquet(seats, tmp_path / "seats.parquet")
    schema = {
        "type": "SCHEMA",
        "stream": "enrollments",
        "key_properties": [],
        "schema": {"properties": {key: {} for key in seats[0]}},
    }
    house.run([schema, batch("enrollments", path, "parquet")])
    (row,) = house.rows("enrollments").values()
    assert (row["sourcedId"], row["classSourcedId"], json.loads(row["metadata"])) == ("e1", "k1", {"bus": 7})


def test_moments_in_rows_of_parquet_need_no_pytz(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB would import it for a time with a zone; nothing that the target needs brings it."""
    monkeypatch.setitem(sys.modules, "pytz", None)
    seats = [dict(row, noSuchColumn="x", dateLastModified="2026-01-02T03:04:05.678Z") for row in rows()["enrollments"]]
    path = parquet(seats, tmp_path / "seats.parquet", dateLastModified="TIMESTAMPTZ")
    house.run([schema_line("enrollments"), batch("enrollments", path, "parquet")])
    found = house.query("SELECT DISTINCT epoch_ms(dateLastModified) FROM enrollments")
    assert found == [(1767323045678,)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"manifest": ["file:///nowhere/x.parquet"]}, "File 1 of a batch of users cannot be read"),
        ({"encoding": {"format": "arrow"}}, "Batches must be Parquet, or JSON lines"),
        ({"stream": "orgs"}, "A batch came before the SCHEMA message"),
    ],
    ids=["no file", "another format", "no schema"],
)
def test_a_batch_that_cannot_be_taken_loads_nothing(
    house: House, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    """One line; the files stay where they are."""
    path = parquet(rows()["users"], tmp_path / "users.parquet")
    messages = [schema_line("users"), batch("users", path, "parquet"), batch("users", path, "parquet") | change]
    with pytest.raises(TargetError, match=words):
        house.run(messages)
    assert not house.path.exists()
    assert path.exists()


def test_a_receipt_counts_the_rows_of_files_too(house: House, tmp_path: Path) -> None:
    users = rows()["users"]
    path = parquet(users, tmp_path / "users.parquet")
    proof = record_line("syncReceipts", receipt("users", users, distinct=len(users) + 1, received=len(users) + 1))
    with pytest.raises(TargetError, match="users: fewer or more rows"):
        house.run([schema_line("syncReceipts"), schema_line("users"), batch("users", path, "parquet"), proof])
    assert path.exists()


def test_records_and_files_of_one_stream_keep_their_order(house: House, tmp_path: Path) -> None:
    """The newest row of an id counts, however it came."""
    users, day = rows()["users"], "2027-01-0{}T00:00:00.000Z"
    path = parquet(
        [dict(user, givenName="File", dateLastModified=day.format(2)) for user in users], tmp_path / "users.parquet"
    )
    newest = dict(users[0], dateLastModified=day.format(3))
    before = [dict(user, dateLastModified=day.format(1)) for user in users]
    house.run(encode([*lines({"users": before}), batch("users", path, "parquet"), record_line("users", newest)]))
    names = {row["sourcedId"]: row["givenName"] for row in house.rows("users").values()}
    assert names == {user["sourcedId"]: "File" for user in users} | {users[0]["sourcedId"]: users[0]["givenName"]}
