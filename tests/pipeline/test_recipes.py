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

import duckdb
import pytest
import yaml
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.provider import Provider

from tests.csv.bundles import csv_text, write
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


def plugins(page, *, whole=False):
    """Settings of the plugins on a page, by name; of two with one name the later ones come after a number.

    `whole`: all that stands under the name, not only the settings.
    """
    found: dict[str, Any] = {}
    for text in re.findall(r"^```yaml\n(.*?)^```$", (RECIPES / page).read_text("utf-8"), re.MULTILINE | re.DOTALL):
        for entries in yaml.safe_load(text)["plugins"].values():
            for entry in entries:
                name = entry["name"]
                number = len([known for known in found if known.partition(" ")[0] == name])
                found[f"{name} {number}" if number else name] = entry if whole else entry.get("config", {})
    return found


def sheet(provider):
    """What a credential sheet says, in place of the example's."""
    return {name: getattr(provider, name) for name in ("base_url", "token_url", "client_id", "client_secret")}


def pipe(tap, target, folder, *, fails=False, catalog=None):
    """`tap | target` in a shell's way, with the state of the last good run; the target's log."""
    (folder / "tap.json").write_text(json.dumps(tap))
    (folder / "target.json").write_text(json.dumps(target))
    state = folder / "state.json"
    command = [TAP, "--config", folder / "tap.json", *(["--state", state] if state.exists() else [])]
    command += ["--catalog", catalog] if catalog else []
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


def select(patterns, config, folder):
    """The catalog in which only the streams of a recipe are selected, as Meltano makes it."""
    (folder / "discover.json").write_text(json.dumps(config))
    command = [TAP, "--config", folder / "discover.json", "--discover"]
    catalog = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    wanted = {pattern.partition(".")[0] for pattern in patterns}
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = stream["tap_stream_id"] in wanted
    (folder / "catalog.json").write_text(json.dumps(catalog))
    return folder / "catalog.json"


FAMILY = {
    "orgs.csv": csv_text("sourcedId,name,type", "d1,District,district", "s1,School,school"),
    "academicSessions.csv": csv_text(
        "sourcedId,title,type,startDate,endDate,schoolYear", "y1,Year,schoolYear,2026-08-01,2027-07-01,2027"
    ),
    "courses.csv": csv_text("sourcedId,schoolYearSourcedId,title,orgSourcedId", "c1,y1,Art,s1"),
    "classes.csv": csv_text(
        "sourcedId,title,courseSourcedId,classType,schoolSourcedId,termSourcedIds", "k1,Art 1,c1,scheduled,s1,y1"
    ),
    "users.csv": csv_text(
        "sourcedId,enabledUser,username,givenName,familyName,email,phone,sms,agentSourcedIds,"
        "metadata.microsoft.userFlags,metadata.locker",
        'p1,true,ada,Ada,Example,ada@example.org,,,g1,"gifted,teamsEnabled",17',
        "g1,true,gus,Gus,Example,gus@example.org,(312) 555-0100,+44 20 7946 0000,,,",
        "t1,true,tia,Tia,Teacher,tia@example.org,312.555.0101,,,,",
    ),
    "roles.csv": csv_text(
        "sourcedId,userSourcedId,roleType,role,orgSourcedId",
        "r1,p1,primary,student,s1",
        "r2,g1,primary,parent,s1",
        "r3,t1,primary,teacher,s1",
    ),
    "enrollments.csv": csv_text(
        "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role", "e1,k1,s1,p1,student", "e2,k1,s1,t1,teacher"
    ),
    "demographics.csv": csv_text("sourcedId,birthDate", "p1,2015-05-05"),
}
"""A student with a guardian and a teacher, all made up."""


def for_a_consumer(number, folder):
    """The bundle that the recipe of a consumer makes of the family; number 0 is the first recipe of the page.

    The page's first target stands before the recipes: it shows the setting for a dialect.
    """
    recipe = plugins("consumers.md", whole=True)
    suffix = f" {number}" if number else ""
    tap, target = recipe[f"tap-oneroster{suffix}"], recipe[f"target-oneroster-csv {number + 1}"]["config"]
    source = write(folder / "family.zip", FAMILY, version="1.2")
    rest = ("base_url", "token_url", "client_id")
    config = {k: v for k, v in tap["config"].items() if k not in rest} | {"mode": "csv", "csv_path": str(source)}
    catalog = select(tap["select"], config, folder)
    target = {**target, "output_path": str(folder / "out.zip"), "report_path": str(folder / "report.json")}
    pipe(config, target, folder, catalog=catalog)
    return read(folder / "out.zip")


def test_a_bundle_for_microsoft_sds(tmp_path):
    """Guardians are users whom the student names, phones are in E.164 form, and flags come without other metadata."""
    files, manifest = for_a_consumer(0, tmp_path)
    assert manifest["oneroster.version"] == "1.2"
    present = {name for name, mode in manifest.items() if name.startswith("file.") and mode == "bulk"}
    wanted = ("academicSessions", "orgs", "courses", "classes", "users", "roles", "enrollments")
    assert present == {f"file.{name}" for name in wanted}
    users = {row["sourcedId"]: row for row in files["users"]}
    assert users["p1"]["agentSourcedIds"] == "g1"
    assert users["p1"]["metadata.microsoft.userFlags"] == "gifted,teamsEnabled"
    assert not [name for name in users["p1"] if name.startswith("metadata.") and "microsoft" not in name]
    assert all(users["g1"][name] for name in ("givenName", "familyName", "email"))
    numbers = [users[person][name] for person in ("g1", "t1", "p1") for name in ("phone", "sms")]
    assert numbers == ["+13125550100", "+442079460000", "+13125550101", "", "", ""]
    assert {row["userSourcedId"]: row["role"] for row in files["roles"]}["g1"] == "parent"


def test_a_bundle_for_lingco(tmp_path):
    """A whole set of 1.1: role and orgs are in `users`, and nothing is a delta."""
    files, manifest = for_a_consumer(1, tmp_path)
    assert manifest["oneroster.version"] == "1.1"
    assert set(manifest.values()) & {"bulk", "delta"} == {"bulk"}
    assert {"orgs", "users", "classes", "enrollments", "academicSessions"} <= set(files)
    users = {row["sourcedId"]: row for row in files["users"]}
    assert {key: (row["role"], row["orgSourcedIds"]) for key, row in users.items()} == {
        "p1": ("student", "s1"),
        "g1": ("parent", "s1"),
        "t1": ("teacher", "s1"),
    }


def test_guardians_that_microsoft_sds_would_not_accept(tmp_path):
    """The query of the page finds the guardian without an email, and not the student without a phone."""
    users = FAMILY["users.csv"].replace("gus@example.org", "")
    source = write(tmp_path / "family.zip", {**FAMILY, "users.csv": users}, version="1.2")
    tap, target, warehouse = (tmp_path / name for name in ("tap.json", "target.json", "family.duckdb"))
    tap.write_text(json.dumps({"mode": "csv", "csv_path": str(source)}))
    target.write_text(json.dumps({"filepath": str(warehouse)}))
    messages = subprocess.run([TAP, "--config", tap], capture_output=True, check=True).stdout
    loader = TARGET.with_name("target-oneroster-duckdb")
    subprocess.run([loader, "--config", target], input=messages, capture_output=True, check=True)
    (query,) = re.findall(
        r"^```sql\n(.*?)^```$", (RECIPES / "consumers.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    with duckdb.connect(str(warehouse), read_only=True) as database:
        assert database.execute(query).fetchall() == [("g1",)]
