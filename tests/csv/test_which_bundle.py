"""Which bundles are read, in which order, and what state remembers of them."""

from __future__ import annotations

import os
import time
import zipfile
from typing import Any

import pytest
from tap_oneroster._core.model import file
from tap_oneroster.source import Request

from tests.csv.bundles import ORGS, ORGS_HEADER, bundles_at, csv_text, delta, read, write

DAY = 86_400
MONDAY = 1_788_000_000.0
EMPTY = csv_text(ORGS_HEADER)


def bulk(*ids):
    return csv_text(ORGS_HEADER, *(f"{key},,,{key},school,," for key in ids))


@pytest.fixture
def drop(tmp_path):
    """Puts bundles into a drop folder: name, day, text, mode."""

    def put(name, day, text, mode="bulk"):
        return write(tmp_path / "drop" / f"{name}.zip", {"orgs.csv": text}, mode, at=MONDAY + day * DAY)

    return put


@pytest.fixture
def pull(tmp_path):
    """Reads the drop folder as the next run would: with what the last one left in state."""
    state: dict[str, Any] = {}

    def pull(**settings):
        found = read(tmp_path / "drop" / "*.zip", "orgs", state=state, **settings)
        if found.error is None and found.bundles:
            state["orgs"] = {"bundles": found.bundles}
        return found

    return pull


def test_a_bundle_that_brings_back_an_older_one_is_read_again(drop, pull):
    """Yesterday's mistake is undone by dropping the bundle of the day before once more, under whatever name."""
    drop("a", 0, bulk("s1"))
    assert pull().ids == ["s1"]
    drop("b", 1, bulk("s2"))
    assert pull().ids == ["s2"]
    drop("c", 2, bulk("s1"))
    again = pull()
    assert again.ids == ["s1"]
    assert again.modes == ["bulk"]
    assert set(pull().modes) == {"skipped"}


def test_the_same_bundle_dropped_again_is_not_read_again(drop, pull):
    drop("a", 0, bulk("s1"))
    pull()
    drop("b", 1, bulk("s1"))
    assert set(pull().modes) == {"skipped"}


def test_a_state_that_remembers_nothing_is_a_state(tmp_path, drop):
    """`"bundles": null` is what some tools make of an empty list."""
    drop("a", 0, bulk("s1"))
    assert read(tmp_path / "drop" / "*.zip", "orgs", state={"orgs": {"bundles": None}}).ids == ["s1"]


def test_reading_starts_at_the_newest_bulk_and_goes_on_with_later_deltas(drop, pull):
    drop("a", 0, bulk("old"))
    drop("b", 1, delta("x,active,X"), "delta")
    drop("c", 2, bulk("s1", "s2"))
    drop("d", 3, delta("s1,tobedeleted,One"), "delta")
    drop("e", 4, delta("s3,active,Three"), "delta")
    found = pull()
    assert [(row["sourcedId"], row["status"]) for row in found.rows] == [
        ("s1", "active"),
        ("s2", "active"),
        ("s1", "tobedeleted"),
        ("s3", "active"),
    ]
    assert found.modes == ["bulk", "delta", "delta"]
    assert [facts.snapshot for _, facts in found.facts] == [True, False, False]


def test_two_runs_over_the_same_drop_give_no_record_twice_and_lose_none(drop, pull):
    drop("a", 0, bulk("s1"))
    drop("b", 1, delta("s2,active,Two"), "delta")
    assert pull().ids == ["s1", "s2"]
    again = pull()
    assert (again.rows, again.modes) == ([], ["skipped", "skipped"])
    drop("c", 2, delta("s3,active,Three"), "delta")
    assert pull().ids == ["s3"]
    assert pull().rows == []


def test_without_state_everything_is_read_again(drop, tmp_path):
    """What `--full-refresh` does."""
    drop("a", 0, bulk("s1"))
    assert read(tmp_path / "drop/*.zip", "orgs").ids == read(tmp_path / "drop/*.zip", "orgs").ids == ["s1"]


