"""Whole collections from a real HTTP service that differs from the standard, one way at a time."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oneroster_sample.provider import Knobs
from tap_oneroster._core.model import VIEWS, file
from tap_oneroster.source import (
    CollectionMoved,
    FatalSourceError,
    MissingCollection,
    Request,
    SourceError,
    TotalMismatch,
)

from .conftest import served

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def deviations(pull: Any, stream: str = "users") -> dict[str, int]:
    return dict(pull.facts[stream].deviations)


WAYS = {
    "a page capped without a word": Knobs(page_cap=7),
    "pages of one record": Knobs(page_cap=1),
    "short pages in the middle": Knobs(page_cap=20, page_lengths=(20, 3, 20, 1, 20)),
    "empty pages in the middle": Knobs(page_cap=20, page_lengths=(20, 20, 0, 20, 0)),
    "no total": Knobs(page_cap=20, total_header=False),
    "no total, an empty page in the middle": Knobs(page_cap=20, total_header=False, page_lengths=(20, 20, 0, 20)),
    "a total of 0": Knobs(page_cap=20, total_header="zero"),
    "a total of the page only": Knobs(page_cap=20, total_header="page"),
    "no links": Knobs(page_cap=20, link_header=False),
    "links by token, offset ignored": Knobs(page_cap=20, link_tokens=True),
    "links by token, offset ignored, no total": Knobs(page_cap=20, link_tokens=True, total_header=False),
    "links by token, offset ignored, in no order": Knobs(page_cap=20, link_tokens=True, refuse_sort="ignored"),
    "links by token, offset ignored, bodies cut short": Knobs(page_cap=20, link_tokens=True, cut_first_n=2),
    "links by token, one page holds everything, no total": Knobs(link_tokens=True, total_header=False),
    "links to another host": Knobs(page_cap=20, link_fault="host"),
    "links that begin with a tilde": Knobs(page_cap=20, link_fault="tilde"),
    "links that lose the filter": Knobs(page_cap=20, link_fault="unfiltered"),
    "links that loop": Knobs(page_cap=20, link_fault="loop"),
    "the total beside the records": Knobs(page_cap=20, total_header=False, body_totals=True),
    "the total beside the records, 0 in the header": Knobs(page_cap=20, total_header="zero", body_totals=True),
    "the total beside the records, under another wrapper": Knobs(
        page_cap=20, total_header=False, body_totals=True, wrapper_alias="data"
    ),
    "sort refused with 400": Knobs(page_cap=20, refuse_sort=400),
    "sort refused with 500": Knobs(page_cap=20, refuse_sort=500),
    "sort ignored": Knobs(page_cap=20, refuse_sort="ignored"),
    "503 at first": Knobs(page_cap=20, fail_first_n=3),
    "429 at first": Knobs(page_cap=20, fail_first_n=2, fail_status=429),
    "429 without Retry-After": Knobs(page_cap=20, fail_first_n=2, fail_status=429, retry_after=None),
    "401 once": Knobs(page_cap=20, status_401_once=True),
    "bodies cut short": Knobs(page_cap=20, cut_first_n=2),
    "bodies cut short, compressed": Knobs(page_cap=80, cut_first_n=2, gzip=True),
    "not compressed": Knobs(page_cap=20, gzip=False),
    "another wrapper": Knobs(page_cap=20, wrapper_alias="data"),
    "tokens without life and scope": Knobs(page_cap=20, bare_token=True),
    "tokens that live a second": Knobs(page_cap=5, token_lifetime_seconds=1, latency_seconds=0.1),
}


@pytest.mark.parametrize("way", WAYS)
def test_all_users_and_what_they_hold_arrive_in_spite_of(way: str, users: list[str]) -> None:
    """The same set of records, each once, and a complete snapshot."""
    with served(WAYS[way]) as reader:
        pull = reader.read("users")
    assert sorted(pull.ids("users")) == users
    assert pull.attempts == 1
    assert all(facts.complete and facts.snapshot for facts in pull.facts.values())
    assert len(pull.records["roles"]) >= len(users)


WINDOWS = {
    f"a window that answers {status or 'with an empty page'}, {links}, {total}": Knobs(
        page_cap=10, window=40, window_status=status, link_header=links == "links", total_header=total
    )
    for status in (None, 400, 404, 422)
    for links in ("links", "no links")
    for total in (True, False, "window")
}


@pytest.mark.parametrize("way", WINDOWS)
def test_a_window_over_the_offsets_is_passed_by_key(way: str, users: list[str]) -> None:
    """Where the service sorts and filters, what lies beyond is asked for by the last id that came."""
    with served(WINDOWS[way]) as reader:
        pull = reader.read("users")
        filters = {request.query.get("filter") for request in reader.provider.asked_for("users")}
    assert sorted(pull.ids("users")) == users
    assert (pull.attempts, pull.facts["users"].snapshot) == (1, True)
    assert any(one and one.startswith("sourcedId>'") for one in filters)


def test_reading_by_key_keeps_the_filter(users: list[str]) -> None:
    with served(Knobs(page_cap=10, window=40, total_header=False)) as reader:
        pull = reader.read("users", since=LONG_AGO)
        filters = {request.query.get("filter") for request in reader.provider.asked_for("users")}
    assert sorted(pull.ids("users")) == users
    assert all(one and one.startswith("dateLastModified>='2020-01-01T00:00:00.000Z'") for one in filters)
    assert any(" AND sourcedId>'" in str(one) for one in filters)


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("filter_", [None, 400, "ignored"])
@pytest.mark.parametrize("sort", [None, 400])
def test_records_left_out_after_the_page_was_cut_do_not_end_the_read(
    links: bool, total: bool, filter_: Any, sort: int | None, users: list[str]
) -> None:
    """Pages in the middle are short or empty; where nothing proves the end, nothing is deleted."""
    hidden = {*users[3:7], *users[20:43], users[61]}
    knobs = Knobs(
        page_cap=10, hidden=hidden, link_header=links, total_header=total, refuse_filter=filter_, refuse_sort=sort
    )
    with served(knobs) as reader:
        pull = reader.read("users")
    facts = pull.facts["users"]
    came = sorted(pull.ids("users"))
    assert came == [one for one in users if one not in hidden] or "end of the collection not proven" in facts.deviations
    assert facts.snapshot is ("end of the collection not proven" not in facts.deviations)
    if links or total or not sort:
        assert came == [one for one in users if one not in hidden]
        assert facts.snapshot


def test_small_collections_without_totals_cost_two_requests() -> None:
    """The page, and one that proves that it was all; an empty collection, too."""
    with served(Knobs(total_header=False, link_header=False), oneroster_version="1.2") as reader:
        for name in ("orgs", "classes", "users"):
            assert reader.read(name).facts[name].snapshot
            assert len(reader.provider.asked_for(name)) == 2, name
        reader.read("users", since=datetime(2090, 1, 1, tzinfo=UTC))
        assert len(reader.provider.asked_for("users")) == 4


@pytest.mark.parametrize("sort", [None, 400])
def test_an_honest_total_costs_one_request_beyond_the_pages(sort: int | None) -> None:
    with served(Knobs(page_cap=30, refuse_sort=sort), oneroster_version="1.2") as reader:
        reader.read("users")
        assert len([one for one in reader.provider.asked_for("users") if one.status == 200]) == 4


def test_an_end_that_nothing_proves_is_said_and_deletes_nothing(users: list[str]) -> None:
    knobs = Knobs(page_cap=30, total_header=False, link_header=False, refuse_filter=400, refuse_sort=400)
    with served(knobs, oneroster_version="1.2", max_concurrency=1) as reader:
        pull = reader.read("users")
        assert len([one for one in reader.provider.asked_for("users") if one.status == 200]) <= 7
    assert sorted(pull.ids("users")) == users
    facts = pull.facts["users"]
    assert (facts.complete, facts.snapshot) == (True, False)
    assert facts.deviations["end of the collection not proven"] == 1


def test_an_id_with_a_quote_is_asked_for_rightly(users: list[str]) -> None:
    """The quote is doubled; it ends the value for nobody."""

    def quoted(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, "sourcedId": "o'" + record["sourcedId"]}

    with served(Knobs(page_cap=10, window=40, spelling=quoted)) as reader:
        with pytest.raises(
            SourceError, match="no page brings them"
        ) as caught:  # this service compares the ids that it has itself
            reader.once("users")
        assert "o'" not in str(caught.value)
        asked = [request.query.get("filter", "") for request in reader.provider.asked_for("users")]
    assert any(one.startswith("sourcedId>'o''") for one in asked)


def test_no_id_is_logged_on_any_level(users: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """The library below logs the address of each request, and an id stands in that of the request by key."""
    with caplog.at_level("DEBUG"), served(Knobs(page_cap=10, window=40, total_header=False)) as reader:
        reader.read("users")
        filters = [request.query.get("filter", "") for request in reader.provider.asked_for("users")]
    assert any(one.startswith("sourcedId>'") for one in filters)
    assert not [one for one in users if one in caplog.text]


@pytest.mark.parametrize("changed", [True, False])
def test_a_total_that_ignores_the_filter_is_recognised(changed: bool, users: list[str]) -> None:
    """An incremental night that brings 5 of 83 is complete: a filter that nothing passes has the same total."""
    since = datetime(2020 if changed else 2090, 1, 1, tzinfo=UTC)
    with served(Knobs(page_cap=20, total_header="unfiltered", without=set(users[5:]))) as reader:
        pull = reader.read("users", since=since)
    assert sorted(pull.ids("users")) == (users[:5] if changed else [])
    facts = pull.facts["users"]
    assert (pull.attempts, facts.complete, facts.expected) == (1, True, None)
    assert facts.deviations["total ignores the filter"] == 1


@pytest.mark.parametrize("sort", [None, 400])
@pytest.mark.parametrize("answer", ["fail", "accept"])
def test_a_total_that_counts_hidden_records_fails_until_it_is_accepted(
    answer: str, sort: int | None, users: list[str]
) -> None:
    hidden = {*users[10:14], users[-1]}
    knobs = Knobs(page_cap=20, hidden=hidden, total_header="hidden", refuse_sort=sort)
    with served(knobs, on_total_mismatch=answer) as reader:
        if answer == "fail":
            with pytest.raises(TotalMismatch, match="promised 83 records and sent 78"):
                reader.read("users")
            return
        pull = reader.read("users")
    facts = pull.facts["users"]
    assert sorted(pull.ids("users")) == [one for one in users if one not in hidden]
    assert (facts.complete, facts.snapshot) == (True, False)
    assert facts.deviations["records of the total that never came, accepted"] == 5


def test_what_the_service_does_is_told_in_the_facts() -> None:
    with served(Knobs(page_cap=20, refuse_sort=400, wrapper_alias="data")) as reader:
        facts = reader.read("users").facts["users"]
    assert facts.page_size_asked == 100
    assert facts.page_size_served == 20
    assert facts.expected == 83
    assert facts.pages == 6
    assert facts.deviations["sort refused by the service"] == 1
    assert facts.deviations["wrapper: another name than the standard's"] == 1


def test_pages_after_the_first_are_asked_for_together() -> None:
    """A service that answers none of them before eight are asked for is read to its end."""
    asked: list[int] = []
    eight = threading.Event()

    def wait(number: int) -> None:
        asked.append(number)
        if number and len([other for other in asked if other]) >= 8:
            eight.set()
        if number:
            assert eight.wait(240)

    with served(Knobs(page_cap=5, before_page=wait), max_concurrency=16, streams={"users"}) as reader:
        reader.read("users")
        assert len(reader.provider.requests) > 15
    assert eight.is_set()


def test_requests_per_minute_is_kept() -> None:
    with served(Knobs(page_cap=30), requests_per_minute=600, oneroster_version="1.2") as reader:
        started = time.monotonic()
        reader.read("users")
        requests = len(reader.provider.requests)
        assert time.monotonic() - started >= (requests - 1) * 0.1


def test_retry_after_may_be_a_date() -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=2)).replace(microsecond=0)
    with served(
        Knobs(fail_first_n=1, retry_after=format_datetime(soon, usegmt=True)), oneroster_version="1.2"
    ) as reader:
        reader.read("orgs")
    assert datetime.now(UTC) >= soon - timedelta(milliseconds=50)


def test_offset_that_is_ignored_is_an_error_unless_one_page_holds_all() -> None:
    with served(Knobs(page_cap=20, ignore_offset=True)) as reader, pytest.raises(SourceError, match="ignores offset"):
        reader.once("users")
    with served(Knobs(ignore_offset=True)) as reader:
        assert len(reader.once("users").ids("users")) == 83


def test_a_total_beside_the_records_is_held_against_what_came(users: list[str]) -> None:
    """The same trust as in the header: expected in the receipt, and pages asked for together."""
    with served(Knobs(page_cap=20, total_header=False, body_totals=True)) as reader:
        facts = reader.read("users").facts["users"]
    assert facts.expected == len(users)
    assert facts.deviations["total beside the records, not in the header"] == 1
    short = Knobs(page_cap=20, total_header=False, body_totals=True, refuse_sort=400, page_lengths=(20, 20, *[0] * 200))
    with served(short) as reader, pytest.raises(CollectionMoved, match="promised"):
        reader.once("users")


@pytest.mark.parametrize("fault", ["tilde", "host", "loop"])
@pytest.mark.parametrize("total", [True, False])
def test_links_of_no_use_where_offset_is_ignored_fail(fault: Any, total: bool) -> None:
    """No third outcome: not the first pages only, and no request to the other host."""
    knobs = Knobs(page_cap=20, link_tokens=True, link_fault=fault, total_header=total)
    with served(knobs) as reader, pytest.raises(SourceError, match="Link to the next page is of no use"):
        reader.once("users")


def test_a_link_that_loses_the_filter_is_not_followed() -> None:
    since = datetime(2020, 1, 1, tzinfo=UTC)
    knobs = Knobs(page_cap=20, link_tokens=True, link_fault="unfiltered")
    with served(knobs) as reader, pytest.raises(SourceError, match="filter left out"):
        reader.once("users", since=since)
    with served(replace(knobs, link_fault=None)) as reader:
        pull = reader.once("users", since=since)
        assert {request.query.get("filter") for request in reader.provider.asked_for("users")} == {
            "dateLastModified>='2020-01-01T00:00:00.000Z'"
        }
    assert len(pull.ids("users")) == 83
    assert deviations(pull)["offset ignored; read along Link"] == 1


@pytest.mark.parametrize(
    ("fault", "rule"), [("host", "another host"), ("tilde", "not an address"), ("unfiltered", "filter left out")]
)
def test_a_link_that_cannot_be_followed_is_counted(fault: Any, rule: str) -> None:
    with served(Knobs(page_cap=20, link_fault=fault)) as reader:
        pull = reader.once("users", since=LONG_AGO)
    assert len(pull.ids("users")) == 83
    assert deviations(pull)[f"Link to the next page: {rule}"] == 1


@pytest.mark.parametrize("sort", [None, 400])
def test_records_that_the_service_itself_repeats_come_once(sort: int | None, users: list[str]) -> None:
    """The first read cannot tell them from rows that slid; the second one can."""
    with served(Knobs(page_cap=20, duplicate_rows=5, refuse_sort=sort)) as reader:
        pull = reader.read("users")
    assert sorted(pull.ids("users")) == users
    assert pull.attempts == 2
    assert deviations(pull)["the same record more than once: identical"] == 5


def test_rows_deleted_under_a_sorted_read_cost_no_other_row(users: list[str]) -> None:
    knobs = Knobs(page_cap=10)
    knobs.before_page = lambda number: knobs.without.update(users[:4] if number == 2 else ())
    with served(knobs, max_concurrency=1) as reader:
        pull = reader.read("users")
    assert sorted(pull.ids("users")) == users
    assert pull.attempts == 1
    assert pull.facts["users"].complete


def test_totals_that_move_all_through_the_pull_still_end_in_a_complete_run(users: list[str]) -> None:
    knobs = Knobs(page_cap=10, without=set(users[:30]))

    def churn(number: int) -> None:
        knobs.without.discard(users[number])
        knobs.without.add(users[40 + number])

    knobs.before_page = churn
    with served(knobs) as reader:
        pull = reader.read("users")
    came = pull.ids("users")
    assert len(came) == len(set(came))
    assert set(users[60:]) <= set(came)
    assert pull.facts["users"].complete


def test_without_order_a_moving_total_is_read_again_and_then_fails(users: list[str]) -> None:
    knobs = Knobs(page_cap=10, refuse_sort=400)
    knobs.before_page = lambda number: knobs.without.add(users[number])
    with served(knobs) as reader, pytest.raises(CollectionMoved):
        reader.read("users")
    once = Knobs(page_cap=10, refuse_sort=400)
    once.before_page = lambda number: once.without.update({users[0]} if number == 3 else ())
    with served(once) as reader:
        pull = reader.read("users")
    assert pull.attempts == 2
    assert sorted(pull.ids("users")) == users[1:]


def test_a_revision_that_changes_is_noticed() -> None:
    knobs = Knobs(page_cap=10, refuse_sort=400, revision_header="x-perm-rev")
    with served(knobs, max_concurrency=1) as reader:

        def bump(number: int) -> None:
            reader.provider.revision = 8 if number >= 3 else 7

        knobs.before_page = bump
        pull = reader.read("users")
    assert pull.attempts == 2
    assert pull.facts["users"].revision == "8"


def test_an_incremental_read_asks_the_service_to_filter() -> None:
    with served() as reader:
        pull = reader.read("users", since=datetime(2030, 1, 1, tzinfo=UTC))
        asked = reader.provider.asked_for("users")[0].query["filter"]
    assert pull.ids("users") == []
    assert asked == "dateLastModified>='2030-01-01T00:00:00.000Z'"
    facts = pull.facts["users"]
    assert facts.filter == asked
    assert facts.complete
    assert not facts.snapshot


@pytest.mark.parametrize("refusal", [400, 500, "ignored"])
def test_a_filter_that_is_refused_or_ignored_is_applied_here(refusal: Any) -> None:
    with served() as reader:
        everything = reader.read("enrollments").records["enrollments"]
    moments = sorted(record.dateLastModified for record in everything)
    since = datetime.fromisoformat(moments[len(moments) // 2])
    expected = sorted(r.sourcedId for r in everything if r.dateLastModified >= moments[len(moments) // 2])
    with served(Knobs(page_cap=50, refuse_filter=refusal)) as reader:
        pull = reader.read("enrollments", since=since)
    assert sorted(pull.ids("enrollments")) == expected
    rule = "filter ignored by the service" if refusal == "ignored" else "filter refused by the service"
    assert deviations(pull, "enrollments")[rule] == 1
    assert pull.facts["enrollments"].filter
    assert pull.facts["enrollments"].expected is None


def test_records_without_a_date_pass_a_filter_applied_here() -> None:
    def forget(record: dict[str, Any]) -> dict[str, Any]:
        record.pop("dateLastModified")
        return record

    with served(Knobs(refuse_filter=400, spelling=forget)) as reader:
        pull = reader.read("orgs", since=datetime(2030, 1, 1, tzinfo=UTC))
    assert len(pull.ids("orgs")) == 3
    assert deviations(pull, "orgs")["dateLastModified: missing"] == 3


def test_a_status_filter_applies_to_full_reads_only() -> None:
    with served(status_filter="active") as reader:
        facts = reader.read("users").facts["users"]
        reader.read("users", since=LONG_AGO)
        asked = [request.query.get("filter") for request in reader.provider.asked_for("users")]
    assert facts.filter == "status='active'"
    assert not facts.snapshot
    assert {a and a.split("'")[0] for a in asked} == {"status=", "dateLastModified>="}


def test_supports_filter_and_sort_can_be_set() -> None:
    with served(supports_filter="false", supports_sort="false") as reader:
        reader.read("users", since=LONG_AGO)
        assert all(set(r.query) == {"limit", "offset"} for r in reader.provider.asked_for("users"))
    with served(Knobs(refuse_filter=400), supports_filter="true") as reader, pytest.raises(SourceError, match="auto"):
        reader.read("users", since=LONG_AGO)


def test_a_web_page_with_status_200_is_an_error() -> None:
    with (
        served(Knobs(html_instead_of_json=True), oneroster_version="1.2") as reader,
        pytest.raises(SourceError, match="a web page where JSON should be") as caught,
    ):
        reader.once("users")
    assert "Sign in" not in str(caught.value)


def test_an_answer_without_its_envelope_is_an_error() -> None:
    with (
        served(Knobs(drop_envelope=True), oneroster_version="1.2") as reader,
        pytest.raises(SourceError, match="no list users in the answer"),
    ):
        reader.once("users")


def test_a_service_that_dies_in_the_middle_fails_and_says_where() -> None:
    with (
        served(Knobs(page_cap=10, die_after_pages=4), max_concurrency=1) as reader,
        pytest.raises(SourceError, match=r"users, offset \d+: .*6 times"),
    ):
        reader.once("users")


def test_a_redirect_to_another_host_gets_no_credentials() -> None:
    with (
        served() as other,
        served(Knobs(redirect_to=other.provider.base_url + "/x"), oneroster_version="1.2") as reader,
    ):
        with pytest.raises(SourceError, match="redirects to another host"):
            reader.once("users")
        assert other.provider.requests == []


def test_a_collection_that_may_not_be_read_names_what_to_check() -> None:
    granted = ("roster-core.readonly", "roster.readonly")
    with served(provider={"scopes": granted}) as reader:
        with pytest.raises(MissingCollection, match=r"demographics: status 403: .*scopes"):
            reader.once("demographics")
        assert len(reader.once("users").ids("users")) == 83
    with served(provider={"scopes": granted}, missing_collections="accept") as reader:
        facts = reader.once("demographics").facts["demographics"]
    assert (facts.mode, facts.complete, facts.snapshot) == ("absent", True, False)


def test_what_a_version_does_not_have_is_absent_and_said() -> None:
    with served(version="1.1") as reader:
        facts = reader.once("scoreScales").facts["scoreScales"]
    assert facts.mode == "absent"
    assert facts.deviations == {"not part of OneRoster 1.1": 1}


def test_a_reader_that_stops_early_does_not_hang() -> None:
    """The tap's --test takes the first records of each stream and drops the rest."""
    with served(Knobs(page_cap=2, latency_seconds=0.1), max_concurrency=8, oneroster_version="1.2") as reader:
        (part,) = reader.source.passes(Request(file("users"), (file("users"),)))
        batches = iter(part)
        next(batches)
        batches.close()  # type: ignore[attr-defined]
        reader.source.close()
        assert len(reader.provider.requests) < 30  # of more than 40 pages


