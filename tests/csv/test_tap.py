"""The whole tap over bundles: records, deletes, state, receipts and how a run ends."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from tests.csv.bundles import ORGS, ORGS_HEADER, csv_text, delta, write
from tests.singer import run_tap

MONDAY = 1_788_000_000.0


def settings(path, **more):
    return {"mode": "csv", "csv_path": str(path), "settle_seconds": 0, **more}


def orgs(*ids):
    return csv_text(ORGS_HEADER, *(f"{key},,,{key},school,," for key in ids))


def activated(run):
    return run.of("ACTIVATE_VERSION")


def test_a_clean_snapshot_is_activated_and_what_is_absent_is_not(tmp_path):
    run = run_tap(settings(write(tmp_path / "b.zip", {"orgs.csv": ORGS})))
    assert run.error is None
    assert activated(run) == ["orgs"]
    assert run.receipts["users"]["mode"] == "absent"
    assert run.receipts["users"]["complete"]


def test_a_receipt_of_a_csv_file(tmp_path):
    run = run_tap(settings(write(tmp_path / "district.zip", {"orgs.csv": ORGS + "\r\n"})))
    receipt = run.receipts["orgs"]
    assert {
        key: receipt[key] for key in ("source", "mode", "version", "expected", "received", "distinct", "rejected")
    } == {
        "source": "district.zip",
        "mode": "bulk",
        "version": "1.1",
        "expected": 3,
        "received": 3,
        "distinct": 3,
        "rejected": 0,
    }
    assert receipt["deviations"] == {"blank line": 1}
    assert len(receipt["contentDigest"]) == 16
    assert receipt["complete"]


def test_the_digest_is_that_of_the_content_whatever_the_dialect_and_order(tmp_path):
    """One query compares two drops, or a drop with a pull over REST."""
    header, *rows = ORGS.split("\r\n")[:-1]
    turned = ("\n".join([header, *reversed(rows)])).encode("utf-16")
    first = run_tap(settings(write(tmp_path / "a.zip", {"orgs.csv": ORGS})))
    second = run_tap(settings(write(tmp_path / "b", {"ORGS.CSV": turned}, None)))
    assert first.receipts["orgs"]["contentDigest"] == second.receipts["orgs"]["contentDigest"]
    other = run_tap(settings(write(tmp_path / "c", {"orgs.csv": ORGS.replace("School One", "School Uno")})))
    assert first.receipts["orgs"]["contentDigest"] != other.receipts["orgs"]["contentDigest"]


@pytest.mark.parametrize(
    ("text", "mode"),
    [(csv_text(ORGS_HEADER), "bulk"), (delta("s1,tobedeleted,One"), "delta"), (delta("s1,active,One"), None)],
    ids=["header-only", "delta", "stamped-and-not-declared"],
)
def test_what_is_no_clean_snapshot_activates_nothing(tmp_path, text, mode):
    run = run_tap(settings(write(tmp_path / "b", {"orgs.csv": text}, mode), accept_orphan_delta=True))
    assert run.error is None
    assert activated(run) == []


def test_a_bulk_with_status_is_activated(tmp_path):
    """The manifest's word decides; without one the setting does."""
    text = delta("s1,active,One", "s2,tobedeleted,Two")
    declared = run_tap(settings(write(tmp_path / "a", {"orgs.csv": text})))
    told = run_tap(settings(write(tmp_path / "b", {"orgs.csv": text}, None), csv_file_mode="bulk"))
    for run in (declared, told):
        assert (run.error, activated(run)) == (None, ["orgs"])
        assert [row["status"] for row in run.records["orgs"]] == ["active", "tobedeleted"]


def test_a_damaged_newest_bundle_ends_non_zero_after_what_can_be_read(tmp_path):
    """The older one is delivered and remembered; the next night says the same until the newest can be read."""
    write(tmp_path / "a.zip", {"orgs.csv": orgs("s1")}, at=MONDAY)
    newest = write(tmp_path / "b.zip", {"orgs.csv": orgs("s2")}, at=MONDAY + 90_000)
    whole = newest.read_bytes()
    newest.write_bytes(whole[:-40])
    first = run_tap(settings(tmp_path / "*.zip"))
    assert "b.zip: cannot be read, and may be newer" in first.error
    assert [row["sourcedId"] for row in first.records["orgs"]] == ["s1"]
    assert activated(first) == ["orgs"]
    second = run_tap(settings(tmp_path / "*.zip"), state=first.state)
    assert "b.zip: cannot be read, and may be newer" in second.error
    assert second.records["orgs"] == []
    newest.write_bytes(whole)
    third = run_tap(settings(tmp_path / "*.zip"), state=second.state)
    assert (third.error, [row["sourcedId"] for row in third.records["orgs"]]) == (None, ["s2"])


