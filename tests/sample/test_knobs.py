"""Knobs: each makes the provider wrong in one way, and in no other."""

from __future__ import annotations

import time
from contextlib import contextmanager
from http.client import RemoteDisconnected
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from oneroster_sample.district import District
from oneroster_sample.provider import Knobs, Provider

from .client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

DISTRICT = District(schools=1, students_per_school=30, gradebook=False)


@contextmanager
def served(knobs: Knobs, **settings: object) -> Iterator[Client]:
    """A client of a provider with these knobs."""
    with Provider(DISTRICT, knobs=knobs, **settings) as provider, Client(provider) as client:  # type: ignore[arg-type]
        yield client


def test_page_cap_clamps_without_a_word() -> None:
    """A page has fewer records than were asked for, and the total is still the true one."""
    with served(Knobs(page_cap=7)) as client:
        reply = client.get("users", limit=5000)
        assert len(reply.json["users"]) == 7
        assert int(reply.headers["X-Total-Count"]) == DISTRICT.count("users")
        assert "offset=7>" in reply.headers["Link"]


def test_total_and_link_can_be_left_out() -> None:
    """Both headers are only recommended; some services always say 0."""
    with served(Knobs(total_header=False, link_header=False)) as client:
        assert not {"X-Total-Count", "Link"} & set(client.get("users").headers)
    with served(Knobs(total_header="zero")) as client:
        assert client.get("users").headers["X-Total-Count"] == "0"


def test_ignore_offset_repeats_the_first_page() -> None:
    """Whatever the offset, the first page comes."""
    with served(Knobs(ignore_offset=True)) as client:
        assert client.ids("users", limit=5) == client.ids("users", limit=5, offset=50)


def test_links_can_be_the_only_way_on() -> None:
    """Offset is ignored; a token in Link leads to the next page."""
    with served(Knobs(link_tokens=True)) as client:
        first = client.get("users", limit=5, offset=50)
        assert "pageToken=" in first.headers["Link"]
        assert "offset" not in first.headers["Link"]
        assert client.ids("users", limit=5) == [user["sourcedId"] for user in first.json["users"]]


def test_links_can_be_of_no_use() -> None:
    """Each in its own way; the records are the same."""
    wrong = {"tilde": "<~/ims/", "host": "<http://inside.example/ims/", "loop": 'offset=5>; rel="next"'}
    for fault, seen in wrong.items():
        with served(Knobs(link_fault=fault)) as client:  # type: ignore[arg-type]
            assert seen in client.get("users", limit=5, offset=5).headers["Link"], fault
    with served(Knobs(link_fault="unfiltered")) as client:
        assert "filter" not in client.get("users", limit=5, filter="status='active'").headers["Link"]


def test_records_can_be_left_out_after_the_page_was_cut() -> None:
    """The page is short, the next one begins where it would have; the total counts what is shown, or everything."""
    with served(Knobs()) as client:
        users = client.ids("users", limit=10, sort="sourcedId")
    for total, missing in ((True, 2), ("hidden", 0)):
        with served(Knobs(hidden={users[1], users[9]}, total_header=total)) as client:  # type: ignore[arg-type]
            reply = client.get("users", limit=10, sort="sourcedId")
            assert [user["sourcedId"] for user in reply.json["users"]] == [users[0], *users[2:9]]
            assert int(reply.headers["X-Total-Count"]) == DISTRICT.count("users") - missing


def test_offsets_can_end_at_a_window() -> None:
    """Beyond it pages are empty or refused, and the total may say no more than it."""
    with served(Knobs(window=10, total_header="window")) as client:
        assert client.ids("users", limit=10, offset=10) == []
        assert client.get("users", limit=5).headers["X-Total-Count"] == "10"
    with served(Knobs(window=10, window_status=422)) as client:
        assert client.get("users", limit=10, offset=10).status == 422


def test_totals_can_ignore_the_filter() -> None:
    with served(Knobs(total_header="unfiltered")) as client:
        reply = client.get("users", filter="sourcedId='nobody'")
        assert (reply.json["users"], int(reply.headers["X-Total-Count"])) == ([], DISTRICT.count("users"))


