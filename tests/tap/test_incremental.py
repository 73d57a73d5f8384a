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
