"""What is not proven to have arrived does not change its table, and no state leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster.errors import TargetError

from tests.csv.bundles import ORGS, write
from tests.singer import run_tap
from tests.target.mini import activate, lines, receipt, record_line, rows, schema_line

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import House

STATE = {"bookmarks": {"users": {"x": 2}}}


def run_of(district: dict[str, list[Any]], **receipts: dict[str, Any] | None) -> list[dict[str, Any]]:
    """A run with receipts; those named are changed, or, where None, left out."""
    proofs = [
        record_line("syncReceipts", receipt(name, records, **(receipts.get(name) or {})))
        for name, records in district.items()
        if receipts.get(name, {}) is not None
    ]
    return [schema_line("syncReceipts"), *lines(district), *proofs, {"type": "STATE", "value": STATE}]


@pytest.fixture
def tonight() -> dict[str, list[Any]]:
    """The district with another name for each user, and each org."""
    district = {name: rows()[name] for name in ("orgs", "users")}
    for user in district["users"]:
        user["familyName"] = "Changed"
    for org in district["orgs"]:
        org["name"] = "Changed"
    return district


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (None, "users: no receipt came, the run broke off"),
        ({"distinct": 99}, "users: fewer or more rows arrived"),
        ({"distinct": 1}, "users: fewer or more rows arrived"),
    ],
    ids=["missing", "counts more", "counts fewer"],
)
def test_a_stream_that_is_not_borne_out_is_left_as_it_was(
    house: House, tonight: dict[str, list[Any]], lie: Any, words: str
) -> None:
    """Its table is untouched, the others are in place; non-zero, no state; the receipts are kept."""
    house.run(lines(rows()))
    before = house.rows("users")
    with pytest.raises(TargetError, match=words):
        house.run(run_of(tonight, users=lie))
    assert house.state == []
    assert house.rows("users") == before
    assert {row["name"] for row in house.rows("orgs").values()} == {"Changed"}
    assert house.query('SELECT count(*) FROM "syncReceipts"') == [(1 if lie is None else 2,)]


def test_a_read_that_did_not_reach_its_end_deletes_nothing(house: House, tonight: dict[str, list[Any]]) -> None:
    """Its rows are real and are merged; the tap itself ends non-zero and keeps its own state."""
    house.run(lines(rows()))
    tonight["users"] = tonight["users"][:1]
    messages = run_of(tonight, users={"complete": False})
    messages = [
        record_line("users", m["record"], 7) if m.get("stream") == "users" and "record" in m else m for m in messages
    ]
    assert house.run([*messages, activate("users", 7)]) == [STATE]
    assert house.there("users") == {user["sourcedId"] for user in rows()["users"]}
    assert "nothing deleted" in house.outcome.tables["users"].note


def test_a_tap_without_receipts_is_taken_unless_they_are_required(house: House) -> None:
    with pytest.raises(TargetError, match="require_receipts is set"):
        house.run(lines(rows(), state=STATE), require_receipts=True)
    assert not house.path.exists()
    assert house.run(lines(rows(), state=STATE)) == [STATE]


def test_receipts_are_a_table_that_grows(house: House) -> None:
    """A row for each collection, source and run; nothing of it is ever deleted."""
    for number in range(3):
        district = rows()
        messages = lines(district, receipts=True)
        for message in messages:
            if message["type"] == "RECORD" and message["stream"] == "syncReceipts":
                message["record"]["runId"] = f"run {number}"
                message["record"]["deviations"] = {"unknown word": 2}
        house.run(messages)
    assert house.query('SELECT count(*), count(DISTINCT "runId"), any_value("deviations") FROM "syncReceipts"') == [
        (3 * len(district), 3, '{"unknown word":2}')
    ]


def test_a_stream_without_a_table_is_named_and_its_receipt_still_counts(house: House, caplog: Any) -> None:
    """A view repeats rows; a foreign stream is not ours; a lying receipt of either keeps the state back."""
    views = {"students": rows()["users"][:1], "buses": [{"sourcedId": "b"}]}
    messages = lines({"orgs": rows()["orgs"]}, receipts=True)
    for name, records in views.items():
        schema = {"type": "SCHEMA", "stream": name, "key_properties": [], "schema": {"properties": {"sourcedId": {}}}}
        messages += [schema, *(record_line(name, record) for record in records)]
        messages.append(record_line("syncReceipts", receipt(name, records, distinct=1 if name == "students" else 5)))
    with pytest.raises(TargetError, match="buses: fewer or more rows"):
        house.run(messages)
    assert "Stream students repeats rows of another stream and is left out." in caplog.text
    assert "Stream buses is not part of the standard and is left out." in caplog.text


def test_a_mapped_stream_is_counted_as_it_came_whatever_the_case_of_its_name(house: House) -> None:
    """A filter of the target leaves rows out on purpose; the receipt names the collection in the standard's words."""
    messages = lines({"orgs": rows()["orgs"]}, receipts=True)
    messages = [m | {"stream": "ORGS"} if m.get("stream") == "orgs" else m for m in messages]
    house.run(messages, stream_maps={"ORGS": {"__filter__": "type == 'school'"}}, require_receipts=True)
    assert house.there("orgs") == {"s1"}
    with pytest.raises(TargetError, match="orgs: fewer or more rows"):
        house.run(messages[:-2] + messages[-1:], stream_maps={"ORGS": {}})


@pytest.mark.parametrize("required", [False, True])
def test_a_promised_stream_that_never_came_is_refused(house: House, required: bool) -> None:
    """Its receipt counts rows, and no schema and no record of it came: no state is written."""
    district = rows()
    messages = [m for m in lines(district, receipts=True, state={"bookmarks": {}}) if m.get("stream") != "users"]
    with pytest.raises(TargetError, match="users: rows were promised and the stream never came"):
        house.run(messages, require_receipts=required)
    assert house.state == []
    assert house.there("orgs")


def test_rows_that_a_stream_map_of_the_tap_leaves_out_are_not_missed(house: House, tmp_path: Path) -> None:
    """The receipt counts them apart, and the table is what was left."""
    bundle = write(tmp_path / "b.zip", {"orgs.csv": ORGS})
    maps = {"orgs": {"__filter__": "type == 'school'"}}
    run = run_tap({"mode": "csv", "csv_path": str(bundle), "settle_seconds": 0, "stream_maps": maps})
    house.run(run.messages, require_receipts=True)
    assert house.there("orgs") == {"s1", "s2"}
    deviations = house.query("SELECT deviations FROM \"syncReceipts\" WHERE collection = 'orgs'")[0][0]
    assert "record left out by stream_maps" in deviations
