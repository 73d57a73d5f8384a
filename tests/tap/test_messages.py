"""What the tap writes, in which order, and what a run that goes wrong leaves behind."""

from __future__ import annotations

import json

import pytest
from oneroster_sample.bundle import write_bundle
from singer_sdk.exceptions import ConfigValidationError
from tap_oneroster import TapOneRoster

from tests.singer import run_tap
from tests.support.tap import broken, select


@pytest.fixture
def config(bundle):
    """Settings for the bundle of version 1.2."""
    return {"mode": "csv", "csv_path": str(bundle("1.2"))}


def test_receipts_open_and_close_a_run(config):
    """The first line is the SCHEMA of syncReceipts; its records come after all others."""
    run = run_tap(config)
    assert (run.messages[0]["type"], run.messages[0]["stream"]) == ("SCHEMA", "syncReceipts")
    assert run.of("SCHEMA").count("syncReceipts") == 1
    records = run.of("RECORD")
    assert set(records[records.index("syncReceipts") :]) == {"syncReceipts"}


def test_a_version_is_activated_after_the_last_record_and_before_the_state(config):
    run = run_tap(config, catalog=select(config, "orgs"))
    assert run.kinds == [
        ("SCHEMA", "syncReceipts"),
        ("SCHEMA", "orgs"),
        ("RECORD", "orgs"),
        ("ACTIVATE_VERSION", "orgs"),
        ("STATE", ""),
        ("RECORD", "syncReceipts"),
        ("STATE", ""),
    ]
    versions = {m["version"] for m in run.messages if m.get("stream") == "orgs" and "version" in m}
    assert len(versions) == 1


def test_receipts_count_what_the_source_holds(config, district):
    run = run_tap(config)
    assert {"users", "roles", "enrollments", "results"} <= set(run.receipts)
    for name, receipt in run.receipts.items():
        held = sum(1 for _ in district.active(name, "1.2"))
        assert (receipt["expected"], receipt["received"], receipt["distinct"]) == (held, held, held), name
        assert receipt["complete"] is True
        assert receipt["rejected"] == 0
        assert receipt["deviations"] == {}
        assert len(run.records[name]) == held


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_the_short_way_and_the_way_of_the_sdk_write_the_same_records(bundle, version):
    """Stream maps send records through the SDK's path: byte for byte the same JSON."""
    config = {"mode": "csv", "csv_path": str(bundle(version))}
    short = run_tap(config)
    names = set(short.records) - {"syncReceipts"}
    mapped = run_tap({**config, "stream_maps": {name: {} for name in names}})
    long = run_tap({**config, "flattening_enabled": True, "flattening_max_depth": 0})
    for other in (mapped, long):
        for name in names:
            assert json.dumps(other.records[name]) == json.dumps(short.records[name]), name
        assert [r["contentDigest"] for r in other.receipts.values()] == [
            r["contentDigest"] for r in short.receipts.values()
        ]


def test_a_stream_map_takes_the_way_of_the_sdk(config):
    """A map that renames and removes works as SDK users expect."""
    run = run_tap({**config, "stream_maps": {"orgs": {"label": "name.upper()", "name": "__NULL__"}}})
    assert all("name" not in org and org["label"].isupper() for org in run.records["orgs"])


def test_flattening_makes_columns_of_objects(config):
    run = run_tap({**config, "flattening_enabled": True, "flattening_max_depth": 1})
    assert len(run.records["users"]) == run.receipts["users"]["received"]


def test_a_property_that_is_not_selected_stays_in_the_source(config):
    run = run_tap(config, catalog=select(config, "users", properties=("givenName", "email")))
    assert run.records["users"]
    assert all("givenName" not in u and "email" not in u and "familyName" in u for u in run.records["users"])


def test_a_derived_stream_is_filled_where_its_parent_is_not_selected(bundle, district):
    """1.1 keeps roles inside users.csv: one pass over it, and no line of users."""
    config = {"mode": "csv", "csv_path": str(bundle("1.1"))}
    alone = run_tap(config, catalog=select(config, "roles"))
    assert set(alone.records) == {"roles", "syncReceipts"}
    assert set(alone.receipts) == {"roles"}
    both = run_tap(config)
    assert alone.records["roles"] == both.records["roles"]
    orgs = sum(len(user["orgSourcedIds"]) for user in both.records["users"])
    assert len(alone.records["roles"]) == orgs


def test_passwords_stay_in_the_source_unless_asked_for(tmp_path, district):
    path = tmp_path / "with-passwords.zip"
    write_bundle(type(district)(seed=3, schools=1, students_per_school=20, passwords=True), path, version="1.1")
    config = {"mode": "csv", "csv_path": str(path)}
    assert all("password" not in user for user in run_tap(config).records["users"])
    asked = run_tap({**config, "include_passwords": True})
    assert any(user["password"] for user in asked.records["users"])