def nameless(record: dict[str, Any]) -> dict[str, Any]:
    if record["sourcedId"].endswith("7"):
        record["sourcedId"] = " "
    return record


def test_records_without_an_id_are_left_out_and_the_part_is_not_complete(users: list[str]) -> None:
    kept = [one for one in users if not one.endswith("7")]
    for decision in ("report", "accept"):
        with served(Knobs(page_cap=20, spelling=nameless), on_invalid=decision) as reader:
            (part,) = reader.source.passes(Request(file("users"), (file("users"), file("roles"))))
            came: list[str] = []
            with pytest.raises(SourceError, match="left out") if decision == "report" else nullcontext():
                for batch in part:
                    came += [one.sourcedId for one in batch.records if batch.file.name == "users"]  # type: ignore[attr-defined]
            facts = part.facts["users"]
        assert sorted(came) == kept
        assert facts.rejected == len(users) - len(kept) == facts.deviations["sourcedId: blank"]
        assert facts.complete is (decision == "accept")
        assert not facts.snapshot
    with served(Knobs(spelling=nameless), on_invalid="fail") as reader, pytest.raises(SourceError, match="blank"):
        reader.once("users")


def test_views_are_collections_like_any_other() -> None:
    view = next(view for view in VIEWS if view.name == "students")
    students = replace(file("users"), name=view.name, collection=view.collection, derived=None)
    with served(Knobs(page_cap=20)) as reader:
        pull = reader.once("students", of=students)
        assert {request.path.rpartition("/")[2] for request in reader.provider.asked_for("students")} == {"students"}
    assert 20 < len(pull.ids("students")) < 83
    assert deviations(pull, "students") == {}