def test_a_delta_passes_tobedeleted_through(tmp_path):
    write(tmp_path / "a.zip", {"orgs.csv": orgs("s1", "s2")}, at=MONDAY)
    write(tmp_path / "b.zip", {"orgs.csv": delta("s1,tobedeleted,One")}, "delta", at=MONDAY + 90_000)
    run = run_tap(settings(tmp_path / "*.zip"))
    assert [(r["sourcedId"], r["status"]) for r in run.records["orgs"]] == [
        ("s1", "active"),
        ("s2", "active"),
        ("s1", "tobedeleted"),
    ]
    versions = {
        m["version"] for m in run.messages if m.get("stream") == "orgs" and m["type"] in {"RECORD", "ACTIVATE_VERSION"}
    }
    assert len(versions) == 1
    assert run.kinds.index(("ACTIVATE_VERSION", "orgs")) > run.kinds.index(("RECORD", "orgs"))


def test_the_next_run_finds_nothing_new_and_deletes_nothing(tmp_path):
    path = write(tmp_path / "b.zip", {"orgs.csv": ORGS})
    first = run_tap(settings(path))
    second = run_tap(settings(path), state=first.state)
    assert (second.records["orgs"], activated(second), second.error) == ([], [], None)
    assert second.receipts["orgs"]["mode"] == "skipped"
    assert second.receipts["orgs"]["complete"]
    assert second.state["bookmarks"]["orgs"]["bundles"] == first.state["bookmarks"]["orgs"]["bundles"]


def test_the_brake_holds_deletes_back_until_one_run_accepts_them(tmp_path):
    path = write(tmp_path / "b.zip", {"orgs.csv": orgs(*map(str, range(30)))})
    before = run_tap(settings(path)).state
    write(path, {"orgs.csv": orgs(*map(str, range(20)))})
    run = run_tap(settings(path), state=before)
    assert "orgs: more than 20 % are gone (in all: 30 before, 20 now)" in run.error
    assert activated(run) == []
    assert run.state["bookmarks"]["orgs"] == before["bookmarks"]["orgs"]
    assert activated(run_tap(settings(path, accept_shrink=True), state=before)) == ["orgs"]


def test_a_row_left_out_ends_non_zero_and_the_bundle_is_not_marked_as_read(tmp_path):
    path = write(tmp_path / "b.zip", {"orgs.csv": ORGS + "s9,,\r\n", "users.csv": "sourcedId,username\r\nu1,ann\r\n"})
    run = run_tap(settings(path))
    assert "1 of 4 rows were left out" in run.error
    assert len(run.records["orgs"]) == 3
    assert not run.receipts["orgs"]["complete"]
    assert run.receipts["orgs"]["rejected"] == 1
    assert "orgs" not in activated(run)
    assert "bundles" not in run.state["bookmarks"].get("orgs", {})
    assert run.state["bookmarks"]["users"]["bundles"], "other files are not held up"
    again = run_tap(settings(path, on_invalid="accept"), state=run.state)
    assert again.error is None
    assert again.receipts["orgs"]["complete"]
    assert "orgs" not in activated(again), "who was left out must not be deleted"
    assert run_tap(settings(path, on_invalid="accept"), state=again.state).records["orgs"] == []


def test_later_deltas_are_delivered_although_a_row_of_the_bulk_was_left_out(tmp_path):
    write(tmp_path / "a.zip", {"orgs.csv": ORGS + "s9,,\r\n"}, at=MONDAY)
    write(tmp_path / "b.zip", {"orgs.csv": delta("s7,active,Seven")}, "delta", at=MONDAY + 90_000)
    run = run_tap(settings(tmp_path / "*.zip"))
    assert run.records["orgs"][-1]["sourcedId"] == "s7"
    assert "bundles" not in run.state["bookmarks"].get("orgs", {})


