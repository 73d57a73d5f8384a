"""Nights after the first: bookmarks, look-back, full reads when due, and what must never move."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
from oneroster_sample.provider import Knobs, Provider

from tests.support.tap import pull


@pytest.fixture(scope="module")
def provider(district):
    """A service that follows the standard."""
    with Provider(district, version="1.2") as running:
        yield running


def stamps(run, stream):
    return [record["dateLastModified"] for record in run.records[stream]]


def test_a_bookmark_is_the_latest_modification_that_came(provider):
    run = pull(provider, "enrollments")
    assert run.state["bookmarks"]["enrollments"]["replication_key_value"] == max(stamps(run, "enrollments"))


def test_the_next_read_starts_a_look_back_before_the_bookmark(provider):
    first = pull(provider, "enrollments")
    bookmark = first.state["bookmarks"]["enrollments"]["replication_key_value"]
    second = pull(provider, "enrollments", state=first.state, lookback_seconds=3 * 86400)
    start = datetime.fromisoformat(bookmark) - timedelta(days=3)
    wanted = {
        r["sourcedId"] for r in first.records["enrollments"] if datetime.fromisoformat(r["dateLastModified"]) >= start
    }
    assert {r["sourcedId"] for r in second.records["enrollments"]} == wanted
    assert second.state["bookmarks"]["enrollments"]["replication_key_value"] == bookmark


def test_a_bookmark_never_runs_ahead_of_the_clock(provider, monkeypatch):
    """A service whose clock is hours ahead must not hide tonight's changes tomorrow."""
    now = datetime(2026, 10, 1, tzinfo=UTC)  # to the service it is seven weeks later

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return now

    monkeypatch.setattr("tap_oneroster.singer.collection_run.datetime", Clock)
    run = pull(provider, "enrollments")
    assert max(stamps(run, "enrollments")) > "2026-11"
    assert run.state["bookmarks"]["enrollments"]["replication_key_value"] == "2026-10-01T00:00:00.000Z"


def test_everything_is_read_again_when_it_is_due(provider):
    first = pull(provider, "enrollments")
    state = copy.deepcopy(first.state)
    state["bookmarks"]["enrollments"]["full_read_at"] = "2020-01-01T00:00:00.000Z"
    due = pull(provider, "enrollments", state=state)
    assert len(due.records["enrollments"]) == len(first.records["enrollments"])
    assert due.receipts["enrollments"]["filter"] is None
    assert "enrollments" in due.of("ACTIVATE_VERSION")
    assert due.state["bookmarks"]["enrollments"]["full_read_at"] > "2026"
    never = pull(provider, "enrollments", state=state, full_refresh_days=0)
    assert never.receipts["enrollments"]["filter"]
    assert "enrollments" not in never.of("ACTIVATE_VERSION")


def test_a_start_date_is_a_filter_and_deletes_nothing(provider):
    run = pull(provider, "enrollments", start_date="2026-11-01T00:00:00Z")
    assert run.records["enrollments"]
    assert min(stamps(run, "enrollments")) >= "2026-11-01"
    assert run.of("ACTIVATE_VERSION") == []
    assert "counts" not in run.state["bookmarks"]["enrollments"]


def test_small_collections_are_read_whole_every_time(provider):
    """A school that vanished is found tonight, not on the day of the full read."""
    first = pull(provider, "orgs", "courses")
    second = pull(provider, "orgs", "courses", state=first.state)
    for name in ("orgs", "courses"):
        assert len(second.records[name]) == len(first.records[name])
        assert second.receipts[name]["filter"] is None


def test_a_parents_read_starts_at_the_oldest_bookmark_of_its_family(provider):
    """Profiles selected tonight for the first time: all users are read, though their own bookmark is recent."""
    first = pull(provider, "users", lookback_seconds=0)
    second = pull(provider, "users", "userProfiles", state=first.state, lookback_seconds=0)
    assert len(second.records["users"]) == len(first.records["users"])
    whole = pull(provider, "userProfiles")
    assert len(second.records["userProfiles"]) == len(whole.records["userProfiles"])
    third = pull(provider, "users", "userProfiles", state=second.state, lookback_seconds=0)
    assert len(third.records["users"]) < len(first.records["users"])