def test_the_same_content_uploaded_again_is_known_and_other_content_of_that_name_is_not(drop, pull):
    drop("a", 0, bulk("s1"))
    pull()
    drop("a", 5, bulk("s1"))
    assert pull().modes == ["skipped"]
    drop("a", 6, bulk("s2"))
    assert pull().ids == ["s2"]


def test_the_same_bundle_under_two_names_is_read_once(drop, pull):
    drop("a", 0, bulk("s1"))
    drop("copy-of-a", 0, bulk("s1"))
    drop("b", 1, delta("s2,active,Two"), "delta")
    found = pull()
    assert found.ids == ["s1", "s2"]
    assert found.said == ["copy-of-a.zip: holds the same as a.zip, left out"]


def test_a_bulk_that_comes_again_after_a_delta_is_the_newest_snapshot(drop, pull):
    drop("a", 0, bulk("s1"))
    drop("b", 1, delta("s2,active,Two"), "delta")
    drop("a-again", 2, bulk("s1"))
    assert pull().ids == ["s1"]


def test_state_remembers_name_size_time_digest_and_is_pruned_to_what_is_there(drop, pull):
    first = drop("a", 0, bulk("s1"))
    gone = drop("b", 1, delta("s2,active,Two"), "delta")
    found = pull()
    assert [entry["name"] for entry in found.bundles] == ["a.zip", "b.zip"]
    assert set(found.bundles[0]) == {"name", "size", "modified", "digest", "mode"}
    first.unlink()
    gone.unlink()
    drop("c", 2, delta("s3,active,Three"), "delta")
    found = pull()
    assert found.ids == ["s3"]
    assert [(entry["name"], entry["mode"]) for entry in found.bundles] == [("a.zip", "bulk"), ("c.zip", "delta")]


def test_a_delta_without_a_bulk_before_it_is_refused_unless_told_otherwise(drop, pull):
    drop("a", 0, delta("s1,active,One"), "delta")
    found = pull()
    assert found.error.startswith("orgs.csv: only a delta is there")
    assert "accept_orphan_delta" in found.error
    assert pull(accept_orphan_delta=True).ids == ["s1"]


def test_a_bulk_that_came_late_is_followed_by_the_deltas_after_it_again(drop, pull):
    """Its rows are older than theirs: without them it would undo what they changed."""
    drop("a", 0, bulk("s1"))
    drop("d", 3, delta("s1,tobedeleted,One"), "delta")
    pull()
    drop("b", 2, bulk("s1", "s2"))
    found = pull()
    assert [(row["sourcedId"], row["status"]) for row in found.rows] == [
        ("s1", "active"),
        ("s2", "active"),
        ("s1", "tobedeleted"),
    ]
    assert pull().rows == []


def test_a_delta_that_came_late_is_put_in_its_place(drop, pull):
    drop("a", 0, bulk("s1"))
    drop("d", 3, delta("s1,active,New"), "delta")
    pull()
    drop("b", 2, delta("s1,active,Old"), "delta")
    assert [row["name"] for row in pull().rows] == ["Old", "New"]


def test_a_bundle_that_cannot_be_put_in_its_place_any_more_is_refused(drop, pull):
    drop("a", 0, bulk("s1"))
    later = drop("d", 3, delta("s1,active,New"), "delta")
    pull()
    later.unlink()
    drop("b", 2, delta("s1,active,Old"), "delta")
    assert "--full-refresh" in pull().error


def test_what_is_older_than_a_bulk_that_was_read_and_taken_away_is_not_read(drop, pull):
    """A cleaned-up drop folder must not turn the clock back."""
    drop("a", 0, bulk("ancient"))
    newest = drop("b", 1, bulk("s1"))
    assert pull().ids == ["s1"]
    newest.unlink()
    found = pull()
    assert (found.rows, found.modes, found.error) == ([], ["skipped"], None)