def test_a_bundle_that_cannot_be_read_moves_no_state_and_stops_the_run(tmp_path):
    path = write(tmp_path / "b.zip", {"orgs.csv": ORGS})
    before = run_tap(settings(path)).state
    path.write_bytes(path.read_bytes()[:100])
    run = run_tap(settings(path), state=before)
    assert "neither a folder nor a whole zip" in run.error
    assert not run.records["orgs"]
    assert run.state in ({}, before)


def test_tenant_comes_first_and_nothing_is_activated(tmp_path):
    run = run_tap(settings(write(tmp_path / "b.zip", {"orgs.csv": ORGS}), tenant="north"))
    assert next(iter(run.records["orgs"][0].items())) == ("tenant", "north")
    assert activated(run) == []
    isolated = run_tap(settings(tmp_path / "b.zip", tenant="north", tenant_isolated=True))
    assert activated(isolated) == ["orgs"]


def test_views_are_streams_of_their_own(tmp_path):
    run = run_tap(settings(write(tmp_path / "b.zip", {"orgs.csv": ORGS}), include_views=True))
    assert [row["sourcedId"] for row in run.records["schools"]] == ["s1", "s2"]
    assert set(activated(run)) == {"orgs", "schools"}


def test_no_log_names_what_a_cell_holds(tmp_path, caplog):
    """File, row, field and rule; never a value: not of a bad cell, a bad row, a copy or a store."""
    users = csv_text(
        "sourcedId,enabledUser,username,givenName,familyName,secretcol",
        "SECRET1,SECRET2,SECRET3,SECRET4,SECRET5,SECRET6",
        "SECRET1,true,SECRET3,SECRET4,SECRET5",
        "SECRET1,true,SECRET3,SECRET4,SECRET5,x",
    )
    with caplog.at_level(logging.DEBUG):
        for last in ("", 'SECRET9,"SECRET"x,\r\n'):
            run = run_tap(settings(write(tmp_path / "b.zip", {"users.csv": users + last})))
            assert "SECRET" not in json.dumps(run.receipts) + str(run.error)
    assert "users.csv in b.zip, row 5 or after it" in run.error
    assert "users.csv in b.zip, row 2: enabledUser: unreadable true or false: null instead" in caplog.text
    assert "users.csv in b.zip, row 3: row with more or fewer cells than the header: left out" in caplog.text
    assert "SECRET" not in caplog.text


def test_a_district_through_days_of_change_ends_as_its_last_bulk(tmp_path):
    """Bulk, then a delta a day, applied by key, make what a bulk of the last day holds."""
    district = District(seed=3, schools=2, students_per_school=30)
    write_bundle(district, tmp_path / "day0.zip", version="1.2")
    state: Any = None
    table: dict[Any, Any] = {}
    for day in range(4):
        if day:
            changed = District(seed=3, schools=2, students_per_school=30, day=day)
            write_bundle(changed, tmp_path / f"day{day}.zip", version="1.2", mode="delta", since=day - 1)
        run = run_tap(settings(tmp_path / "day*.zip"), state=state)
        assert run.error is None
        state = run.state
        for stream in ("users", "enrollments", "roles"):
            for row in run.records[stream]:
                if row["status"] == "tobedeleted":
                    table.pop((stream, row["sourcedId"]), None)
                else:
                    table[stream, row["sourcedId"]] = {k: v for k, v in row.items() if k != "dateLastModified"}
    last = District(seed=3, schools=2, students_per_school=30, day=3)
    write_bundle(last, tmp_path / "last.zip", version="1.2")
    whole = run_tap(settings(tmp_path / "last.zip"))
    wanted = {
        (stream, row["sourcedId"]): {k: v for k, v in row.items() if k != "dateLastModified"}
        for stream in ("users", "enrollments", "roles")
        for row in whole.records[stream]
    }
    assert table == wanted


def test_the_sdks_own_record_path_gives_the_same_records(tmp_path):
    """Stream maps and flattening take the slow way; it must say the same."""
    path = tmp_path / "b.zip"
    write_bundle(District(seed=3, schools=1, students_per_school=20), path, version="1.1")
    fast = run_tap(settings(path))
    slow = run_tap(settings(path, flattening_enabled=True, flattening_max_depth=0))
    assert fast.records["users"] == slow.records["users"]
    assert fast.receipts["users"]["contentDigest"] == slow.receipts["users"]["contentDigest"]