def test_totals_can_stand_beside_the_records() -> None:
    with served(Knobs(body_totals=True, total_header=False)) as client:
        reply = client.get("users", limit=5, offset=10)
    assert "X-Total-Count" not in reply.headers
    assert reply.json["totalCount"] == DISTRICT.count("users")
    assert reply.json["offset"] == 10
    assert reply.json["pageCount"] == -(-DISTRICT.count("users") // 5)


def test_filters_can_be_refused_or_ignored() -> None:
    """400, 500, or all records as if nothing had been asked."""
    for status in (400, 500):
        with served(Knobs(refuse_filter=status)) as client:
            assert client.get("users", filter="status='active'").status == status
            assert client.get("users").status == 200
    with served(Knobs(refuse_filter="ignored")) as client:
        assert client.get("users", filter="status='x'").headers["X-Total-Count"] == str(DISTRICT.count("users"))


def test_sorts_can_be_refused_or_ignored() -> None:
    """400, or the service's own order."""
    with served(Knobs(refuse_sort=400)) as client:
        assert client.get("users", sort="sourcedId").status == 400
    with served(Knobs(refuse_sort="ignored")) as client:
        assert client.ids("users", sort="sourcedId") == client.ids("users")


def test_tokens_can_be_short_lived(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its lifetime a token is worth nothing; the answer said how long it lives."""
    with served(Knobs(token_lifetime_seconds=600)) as client:
        assert client.ask_token().json["expires_in"] == 600
        assert client.get("orgs").status == 200
        later = time.monotonic() + 600
        monkeypatch.setattr("oneroster_sample.tokens.time", SimpleNamespace(monotonic=lambda: later))
        assert client.get("orgs").status == 401


def test_latency_is_waited_out() -> None:
    """Every answer takes that long."""
    with served(Knobs(latency_seconds=0.1)) as client:
        began = time.monotonic()
        client.get("orgs")
        assert time.monotonic() - began >= 0.1


def test_the_first_requests_can_fail() -> None:
    """503 with Retry-After, then all is fine; counted by collection."""
    with served(Knobs(fail_first_n=2, retry_after="3")) as client:
        replies = [client.get("orgs") for _ in range(3)]
        assert [reply.status for reply in replies] == [503, 503, 200]
        assert replies[0].headers["Retry-After"] == "3"
        assert client.get("courses").status == 503


def test_a_token_can_be_refused_once() -> None:
    """The first request of a collection gets a 401, the next is answered."""
    with served(Knobs(status_401_once=True)) as client:
        assert [client.get("orgs").status for _ in range(2)] == [401, 200]


def test_json_can_be_something_else() -> None:
    """A log-in page with 200; an array without an envelope; another wrapper."""
    with served(Knobs(html_instead_of_json=True)) as client:
        reply = client.get("orgs")
        assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    with served(Knobs(drop_envelope=True)) as client:
        assert isinstance(client.get("orgs").json, list)
    with served(Knobs(wrapper_alias="data")) as client:
        assert set(client.get("orgs").json) == {"data"}


def test_records_can_come_twice() -> None:
    """Duplicates are at the end and counted."""
    with served(Knobs(duplicate_rows=2)) as client:
        ids = client.ids("orgs")
        assert ids[-2:] == ids[:2]
        assert client.get("orgs").headers["X-Total-Count"] == str(len(ids))


def test_the_service_can_die_in_the_middle() -> None:
    """After so many pages the connection ends without an answer, and that is remembered."""
    with served(Knobs(die_after_pages=2)) as client:
        assert [client.get("orgs", limit=1, offset=n).status for n in range(2)] == [200, 200]
        with pytest.raises(RemoteDisconnected):
            client.get("orgs", limit=1, offset=2)
        assert [request.status for request in client.provider.asked_for("orgs")] == [200, 200, 0]


def test_a_header_can_tell_the_revision() -> None:
    """The revision moves with the data, or when a test says so."""
    with served(Knobs(revision_header="x-perm-rev")) as client:
        before = client.get("orgs").headers["x-perm-rev"]
        client.provider.revision += 1
        assert int(client.get("orgs").headers["x-perm-rev"]) == int(before) + 1
        client.provider.use(DISTRICT.changed())
        assert int(client.get("orgs").headers["x-perm-rev"]) > int(before) + 1


def test_a_knob_can_hold_for_one_collection() -> None:
    """What `knobs_for` names behaves in its own way; a view is a collection of its own."""
    with served(Knobs(), knobs_for={"schools": Knobs(page_cap=1), "users": Knobs(wrapper_alias="people")}) as client:
        assert len(client.ids("schools")) == 1
        assert len(client.ids("orgs")) == 3
        assert set(client.get("users").json) == {"people"}
        assert set(client.get("students").json) == {"users"}


def test_knobs_can_be_turned_while_it_runs() -> None:
    """A test changes its mind between two requests."""
    with served(Knobs()) as client:
        assert client.get("orgs").status == 200
        client.provider.knobs.html_instead_of_json = True
        assert client.get("orgs").body.startswith(b"<!DOCTYPE html>")