def test_a_single_path_is_what_it_is_whatever_its_time(tmp_path):
    """Who names one file means it: an older export put there on purpose is read."""
    path = write(tmp_path / "roster.zip", {"orgs.csv": bulk("new")}, at=MONDAY + DAY)
    first = read(path, "orgs")
    write(path, {"orgs.csv": bulk("old")}, at=MONDAY)
    assert read(path, "orgs", state={"orgs": {"bundles": first.bundles}}).ids == ["old"]


def test_a_bundle_may_mix_bulk_and_delta_files(tmp_path):
    users = csv_text("sourcedId,status,dateLastModified,username", "u1,active,2026-09-01T00:00:00.000Z,ann")
    path = write(tmp_path / "b.zip", {"orgs.csv": ORGS, "users.csv": users}, {"orgs": "bulk", "users": "delta"})
    assert read(path, "orgs").modes == ["bulk"]
    assert "only a delta is there" in read(path, "users").error
    found = read(path, "users", accept_orphan_delta=True)
    assert (found.modes, found.last.snapshot, found.ids) == (["delta"], False, ["u1"])


def test_each_file_has_its_own_chain(tmp_path):
    """Monday brings everything, Tuesday a bulk of orgs beside a delta of users."""
    users = csv_text("sourcedId,status,dateLastModified,username", "u1,,,ann")
    more = csv_text("sourcedId,status,dateLastModified,username", "u2,active,2026-09-01T00:00:00.000Z,bob")
    write(tmp_path / "a.zip", {"orgs.csv": bulk("old"), "users.csv": users}, at=MONDAY)
    write(
        tmp_path / "b.zip",
        {"orgs.csv": bulk("new"), "users.csv": more},
        {"orgs": "bulk", "users": "delta"},
        at=MONDAY + DAY,
    )
    assert read(tmp_path / "*.zip", "orgs").ids == ["new"]
    assert read(tmp_path / "*.zip", "users").ids == ["u1", "u2"]


def test_the_content_decides_where_no_manifest_declares_a_mode(tmp_path):
    assert read(write(tmp_path / "a", {"orgs.csv": ORGS}, None), "orgs").modes == ["bulk"]
    found = read(write(tmp_path / "b", {"orgs.csv": delta("s1,active,One")}, None), "orgs")
    assert "only a delta is there" in found.error


@pytest.mark.parametrize("columnar", [False, True], ids=["lines", "columns"])
def test_a_bulk_whose_rows_carry_a_status_is_a_snapshot(tmp_path, columnar):
    """Most systems fill status in bulk files against the rule; the manifest's word decides, and a deleted row stays one."""
    path = write(tmp_path / "b", {"orgs.csv": delta("s1,active,One", "s2,tobedeleted,Two")})
    found = read(path, "orgs", columnar=columnar)
    assert found.error is None
    assert [row["status"] for row in found.rows] == ["active", "tobedeleted"]
    assert (found.modes, found.last.snapshot) == (["bulk"], True)
    assert found.odd == {"declared bulk, but its rows carry a status": 1}


def test_a_status_far_down_in_a_file_that_nobody_declares_is_seen_too(tmp_path):
    rows = [f"o{n},,,Name,school,," for n in range(9000)]
    text = csv_text(ORGS_HEADER, *rows, "x,tobedeleted,,Name,school,,")
    found = read(write(tmp_path / "b", {"orgs.csv": text}, None), "orgs")
    assert found.rows[-1]["status"] == "tobedeleted"
    assert (found.last.mode, found.last.snapshot) == ("delta", False)


@pytest.mark.parametrize(
    ("mode", "text", "modes", "snapshot"),
    [
        ("bulk", delta("s1,active,One"), ["bulk"], True),
        ("delta", bulk("s1"), ["delta"], False),
        ("delta", delta("s1,active,One"), ["delta"], False),
        (None, bulk("s1"), ["bulk"], True),
    ],
    ids=["bulk-with-status", "delta-without-status", "delta", "auto"],
)
@pytest.mark.parametrize("declared", [None, {}], ids=["no-manifest", "not-declared"])
def test_the_setting_decides_where_no_manifest_declares_a_mode(tmp_path, declared, mode, text, modes, snapshot):
    path = write(tmp_path / "b", {"orgs.csv": text}, declared)
    found = read(path, "orgs", csv_file_mode=mode, accept_orphan_delta=True)
    assert (found.error, found.modes, found.last.snapshot) == (None, modes, snapshot)