def test_derived_streams_come_without_their_parent() -> None:
    with served() as reader:
        alone = reader.once("users", streams=("roles", "userProfiles"))
        family = reader.once("users")
    assert set(alone.records) == {"roles", "userProfiles"}
    assert alone.ids("roles") == family.ids("roles")
    assert all(facts.derived for facts in alone.facts.values())


def test_nothing_listens_there() -> None:
    with served() as reader:
        address = reader.provider.base_url
    from .conftest import Reader

    class Gone:
        base_url = token_url = address
        client_id = client_secret = "x"

    with pytest.raises(FatalSourceError, match="no connection"):
        Reader(Gone()).once("users")  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(
    cap=st.integers(1, 60),
    lengths=st.lists(st.integers(1, 30), max_size=6),
    total=st.sampled_from([True, False, "zero", "page"]),
    sort=st.sampled_from([None, 400, "ignored"]),
    copies=st.integers(0, 3),
    failures=st.integers(0, 2),
    cuts=st.integers(0, 1),
    unauthorized=st.booleans(),
    flight=st.integers(1, 6),
    alias=st.sampled_from([None, "data", "enrollments"]),
    links=st.tuples(st.booleans(), st.sampled_from([None, "host", "tilde", "loop"])),
    body=st.booleans(),
)
def test_any_mixture_of_habits_gives_all_records_or_fails(
    cap: int,
    lengths: list[int],
    total: Any,
    sort: Any,
    copies: int,
    failures: int,
    cuts: int,
    unauthorized: bool,
    flight: int,
    alias: str | None,
    links: tuple[bool, Any],
    body: bool,
) -> None:
    knobs = Knobs(
        page_cap=cap,
        page_lengths=lengths,
        total_header=total,
        refuse_sort=sort,
        duplicate_rows=copies,
        fail_first_n=failures,
        cut_first_n=cuts,
        status_401_once=unauthorized,
        wrapper_alias=alias,
        link_tokens=links[0],
        link_fault=links[1],
        body_totals=body,
    )
    with served() as reader:
        expected = sorted(reader.read("classes").ids("classes"))
    with served(knobs, max_concurrency=flight, oneroster_version="1.2", missing_collections="fail") as reader:
        try:
            pull = reader.read("classes")
        except SourceError:
            return
    assert sorted(pull.ids("classes")) == expected
