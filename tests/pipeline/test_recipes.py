"""The recipes of docs/recipes/, run as they stand there; only places and addresses are the test's own."""

from __future__ import annotations

import csv
import gc
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.provider import Provider

from tests.csv.stores import sftp_server
from tests.singer import run_tap

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning"
    ),  # asyncssh leaves connections to the collector
]

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"
TAP, TARGET = (Path(sys.executable).with_name(name) for name in ("tap-oneroster", "target-oneroster-csv"))
DISTRICT = District(seed=7, schools=1, students_per_school=20)


def plugins(page):
    """Settings of the plugins on a page, by name; of two with one name the later ones come after a number."""
    found: dict[str, Any] = {}
    for text in re.findall(r"^```yaml\n(.*?)^```$", (RECIPES / page).read_text("utf-8"), re.MULTILINE | re.DOTALL):
        for entries in yaml.safe_load(text)["plugins"].values():
            for entry in entries:
                name = entry["name"]
                number = len([known for known in found if known.partition(" ")[0] == name])
                found[f"{name} {number}" if number else name] = entry.get("config", {})
    return found


def sheet(provider):
    """What a credential sheet says, in place of the example's."""
    return {name: getattr(provider, name) for name in ("base_url", "token_url", "client_id", "client_secret")}


def pipe(tap, target, folder, *, fails=False):
    """`tap | target` in a shell's way, with the state of the last good run; the target's log."""
    (folder / "tap.json").write_text(json.dumps(tap))
    (folder / "target.json").write_text(json.dumps(target))
    state = folder / "state.json"
    command = [TAP, "--config", folder / "tap.json", *(["--state", state] if state.exists() else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as source:
        done = subprocess.run(
            [TARGET, "--config", folder / "target.json"], stdin=source.stdout, capture_output=True, text=True
        )
    assert (done.returncode or source.returncode) == int(fails), done.stderr[-2000:]
    if not fails and done.stdout:
        state.write_text(done.stdout.splitlines()[-1])
    return done.stderr


def read(path):
    """Rows of the files of a bundle, and the modes of its manifest."""
    with zipfile.ZipFile(path) as bundle:
        files = {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(bundle.read(name).decode(), newline="")))
            for name in bundle.namelist()
        }
    return files, {row["propertyName"]: row["value"] for row in files.pop("manifest")}


def test_from_1_1_to_1_2(tmp_path):
    """Users, their roles and everybody's enrollments are in the new bundle; the manifest says 1.2."""
    recipe = plugins("bundle-to-bundle.md")
    old, new = tmp_path / "from-1.1.zip", tmp_path / "to-1.2.zip"
    write_bundle(DISTRICT, old, version="1.1")
    target = {**recipe["target-oneroster-csv"], "output_path": str(new), "report_path": str(tmp_path / "report.json")}
    pipe({**recipe["tap-oneroster"], "csv_path": str(old)}, target, tmp_path)
    before, _ = read(old)
    after, manifest = read(new)
    assert manifest["oneroster.version"] == "1.2"
    for name in ("users", "enrollments", "classes"):
        assert {row["sourcedId"] for row in after[name]} == {row["sourcedId"] for row in before[name]}
    assert {row["userSourcedId"] for row in after["roles"]} == {row["sourcedId"] for row in before["users"]}
    assert json.loads((tmp_path / "report.json").read_text())["published"] is True


@pytest.mark.parametrize("method", ["overwrite", "upsert"])
def test_deltas_from_a_service(tmp_path, method):
    """Each night a delta of what changed; with upsert what was not taken yet stays in it."""
    recipe = plugins("delta.md")
    output = tmp_path / "changes.zip"
    target = {**recipe["target-oneroster-csv"], "output_path": str(output), "load_method": method}
    with Provider(DISTRICT, version="1.2") as provider:
        tap = {**recipe["tap-oneroster 1"], **sheet(provider)}
        pipe(tap, target, tmp_path)
        first, _ = read(output)
        changed = DISTRICT.changed(1)
        provider.use(changed)
        pipe(tap, target, tmp_path)
    files, manifest = read(output)
    assert manifest["file.users"] == manifest["file.enrollments"] == "delta"
    assert all(row["status"] and row["dateLastModified"] for rows in files.values() for row in rows)
    ids = {row["sourcedId"] for row in files["enrollments"]}
    everything = {row["sourcedId"] for row in first["enrollments"]}
    assert ids >= everything if method == "upsert" else len(ids) < len(everything)


