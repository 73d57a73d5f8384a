"""`tap --config --catalog --state | target`, with files as they were written in the days of singer-python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.singer import parse, run_tap

TAP = Path(sys.executable).with_name("tap-oneroster")


@pytest.fixture(scope="module")
def config(bundle):
    return {"mode": "csv", "csv_path": str(bundle("1.2"))}


def old_catalog(config, *selected, only=False):
    """A catalog of that time: `selected` at the root of the metadata, and no word of keys or replication."""
    from tap_oneroster import TapOneRoster

    return {
        "streams": [
            {
                "stream": stream["stream"],
                "tap_stream_id": stream["tap_stream_id"],
                "schema": stream["schema"],
                "metadata": [{"breadcrumb": [], "metadata": {"selected": stream["stream"] in selected}}],
            }
            for stream in TapOneRoster(config=config).catalog_dict["streams"]
            if not only or stream["stream"] in selected
        ]
    }


def keys(run):
    """Keys of each stream, as its SCHEMA tells them."""
    return {m["stream"]: m["key_properties"] for m in run.messages if m["type"] == "SCHEMA"}


@pytest.mark.parametrize("only", [False, True], ids=["all streams", "selected streams only"])
def test_a_catalog_without_keys_takes_none_away(config, only):
    """Without keys, loaders would append every night; without its entry, a receipt is written all the same."""
    run = run_tap(config, catalog=old_catalog(config, "users", "orgs", only=only))
    assert run.error is None
    assert keys(run) == {
        "syncReceipts": ["runId", "collection", "source"],
        "orgs": ["sourcedId"],
        "users": ["sourcedId"],
    }
    assert run.receipts.keys() == {"orgs", "users"}
    assert set(run.records["users"][0]) == set(
        next(m for m in run.messages if m["type"] == "SCHEMA" and m["stream"] == "users")["schema"]["properties"]
    )


def test_a_child_is_selected_without_its_parent(config):
    """Roles come out of the users' records; users themselves stay in the source."""
    run = run_tap(config, catalog=old_catalog(config, "roles", only=True))
    assert run.error is None
    assert keys(run).keys() == {"syncReceipts", "roles"}
    assert run.records["roles"]


def test_a_catalog_of_another_time_may_name_what_is_not_offered(config, caplog):
    """A view without include_views, a stream of another version: named once in the log, by its name only."""
    catalog = old_catalog(config, "orgs")
    catalog["streams"].append({**catalog["streams"][0], "stream": "students", "tap_stream_id": "students"})
    run = run_tap(config, catalog=catalog)
    assert run.error is None
    assert "not offered with these settings, though in the catalog: students" in caplog.text


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"bookmarks": {}},
        {"bookmarks": {"users": {"dateLastModified": "2026-01-01T00:00:00Z"}}, "currently_syncing": "users"},
        {"users": "2026-01-01T00:00:00Z"},
    ],
    ids=["empty", "no bookmarks", "singer-python", "flat"],
)
def test_a_state_without_our_keys_is_a_first_night(config, state):
    """Everything is read, and the state that comes out is one to go on from."""
    catalog = old_catalog(config, "users")
    first = run_tap(config, catalog=catalog, state=state)
    assert first.error is None
    assert first.receipts["users"]["mode"] == "bulk"
    second = run_tap(config, catalog=catalog, state=first.state)
    assert second.receipts["users"]["mode"] == "skipped"


def test_files_and_pipes_are_enough(config, tmp_path):
    """Config, catalog and state as files, messages of the specification on standard output, the log apart from them."""
    command: list[str | Path] = [TAP]
    config = {**config, "activate_versions": False}
    state: dict[str, object] = {"bookmarks": {}, "currently_syncing": None}
    for name, content in (("config", config), ("catalog", old_catalog(config, "users")), ("state", state)):
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
        command += [f"--{name}", tmp_path / name]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    run = parse(done.stdout.splitlines())
    assert {m["type"] for m in run.messages} == {"SCHEMA", "RECORD", "STATE"}
    assert run.state["bookmarks"]["users"]["bundles"]


def test_a_trial_shows_nothing_that_is_off_by_default(config, tmp_path):
    """`--test` prints a record of each selected stream, and no birth date of a child."""
    (tmp_path / "config").write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run([TAP, "--config", tmp_path / "config", "--test"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "rror" not in done.stderr
    run = parse(line for line in done.stdout.splitlines() if line.startswith("{"))
    assert {"users", "roles", "syncReceipts"} <= run.records.keys()
    assert {len(records) for records in run.records.values()} == {1}
    assert "demographics" not in done.stdout


def test_a_trial_of_a_source_that_is_not_there_fails(tmp_path):
    """Else `meltano test` would call settings good that are not; the last line says what is wrong."""
    (tmp_path / "config").write_text(json.dumps({"mode": "csv", "csv_path": str(tmp_path / "nothing")}))
    done = subprocess.run([TAP, "--config", tmp_path / "config", "--test"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "csv_path" in done.stderr.splitlines()[-1]