@pytest.mark.parametrize("word", ["bulk", "delta"])
def test_the_setting_does_not_overrule_a_manifest(tmp_path, word):
    path = write(tmp_path / "b", {"orgs.csv": bulk("s1")}, word)
    other = {"bulk": "delta", "delta": "bulk"}[word]
    found = read(path, "orgs", csv_file_mode=other, accept_orphan_delta=True)
    assert found.modes == [word]


def test_what_a_manifest_calls_a_delta_never_becomes_a_snapshot(tmp_path):
    found = read(write(tmp_path / "b", {"orgs.csv": bulk("s1")}, "delta"), "orgs", accept_orphan_delta=True)
    assert (found.modes, found.last.snapshot) == (["delta"], False)
    assert found.odd == {"declared delta, but its rows carry no status": 1}


def test_words_for_deleted_in_a_delta(tmp_path):
    text = delta("a,active,A", "b,inactive,B", "c,ToBeDeleted,C", "d,,D", "e,paused,E")
    found = read(write(tmp_path / "b", {"orgs.csv": text}, "delta"), "orgs", accept_orphan_delta=True)
    assert [row["status"] for row in found.rows] == ["active", "tobedeleted", "tobedeleted", "active", "paused"]
    assert found.odd == {
        "status: tobedeleted in another word": 2,
        "status: active in another word, or blank": 1,
        "status: unknown word": 1,
    }


def test_a_file_of_a_header_only_is_no_bulk_to_start_from(drop, pull):
    """It says nothing: the last good bulk is still read, and nobody is gone."""
    drop("a", 0, bulk("s1"))
    drop("b", 1, EMPTY)
    found = pull()
    assert found.ids == ["s1"]
    assert [facts.snapshot for _, facts in found.facts] == [True, False]
    assert found.odd == {"no data rows": 1}


def test_an_absent_file_says_nothing(tmp_path):
    found = read(write(tmp_path / "b", {"orgs.csv": ORGS}), "users")
    assert (found.modes, found.rows, found.last.complete, found.last.snapshot) == (["absent"], [], True, False)


# --- bundles that are not complete -------------------------------------------------------------------------------


def cut(path, day=9):
    path.write_bytes(path.read_bytes()[:-40])
    os.utime(path, (MONDAY + day * DAY,) * 2)


def test_a_zip_that_is_still_being_uploaded_is_left_out_and_the_newest_whole_one_is_read(drop, pull):
    drop("a", 0, bulk("s1"))
    cut(drop("b", 1, bulk("s2")))
    found = pull()
    assert found.ids == ["s1"]
    assert found.odd == {"bundle that is not complete": 1}
    assert found.said == ["left out: b.zip: neither a folder nor a whole zip; is it still being uploaded?"]


def test_half_a_zip_alone_stops_the_run(drop, pull, tmp_path):
    cut(drop("a", 0, bulk("s1")))
    assert pull().error == "csv_path: no bundle there is complete; see the lines above"
    assert "still being uploaded" in read(tmp_path / "drop/a.zip", "orgs").error


@pytest.fixture
def problems(tmp_path):
    """What keeps a run over the drop folder from ending well."""

    def look():
        source = bundles_at(tmp_path / "drop/*")
        list(source.passes(Request(file("orgs"), (file("orgs"),))))
        source.close()
        return list(source.problems)

    return look