@pytest.mark.parametrize("streams", [("users", "userProfiles", "userResources"), ("userProfiles", "roles")])
def test_an_empty_derived_stream_has_been_read_as_far_as_its_parent(district, streams):
    """A service without profiles and resources: the second night brings what changed, not every user again."""

    def bare(record):
        return {key: value for key, value in record.items() if key not in {"userProfiles", "resources"}}

    with Provider(district, version="1.2", knobs_for={"users": Knobs(spelling=bare)}) as plain:
        first = pull(plain, *streams, lookback_seconds=0)
        second = pull(plain, *streams, state=first.state, lookback_seconds=0)
    filled = [name for name in streams if first.records[name]]
    assert filled == [streams[0] if streams[0] == "users" else "roles"]
    bookmarks = {first.state["bookmarks"][name]["replication_key_value"] for name in streams}
    assert bookmarks == {max(stamps(first, filled[0]))}
    assert all(second.receipts[name]["filter"] for name in streams)
    assert len(second.records[filled[0]]) < len(first.records[filled[0]])


@pytest.mark.parametrize("streams", [("userProfiles",), ("userProfiles", "userResources")])
def test_empty_derived_streams_alone_have_been_read_as_far_as_the_parent_that_is_not_selected(district, streams):
    """The users are read and not delivered: the second night reads those that changed."""

    def bare(record):
        return {key: value for key, value in record.items() if key not in {"userProfiles", "resources"}}

    with Provider(district, version="1.2", knobs_for={"users": Knobs(spelling=bare)}) as plain:
        first = pull(plain, *streams, lookback_seconds=0)
        second = pull(plain, *streams, state=first.state, lookback_seconds=0)
        users = pull(plain, "users")
    bookmarks = {first.state["bookmarks"][name]["replication_key_value"] for name in streams}
    assert bookmarks == {max(stamps(users, "users"))}
    assert all(second.receipts[name]["filter"] for name in streams)
    assert {second.state["bookmarks"][name]["replication_key_value"] for name in streams} == bookmarks


BLIND = Knobs(total_header=False, link_header=False, refuse_sort=400)
"""Neither total nor Link, and the service neither sorts nor filters by id: nothing proves an end."""


def test_an_end_that_nothing_proves_deletes_nothing_and_moves_no_bookmark(district, caplog):
    """What came is delivered; the next night reads the same again, and receipt and log say so."""
    with Provider(district, version="1.2", knobs_for={"enrollments": BLIND}) as running:
        first = pull(running, "enrollments", "orgs", page_size=50)
        second = pull(running, "enrollments", "orgs", page_size=50, state=first.state)
    assert not first.error
    assert first.of("ACTIVATE_VERSION") == ["orgs"]
    assert first.receipts["enrollments"]["deviations"]["end of the collection not proven"] == 1
    assert "replication_key_value" not in first.state["bookmarks"]["enrollments"]
    assert second.receipts["enrollments"]["filter"] is None
    assert len(second.records["enrollments"]) == len(first.records["enrollments"])
    told = [text for text in caplog.messages if "nothing proves" in text]
    assert len(told) == 2
    assert all(text.startswith("enrollments: ") and "the next run reads everything again" in text for text in told)


@pytest.mark.parametrize("days", [0, 7])
def test_an_incremental_read_without_a_proven_end_keeps_the_last_proven_bookmark(provider, district, caplog, days):
    """Each night reads from there, until an end is proven; a full read that was due is not due again each night."""
    proven = pull(provider, "enrollments", lookback_seconds=0)
    state = copy.deepcopy(proven.state)
    bookmark = state["bookmarks"]["enrollments"]
    bookmark["replication_key_value"] = "2026-11-01T00:00:00.000Z"
    bookmark["full_read_at"] = "2020-01-01T00:00:00.000Z"
    more = {"page_size": 50, "lookback_seconds": 0, "full_refresh_days": days}
    with Provider(district, version="1.2", knobs_for={"enrollments": BLIND}) as running:
        first = pull(running, "enrollments", state=state, **more)
        second = pull(running, "enrollments", state=first.state, **more)
    assert (first.receipts["enrollments"]["filter"] is None) is bool(days)
    for run in (first, second):
        assert run.state["bookmarks"]["enrollments"]["replication_key_value"] == "2026-11-01T00:00:00.000Z"
    assert second.receipts["enrollments"]["filter"] == "dateLastModified>='2026-11-01T00:00:00.000Z'"
    assert any("the next run reads from 2026-11-01T00:00:00.000Z again" in text for text in caplog.messages)
    healed = pull(provider, "enrollments", state=second.state, lookback_seconds=0)
    assert healed.state["bookmarks"]["enrollments"]["replication_key_value"] == max(stamps(healed, "enrollments"))