def test_the_tenant_comes_first_in_every_record_and_key(config):
    run = run_tap({**config, "tenant": "north"})
    for message in run.messages:
        if message["type"] == "SCHEMA":
            assert message["key_properties"][0] == "tenant"
            assert next(iter(message["schema"]["properties"])) == "tenant"
        elif message["type"] == "RECORD":
            assert next(iter(message["record"].items())) == ("tenant", "north")


def test_tenants_that_share_tables_never_delete(config):
    """ACTIVATE_VERSION would delete the other tenants' rows."""
    assert run_tap({**config, "tenant": "north"}).of("ACTIVATE_VERSION") == []
    assert run_tap({**config, "tenant": "north", "tenant_isolated": True}).of("ACTIVATE_VERSION")


def test_a_stream_that_fails_keeps_its_state_and_the_others_go_on(tmp_path, bundle):
    """The first night was good; on the second, users.csv is cut off in the middle of a quoted cell."""
    good = {"mode": "csv", "csv_path": str(bundle("1.2"))}
    state = run_tap(good).state
    cut = broken(tmp_path / "cut.zip", bundle("1.2"), "users.csv", lambda data: data[: len(data) // 2] + b',"x')
    run = run_tap({**good, "csv_path": str(cut)}, state=state)
    assert run.error
    assert "users.csv" in run.error
    before, after = state["bookmarks"], run.state["bookmarks"]
    assert after["users"] == before["users"]
    assert after["orgs"] != before["orgs"]
    assert "users" not in run.of("ACTIVATE_VERSION")
    assert run.receipts["users"]["complete"] is False
    assert run.receipts["orgs"]["complete"] is True
    assert "progress_markers" not in json.dumps(run.state)


def test_the_second_run_over_the_same_bundle_reads_nothing(config):
    first = run_tap(config)
    second = run_tap(config, state=first.state)
    assert set(second.records) == {"syncReceipts"}
    assert {r["mode"] for r in second.receipts.values()} == {"skipped"}
    assert second.of("ACTIVATE_VERSION") == []
    assert second.state["bookmarks"] == first.state["bookmarks"]


def test_a_school_that_vanishes_stops_the_deletes_until_somebody_has_looked(tmp_path, bundle, district):
    """The brake: rows arrive, nothing is activated, the run ends badly and says which school lost how many."""
    config = {"mode": "csv", "csv_path": str(bundle("1.2"))}
    state = run_tap(config).state
    school = next(iter(state["bookmarks"]["enrollments"]["counts"]["schools"]))

    def without_school(data):
        header, *rows = data.splitlines(keepends=True)
        return header + b"".join(row for row in rows if row.split(b",")[4] != school.encode())

    shrunk = {**config, "csv_path": str(broken(tmp_path / "b.zip", bundle("1.2"), "enrollments.csv", without_school))}
    run = run_tap(shrunk, state=state)
    assert "enrollments" not in run.of("ACTIVATE_VERSION")
    assert run.error
    assert f"school {school}" in run.error
    assert "accept_shrink" in run.error
    assert run.state["bookmarks"]["enrollments"] == state["bookmarks"]["enrollments"]
    again = run_tap(shrunk, state=run.state)
    assert again.error, "it goes on to end badly"
    accepted = run_tap({**shrunk, "accept_shrink": True}, state=run.state)
    assert accepted.error is None
    assert "enrollments" in accepted.of("ACTIVATE_VERSION")
    assert run_tap(shrunk, state=accepted.state).error is None


def test_words_that_yaml_takes_for_numbers_and_booleans_are_words(config):
    """`oneroster_version: 1.2` and `supports_filter: true` without quotes."""
    tap = TapOneRoster(config={**config, "oneroster_version": 1.2, "supports_filter": True, "supports_sort": False})
    words = [tap.config[name] for name in ("oneroster_version", "supports_filter", "supports_sort")]
    assert words == ["1.2", "true", "false"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"mode": "csv"}, "csv_path: must be set"),
        ({"mode": "ftp", "csv_path": "x"}, "mode: must be one of rest, csv"),
        ({"mode": "csv", "csv_path": 5}, "csv_path: must be of type string"),
        ({"csv_path": "secret-value"}, "mode: csv_path is set"),
        ({"mode": "csv", "csv_path": "x", "source_time_zone": "secret-value"}, "source_time_zone"),
        ({"mode": "csv", "csv_path": "x", "max_shrink_percent": 101}, "max_shrink_percent: the maximum is 100"),
        ({"mode": "csv", "csv_path": "x", "tenant_isolated": True}, "tenant_isolated"),
    ],
)
def test_wrong_settings_are_named_and_their_values_never_are(settings, says):
    with pytest.raises(ConfigValidationError) as refused:
        TapOneRoster(config=settings)
    assert says in str(refused.value)
    assert "secret-value" not in " ".join(refused.value.errors)
