"""Stream maps: what they may name, and what becomes of one that does not fit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.singer import run_tap
from tests.support.tap import select

TAP = Path(sys.executable).with_name("tap-oneroster")


@pytest.fixture
def config(bundle):
    return {"mode": "csv", "csv_path": str(bundle("1.2"))}


def test_a_map_for_a_stream_that_is_not_selected_has_nothing_to_do(config):
    """A project masks demographics and users for all its districts; one of them reads neither."""
    maps = {"demographics": {"birthDate": "__NULL__"}, "users": {"email": "__NULL__"}, "orgs": {"name": "name.upper()"}}
    run = run_tap({**config, "stream_maps": maps}, catalog=select(config, "orgs"))
    assert run.error is None
    assert set(run.records) == {"orgs", "syncReceipts"}
    assert all(org["name"].isupper() for org in run.records["orgs"])
    whole = run_tap({**config, "stream_maps": {"users": {"email": "__NULL__"}}})
    assert "demographics" not in whole.records
    assert not any("email" in user for user in whole.records["users"])


@pytest.mark.parametrize("where", ["name.startswith('No such')", "type == 'school'"])
def test_a_receipt_counts_what_a_map_leaves_out(config, where):
    """`received` is what the source has, `distinct` what a target must find; the read is complete."""
    run = run_tap({**config, "stream_maps": {"orgs": {"__filter__": where}}})
    whole = run_tap(config).receipts["orgs"]
    receipt = run.receipts["orgs"]
    assert run.error is None
    assert len(run.records["orgs"]) == receipt["distinct"] < whole["distinct"]
    assert receipt["received"] == whole["received"]
    assert receipt["deviations"]["record left out by stream_maps"] == whole["distinct"] - receipt["distinct"]
    assert receipt["complete"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"orgs": {"x": "nonsense("}}, "stream_maps: Failed to parse expression nonsense(."),
        ({"orgs": {"sourcedId": "__NULL__"}}, "stream_maps: Removing key property 'sourcedId' is not permitted"),
    ],
)
def test_a_map_that_cannot_be_is_one_line(config, tmp_path, given, says):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**config, "stream_maps": given}), encoding="utf-8")
    done = subprocess.run([TAP, "--config", path], capture_output=True, text=True)
    assert done.returncode == 4
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("expression", ["nosuch", "float(name)", "name.nosuch()"])
def test_a_map_that_fails_on_a_record_fails_its_stream_and_quotes_no_value(config, tmp_path, expression):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**config, "stream_maps": {"orgs": {"x": expression}}}), encoding="utf-8")
    done = subprocess.run([TAP, "--config", path], capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: orgs: stream_maps: ")
    assert expression in last or last.endswith("an expression fails on a record (ValueError)")
    assert "Traceback" not in done.stderr
    names = {org["name"] for org in run_tap(config).records["orgs"]}
    assert not any(name in done.stderr for name in names)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    receipts = {
        m["record"]["collection"]: m["record"]
        for m in messages
        if m["type"] == "RECORD" and m["stream"] == "syncReceipts"
    }
    assert (receipts["orgs"]["complete"], receipts["users"]["complete"]) == (False, True)
    state = [m for m in messages if m["type"] == "STATE"][-1]["value"]["bookmarks"]
    assert "bundles" not in state["orgs"]
    assert "bundles" in state["users"]
