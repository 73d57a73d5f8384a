"""read: what the tap delivers, in Airbyte's words, stream by stream."""

from __future__ import annotations

import pytest
from oneroster_sample.bundle import write_bundle
from oneroster_sample.provider import Knobs

from tests.airbyte.source import Source, configured
from tests.singer import run_tap

ENDED = ["STARTED", "RUNNING", "COMPLETE"]


@pytest.mark.parametrize("binding", ["csv", "rest"])
def test_every_record_of_the_tap_arrives_unchanged(binding, request):
    """Stream by stream the records are those of a Singer run; the states count them."""
    source: Source = request.getfixturevalue(binding)
    names = [s["name"] for s in source.catalog["streams"] if s["name"] != "demographics"]
    outcome, run = source.read(*names), run_tap(source.config)
    assert outcome.code == 0
    records, receipts = dict(outcome.records), outcome.records["syncReceipts"]
    del records["syncReceipts"]
    assert records == {name: found for name, found in run.records.items() if found and name != "syncReceipts"}
    assert outcome.counts == {name: len(outcome.records.get(name, [])) for name in names}
    digests = {receipt["collection"]: receipt["contentDigest"] for receipt in receipts}
    assert digests == {name: receipt["contentDigest"] for name, receipt in run.receipts.items()}
    for name in names:
        assert outcome.statuses[name] == ENDED if outcome.records.get(name) else ["STARTED", "COMPLETE"], name


def test_a_stream_is_told_in_order(csv):
    """Its state comes after its last record and before its end; so does that of a stream made from others' records."""
    outcome = csv.read("users", "roles")
    for stream in ("users", "roles"):
        assert outcome.story(stream) == ["STARTED", "RUNNING", "RECORD", "STATE", "COMPLETE"]


def test_records_have_the_moment_in_milliseconds(csv):
    moments = {record["emitted_at"] for record in csv.read("users").of("RECORD")}
    assert all(1_600_000_000_000 < moment < 4_000_000_000_000 for moment in moments)


def test_what_comes_later_is_younger(district, tmp_path):
    """The rows of a delta beat those of the bulk before it: destinations keep the youngest of a key."""
    for number, mode in enumerate(("bulk", "delta")):
        write_bundle(district.changed(number), tmp_path / f"{number}.zip", mode=mode, only=["enrollments"])
    source = Source(tmp_path, {"mode": "csv", "csv_path": f"{tmp_path}/*.zip"})
    for column in ("", "beginDate"):  # by the shorter way, and by the longer
        catalog = configured(source.catalog, ["enrollments"])
        catalog["streams"][0]["stream"]["json_schema"]["properties"].pop(column, None)
        moments: dict[str, list[int]] = {}
        for record in source("read", catalog=catalog).of("RECORD"):
            moments.setdefault(record["data"]["sourcedId"], []).append(record["emitted_at"])
        assert any(len(found) > 1 for found in moments.values())
        assert all(found == sorted(set(found)) for found in moments.values())


@pytest.mark.parametrize("binding", ["csv", "rest"])
def test_only_what_is_in_the_catalog_is_read(binding, request):
    """No other stream, not even receipts; and roles without the users they come from."""
    source: Source = request.getfixturevalue(binding)
    outcome = source.read("roles", "orgs")
    assert outcome.code == 0
    assert outcome.records.keys() == outcome.statuses.keys() == outcome.counts.keys() == {"roles", "orgs"}


def test_a_column_that_was_not_chosen_stays_in_the_source(csv):
    """The key goes along in any case, and the other values are the same by the longer way."""
    whole = csv.read("users").records["users"]
    catalog = configured(csv.catalog, ["users"])
    columns = catalog["streams"][0]["stream"]["json_schema"]["properties"]
    for column in ("sourcedId", "email", "metadata"):
        del columns[column]
    outcome = csv("read", catalog=catalog)
    kept = [{c: v for c, v in user.items() if c not in {"email", "metadata"}} for user in whole]
    assert outcome.records["users"] == kept


def test_a_catalog_that_names_no_columns_takes_all(csv):
    catalog = {"streams": [{"stream": {"name": "orgs", "json_schema": {}}, "sync_mode": "full_refresh"}]}
    assert csv("read", catalog=catalog).records["orgs"] == csv.read("orgs").records["orgs"]


def test_a_tenant_is_in_every_record(csv):
    csv.config["tenant"] = "north"
    records = csv.read("orgs", "syncReceipts").records
    assert {record["tenant"] for found in records.values() for record in found} == {"north"}


