"""One district, asked over REST and dropped as a bundle: the warehouse cannot tell which it was."""

from __future__ import annotations

import pytest
from oneroster_core.model import FILES
from oneroster_sample.bundle import write_bundle
from oneroster_sample.provider import Knobs, Provider

from tests.singer import run_tap

# What REST cannot carry (the org of a score scale, the org of a user's resource), and ids and
# metadata that only one binding has.
ONLY_IN_CSV = {"scoreScales": {"orgSourcedId"}, "userResources": {"orgSourcedId"}}


def rest_config(provider, **more):
    """Settings as a credential sheet gives them."""
    return {
        "mode": "rest",
        "base_url": provider.base_url,
        "token_url": provider.token_url,
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        **more,
    }


@pytest.fixture(params=["1.1", "1.2"])
def both(request, district, bundle):
    """Two runs over the same district, the service with a cap that it does not speak of."""
    with Provider(district, version=request.param, knobs=Knobs(page_cap=17)) as provider:
        rest = run_tap(rest_config(provider))
    return rest, run_tap({"mode": "csv", "csv_path": str(bundle(request.param))})


def test_one_query_compares_a_pull_with_the_drop_of_the_same_night(both):
    """Receipts of the two bindings agree in count, and in digest where the rows are not derived."""
    rest, drop = both
    assert rest.error is None
    assert drop.error is None
    held = {name for name, receipt in drop.receipts.items() if receipt["received"]}
    assert len(held) > 10
    for name in held:
        one, other = rest.receipts[name], drop.receipts[name]
        assert one["distinct"] == other["distinct"], name
        assert one["complete"], name
        if one["contentDigest"]:
            assert one["contentDigest"] == other["contentDigest"], name


def test_the_records_are_the_same(both):
    """Every value of the standard's columns, whatever the binding; derived rows by what they say, not by their id."""
    _, drop = both
    for name in {name for name, receipt in drop.receipts.items() if receipt["received"]}:
        file = next(f for f in FILES if f.name == name)
        unlike = {"status", "dateLastModified", "metadata", *ONLY_IN_CSV.get(name, ())}
        columns = [f.name for f in file.fields if f.csv and not f.secret and f.name not in unlike]
        if file.derived:
            columns = [c for c in columns if c not in {"sourcedId", "title", "userProfileSourcedId"}]
        rows = [sorted(repr([r[c] for c in columns]) for r in run.records[name]) for run in both]
        assert rows[0] == rows[1], name


def test_one_schema_for_both_bindings(both):
    """Analysts must not care how a district delivers."""
    schemas = [{m["stream"]: m["schema"] for m in run.messages if m["type"] == "SCHEMA"} for run in both]
    for name, schema in schemas[1].items():
        assert schemas[0][name] == schema


def test_the_second_night_brings_what_changed(district):
    """Incremental on dateLastModified with state; a bookmark never runs ahead of what was read."""
    with Provider(district, version="1.2") as provider:
        config = rest_config(provider, lookback_seconds=0)
        first = run_tap(config)
        provider.use(district.changed(1))
        second = run_tap(config, state=first.state)
    assert first.error is None
    assert second.error is None
    changed = {
        row["sourcedId"]
        for row in district.changed(1).rows("enrollments", "1.2")
        if row["dateLastModified"] >= first.state["bookmarks"]["enrollments"]["replication_key_value"]
    }
    assert changed
    assert {r["sourcedId"] for r in second.records["enrollments"]} == changed
    assert second.receipts["enrollments"]["filter"]
    assert "enrollments" not in second.of("ACTIVATE_VERSION")
    assert "orgs" in second.of("ACTIVATE_VERSION"), "small collections are always read whole"
    for name, bookmark in second.state["bookmarks"].items():
        before = first.state["bookmarks"][name].get("replication_key_value")
        assert before is None or bookmark["replication_key_value"] >= before


def test_a_derived_stream_costs_no_request(district):
    """Roles and profiles come out of the users' pages; nobody asks for users again."""
    with Provider(district, version="1.2") as provider:
        run_tap(rest_config(provider, page_size=1000))
        asked = [request.path for request in provider.requests]
    assert not [path for path in asked if path.endswith(("/roles", "/userProfiles")) or path.count("/users") > 1]
    assert len([path for path in asked if path.endswith("/users")]) <= 3


def test_a_bundle_and_a_delta_are_read_in_order(district, tmp_path):
    """Bulk first, then the delta of the next day; in the warehouse stands the next day."""
    write_bundle(district, tmp_path / "0.zip", version="1.2")
    write_bundle(district.changed(1), tmp_path / "1.zip", version="1.2", mode="delta")
    run = run_tap({"mode": "csv", "csv_path": f"{tmp_path}/*.zip"})
    assert run.error is None
    users = {}
    for record in run.records["users"]:
        users[record["sourcedId"]] = record
    alive = {key for key, record in users.items() if record["status"] == "active"}
    assert alive == {row["sourcedId"] for row in district.changed(1).active("users", "1.2")}