def test_a_derived_stream_moves_no_further_than_an_unproven_end_of_its_parent(district):
    with Provider(district, version="1.2", knobs_for={"users": BLIND}) as running:
        run = pull(running, "users", "roles", page_size=20)
        alone = pull(running, "roles", page_size=20)
    for name in ("users", "roles"):
        assert "replication_key_value" not in run.state["bookmarks"][name]
    assert "replication_key_value" not in alone.state["bookmarks"]["roles"]
    assert alone.records["roles"]
    assert alone.of("ACTIVATE_VERSION") == []


@pytest.mark.parametrize("refuse_sort", [None, 400])
def test_a_total_that_is_never_reached_is_no_moving_service(district, refuse_sort):
    """Three equal reads: the message names the setting; with it what came is delivered, and nothing deleted.

    Who accepts the missing records has also decided that the bookmark may move.
    """
    with Provider(district, version="1.2") as running:
        everything = sorted(one["sourcedId"] for one in pull(running, "enrollments").records["enrollments"])
    knobs = Knobs(hidden=set(everything[5:12]), total_header="hidden", refuse_sort=refuse_sort, link_header=False)
    with Provider(district, version="1.2", knobs_for={"enrollments": knobs}) as running:
        failed = pull(running, "enrollments", page_size=50)
        accepted = pull(running, "enrollments", page_size=50, on_total_mismatch="accept")
        again = pull(running, "enrollments", page_size=50, on_total_mismatch="accept", state=accepted.state)
    assert "the same in each of 3 reads" in failed.error
    assert "on_total_mismatch to accept" in failed.error
    assert "quieter hour" not in failed.error
    assert not accepted.error
    assert "enrollments" not in accepted.of("ACTIVATE_VERSION")
    assert {one["sourcedId"] for one in accepted.records["enrollments"]} == {*everything[:5], *everything[12:]}
    assert accepted.receipts["enrollments"]["deviations"]["records of the total that never came, accepted"] == 7
    assert again.receipts["enrollments"]["filter"]


@pytest.mark.parametrize("window_status", [None, 400, 404, 422])
@pytest.mark.parametrize("total", [True, False, "window"])
def test_a_window_over_the_offsets_costs_no_rows(provider, district, window_status, total):
    """Read on by the last id, complete, and what vanished is deleted."""
    whole = pull(provider, "enrollments")
    knobs = Knobs(window=200, window_status=window_status, total_header=total, link_header=False)
    with Provider(district, version="1.2", knobs_for={"enrollments": knobs}) as running:
        run = pull(running, "enrollments", page_size=50)
    assert not run.error
    assert sorted(r["sourcedId"] for r in run.records["enrollments"]) == sorted(
        r["sourcedId"] for r in whole.records["enrollments"]
    )
    assert "enrollments" in run.of("ACTIVATE_VERSION")


@pytest.mark.parametrize(
    "knobs",
    [
        Knobs(die_after_pages=1),
        Knobs(html_instead_of_json=True),
        Knobs(drop_envelope=True),
        Knobs(ignore_offset=True, page_cap=20),
    ],
    ids=["connection dies", "a log-in page", "no envelope", "offset ignored"],
)
def test_a_collection_that_fails_leaves_no_trace_in_state(provider, district, knobs, monkeypatch):
    """The rows that came carry a version that is never activated; the next night starts where this one did."""
    good = pull(provider, "enrollments", "orgs")
    monkeypatch.setattr("tap_oneroster._core.http.pace.Backoff.wait", lambda *_: 0.0)
    with Provider(district, version="1.2", knobs_for={"enrollments": knobs}) as bad:
        run = pull(
            bad, "enrollments", "orgs", state=good.state, page_size=20, full_refresh_days=0, lookback_seconds=10**8
        )
    assert run.error
    assert "enrollments" in run.error
    assert run.of("ACTIVATE_VERSION") == ["orgs"]
    assert run.state["bookmarks"]["enrollments"] == good.state["bookmarks"]["enrollments"]
    assert run.receipts["enrollments"]["complete"] is False
    assert run.receipts["orgs"]["complete"] is True
    assert "signpost" not in json.dumps(run.state)