def test_a_bundle_is_read_once(csv):
    """Incrementally a bundle that was read brings nothing; the state stays; full_refresh reads it again."""
    first = csv.read("users", "orgs")
    second = csv.read("users", "orgs", state=first.states, orgs="full_refresh")
    assert second.code == 0
    assert second.records == {"orgs": first.records["orgs"]}
    assert second.counts == {"users": 0, "orgs": len(first.records["orgs"])}
    assert second.statuses["users"] == ["STARTED", "COMPLETE"]
    third = csv.read("users", "orgs", state=second.states)
    assert third.records == {}


def test_a_delta_brings_what_changed(district, tmp_path):
    drop = tmp_path / "drop"
    drop.mkdir()
    source = Source(tmp_path, {"mode": "csv", "csv_path": f"{drop}/*.zip"})
    write_bundle(district, drop / "1.zip")
    first = source.read("enrollments")
    write_bundle(district.changed(), drop / "2.zip", mode="delta")
    second = source.read("enrollments", state=first.states)
    changed = {row["sourcedId"] for row in district.changed().changes("enrollments")}
    assert {record["sourcedId"] for record in second.records["enrollments"]} == changed
    assert {"active", "tobedeleted"} == {record["status"] for record in second.records["enrollments"]}


def test_a_service_is_asked_for_what_changed(rest, service, district):
    """With the state of the first read; and for all of it where the stream is to be read whole."""
    first = rest.read("enrollments", "users")
    service.use(district.changed(20))
    second = rest.read("enrollments", "users", state=first.states, users="full_refresh")
    assert second.code == 0
    assert 0 < second.counts["enrollments"] < first.counts["enrollments"]
    assert [r.query["filter"] for r in service.asked_for("enrollments") if "filter" in r.query]
    assert not [r for r in service.asked_for("users") if "filter" in r.query]


@pytest.fixture
def state(csv):
    """The states of a first read of users and roles."""
    return csv.read("users", "roles").states


def in_any_form(states):
    """The same states as Airbyte, PyAirbyte and older ones of them hand them back."""
    empty = {"namespace": None, "global": None, "data": None, "destinationStats": None}
    streams = [state["stream"] for state in states]
    bookmarks = {s["stream_descriptor"]["name"]: s["stream_state"] for s in streams}
    return {
        "a list of streams": states,
        "with all fields": [{**state, **empty} for state in states],
        "global": [{"type": "GLOBAL", "global": {"shared_state": {"x": 1}, "stream_states": streams}}],
        "global of PyAirbyte": [{"type": "GLOBAL", "global_": {"stream_states": streams}, "stream": None}],
        "legacy in a list": [{"type": "LEGACY", "data": bookmarks}],
        "legacy": bookmarks,
        "of a Singer run": {"bookmarks": bookmarks},
    }


def test_a_state_is_taken_in_any_form(csv, state):
    for form, given in in_any_form(state).items():
        assert csv.read("users", "roles", state=given).records == {}, form


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        {},
        "null",
        [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": None}}],
    ],
    ids=["none", "a list", "an object", "null", "a stream without"],
)
def test_an_empty_state_is_a_first_read(csv, given):
    assert csv.read("users", state=given).counts["users"] > 0


def test_a_state_of_other_streams_changes_nothing(csv, state):
    outcome = csv.read("orgs", state=state)
    assert outcome.counts == {"orgs": len(outcome.records["orgs"])}


def test_what_a_service_repeats_arrives_once(rest, service, district):
    """It takes a second read to know that the copies are the service's own; of the first nothing goes out."""
    service.knobs_for["enrollments"] = Knobs(duplicate_rows=5, page_cap=100, refuse_sort=400)
    outcome = rest.read("enrollments", "syncReceipts")
    assert outcome.code == 0, outcome.errors
    ids = [record["sourcedId"] for record in outcome.records["enrollments"]]
    assert len(set(ids)) == len(ids) == outcome.counts["enrollments"]
    assert set(ids) == {row["sourcedId"] for row in district.rows("enrollments")}
    assert len([r for r in service.asked_for("enrollments") if r.query.get("offset") == "0"]) > 1
    assert outcome.story("enrollments") == ["STARTED", "RUNNING", "RECORD", "STATE", "COMPLETE"]


def test_receipts_of_every_run_are_new(csv):
    """So a history of them grows, whatever the state."""
    first = csv.read("orgs", "syncReceipts")
    second = csv.read("orgs", "syncReceipts", state=first.states)
    runs = {r["runId"] for outcome in (first, second) for r in outcome.records["syncReceipts"]}
    assert len(runs) == 2
    assert second.records["syncReceipts"][0]["mode"] == "skipped"