def test_a_bulk_bundle_that_is_kept_up_to_date(tmp_path):
    """The second night asks for what changed, and the bundle is whole."""
    recipe = plugins("delta.md")
    output = tmp_path / "all.zip"
    target = {**recipe["target-oneroster-csv 1"], "output_path": str(output)}
    with Provider(DISTRICT, version="1.2") as provider:
        tap = {**recipe["tap-oneroster 1"], **sheet(provider)}
        pipe(tap, target, tmp_path)
        changed = DISTRICT.changed(1)
        provider.use(changed)
        pipe(tap, target, tmp_path)
    files, manifest = read(output)
    assert manifest["file.users"] == "bulk"
    assert {row["sourcedId"] for row in files["users"]} == {row["sourcedId"] for row in changed.active("users")}


def test_a_bulk_bundle_of_changes_is_refused(tmp_path):
    """Which is why the recipe says --full-refresh for `target-bulk`."""
    recipe = plugins("delta.md")
    target = {**recipe["target-bulk"], "output_path": str(tmp_path / "all.zip")}
    with Provider(DISTRICT, version="1.2") as provider:
        tap = {**recipe["tap-oneroster 1"], **sheet(provider)}
        pipe(tap, target, tmp_path)
        assert "the read was filtered" in pipe(tap, target, tmp_path, fails=True)
        (tmp_path / "state.json").unlink()
        pipe(tap, target, tmp_path)


def test_a_drop_on_an_sftp_server(tmp_path):
    """The first night loads the newest bulk bundle, the second, without a new one, nothing."""
    pytest.importorskip("sshfs", reason="tap-oneroster[sftp] is not installed")
    recipe = plugins("nightly-sftp.md")["tap-oneroster"]
    for name in ("drop", "keys"):
        (tmp_path / name).mkdir()
    write_bundle(DISTRICT, tmp_path / "drop" / "1.zip")
    with sftp_server(tmp_path, tmp_path / "keys") as server:
        place = recipe["csv_path"].replace("sftp.example.org", "127.0.0.1")
        options = server.options(client_keys=[str(server.client_key)])
        config = {**recipe, "csv_path": place, "csv_storage_options": options}
        first = run_tap(config)
        second = run_tap(config, state=first.state)
    gc.collect()
    assert first.error is None
    assert {r["sourcedId"] for r in first.records["users"]} == {r["sourcedId"] for r in DISTRICT.active("users")}
    assert second.error is None
    assert not second.records["users"]
    assert second.receipts["users"]["mode"] == "skipped"


def test_near_real_time(tmp_path):
    """A second run asks for what changed only; small collections come whole; a whole read is due after a day."""
    recipe = plugins("near-real-time.md")["tap-oneroster"]
    with Provider(DISTRICT, version="1.2") as provider:
        config = {**recipe, **sheet(provider), "requests_per_minute": 6000}
        first = run_tap(config)
        second = run_tap(config, state=first.state)
        old = json.loads(json.dumps(first.state))
        for bookmark in old["bookmarks"].values():
            if "full_read_at" in bookmark:
                bookmark["full_read_at"] = "2026-01-01T00:00:00.000Z"
        due = run_tap(config, state=old)
    assert second.receipts["enrollments"]["filter"]
    assert second.receipts["orgs"]["filter"] is None
    assert due.receipts["enrollments"]["filter"] is None


def test_several_districts(tmp_path):
    """In shared tables nothing is announced for deletion; with tables of its own, a district may."""
    recipe = plugins("several-districts.md")
    path = tmp_path / "north.zip"
    write_bundle(DISTRICT, path)
    shared, isolated = (run_tap({**recipe[name], "csv_path": str(path)}) for name in ("tap-north", "tap-north 1"))
    assert {row["tenant"] for row in shared.records["users"]} == {"north"}
    assert not shared.of("ACTIVATE_VERSION")
    assert "users" in isolated.of("ACTIVATE_VERSION")