def test_a_damaged_bundle_matters_until_a_whole_one_is_newer(drop, problems):
    """What it holds may be newer than all that was read; a bulk that comes later replaces it."""
    drop("a", 0, bulk("s1"))
    assert problems() == []
    cut(drop("b", 1, bulk("s2")), day=1)
    (problem,) = problems()
    assert problem.startswith("b.zip: cannot be read, and may be newer than the last bundle that was")
    cut(drop("c", 2, bulk("s2")), day=2)
    (problem,) = problems()
    assert problem.startswith("c.zip (and 1 more): cannot be read")
    drop("d", 3, bulk("s3"))
    assert problems() == []


def test_a_delta_after_a_damaged_bundle_does_not_bring_what_that_held(drop, problems):
    drop("a", 0, bulk("s1"))
    cut(drop("b", 1, delta("s2,active,Two"), "delta"), day=1)
    drop("c", 2, delta("s3,active,Three"), "delta")
    assert problems()


def test_half_a_folder_of_a_drop_matters_too(drop, problems, tmp_path):
    drop("a", 0, bulk("s1"))
    write(tmp_path / "drop/b", {"orgs.csv": bulk("s2"), "manifest.csv": ""}, at=MONDAY + DAY)
    (problem,) = problems()
    assert problem.startswith("b: cannot be read")


def test_a_manifest_that_is_still_being_written_makes_a_bundle_incomplete(tmp_path):
    path = write(tmp_path / "b", {"orgs.csv": ORGS, "manifest.csv": ""})
    assert "manifest.csv is empty or cannot be read" in read(path, "orgs").error


def test_a_loose_folder_is_read_when_it_has_rested(tmp_path, monkeypatch):
    """A file that grows meanwhile starts the wait anew."""
    path = write(tmp_path / "b", {"orgs.csv": ORGS})
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        (path / "orgs.csv").write_text(bulk("s1", "s2") if len(slept) < 3 else bulk("s9"))
        ago = time.time() - (100 if len(slept) == 3 else 0)
        for one in path.iterdir():
            os.utime(one, (ago, ago))

    monkeypatch.setattr(time, "sleep", sleep)
    found = read(path, "orgs", settle_seconds=10)
    assert found.ids == ["s9"]
    assert len(slept) == 3
    assert all(0 < seconds <= 10 for seconds in slept)


def test_a_clock_ahead_of_ours_does_not_hold_up_a_folder_for_hours(tmp_path, monkeypatch):
    path = write(tmp_path / "b", {"orgs.csv": ORGS}, at=time.time() + 7200)
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    assert read(path, "orgs", settle_seconds=10).error is None
    assert slept == [10]


def test_files_written_twelve_hours_apart_are_not_one_bundle(tmp_path):
    path = write(tmp_path / "b", {"orgs.csv": ORGS, "users.csv": "sourcedId\r\nu1\r\n"})
    os.utime(path / "users.csv", (MONDAY, MONDAY))
    found = read(path, "orgs")
    assert "more than 12 hours apart" in found.error
    assert "users.csv is the oldest" in found.error


def test_a_folder_of_zips_says_how_to_name_them(drop, tmp_path):
    drop("a", 0, ORGS)
    assert "let csv_path end in /*.zip" in read(tmp_path / "drop", "orgs").error


def test_a_pattern_may_name_folders(tmp_path):
    for day, name in enumerate(("2026-09-01", "2026-09-02")):
        write(tmp_path / name, {"orgs.csv": bulk(name)}, at=MONDAY + day * DAY)
    assert read(tmp_path / "2026-*", "orgs").ids == ["2026-09-02"]


def test_bundles_of_one_second_are_in_the_order_of_their_names(tmp_path):
    for name in ("2", "1", "3"):
        write(tmp_path / f"{name}.zip", {"orgs.csv": bulk(name)}, at=MONDAY)
    assert read(tmp_path / "*.zip", "orgs").ids == ["3"]


def test_zip_entries_without_a_date_are_no_matter(tmp_path):
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("orgs.csv")
        archive.writestr(info, ORGS)
    data = path.read_bytes().replace(b"\x00\x00\x21\x00", b"\x00\x00\x00\x00")
    path.write_bytes(data)
    assert read(path, "orgs").ids == ["d1", "s1", "s2"]
