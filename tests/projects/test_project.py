"""The pair in a project of one's own: added by the Hub definitions, without the Hub."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import zipfile

import pytest
import yaml
from oneroster_sample.bundle import write_bundle

from tests.csv.stores import s3_endpoint

from .conftest import ROOT, Project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STATE = "dev:{}-to-{}"


def selected(project, **settings):
    """Streams of which Meltano selects anything."""
    listed = project("select", "tap-oneroster", "--list", **settings)
    lines = [line.split() for line in listed.splitlines() if line.startswith("\t[")]
    return {words[-1].partition(".")[0] for words in lines if words[0] in ("[selected", "[automatic")}


def users(path):
    """Ids of the users in a bundle, and whether they are all there are."""
    with zipfile.ZipFile(path) as bundle:
        manifest = bundle.read("manifest.csv").decode()
        rows = csv.DictReader(io.StringIO(bundle.read("users.csv").decode(), newline=""))
        return {row["sourcedId"] for row in rows}, "file.users,bulk" in manifest.replace('"', "")


@pytest.fixture
def drop(project, district, tmp_path):
    """A folder with a bulk bundle of the district, and the pair set to it; nothing of it was read before."""
    (project.folder / ".meltano" / "meltano.db").unlink(missing_ok=True)
    folder = tmp_path / "drop"
    folder.mkdir()
    write_bundle(district, folder / "0.zip")
    project.change("extractors", "tap-oneroster", config={"mode": "csv", "csv_path": f"{folder}/*.zip"})
    project.change("loaders", "target-oneroster-csv", config={"output_path": str(tmp_path / "out.zip")})
    return folder


ASKED = {"TAP_ONEROSTER__METADATA_DEMOGRAPHICS_SELECTED": "true"}
"""As `metadata: {demographics: {selected: true}}` in meltano.yml."""


def test_the_definitions_install_as_they_are(project):
    """`meltano add --from-ref ../oneroster/hub/…`, then `meltano install`: nothing in the project is edited."""
    for kind, name in (("extractors", "tap"), ("loaders", "target")):
        for plugin in (p for p in project.plugins(kind) if "pip_url" in p):
            assert plugin["pip_url"].startswith(f"-e ../oneroster/{name}-oneroster")
            program = project.folder / ".meltano" / kind / plugin["name"] / "venv" / "bin" / plugin["name"]
            said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
            assert said.startswith(f"{plugin['name']} v")


def test_what_is_off_by_default_stays_off(project, drop):
    """Meltano selects `*.*`: of views and passwords there is nothing to select, demographics are held by the definition.

    The definition holds them whatever `select` says, also where the project has metadata of its own; the log says so.
    """
    by_default = selected(project)
    assert {"users", "enrollments", "syncReceipts"} <= by_default
    assert not by_default & {"demographics", "students", "teachers", "schools", "terms", "gradingPeriods"}
    assert "password" not in project.log
    assert selected(project, **ASKED) == by_default | {"demographics"}
    assert selected(project, TAP_ONEROSTER__SELECT='["users.*", "demographics.*"]') == {"users", "syncReceipts"}
    project.change("extractors", "tap-oneroster", metadata={"users": {"note": "mine"}})
    assert selected(project) == by_default
    project.change("extractors", "tap-oneroster", metadata={"demographics": {"selected": True}})
    assert selected(project) == by_default | {"demographics"}
    project.change("extractors", "tap-oneroster", metadata=None)


def test_demographics_arrive_only_where_they_are_asked_for(project, drop, tmp_path):
    """Through a real run, by a definition that `add --from-ref` brought."""
    run = ("run", "--full-refresh", "tap-oneroster", "target-oneroster-csv")
    for asked in (False, True):
        project(*run, **(ASKED if asked else {}))
        with zipfile.ZipFile(tmp_path / "out.zip") as bundle:
            assert ("demographics.csv" in bundle.namelist()) is asked
        assert ("demographics: stays in the source" in project.log) is not asked


def test_the_definition_from_the_hub_holds_demographics_too(project, drop, tmp_path):
    """A definition from the Hub lies in a lock file."""
    folder = tmp_path / "locked"
    (folder / "plugins" / "extractors").mkdir(parents=True)
    definition = {**yaml.safe_load((ROOT / "hub/tap-oneroster.yml").read_text()), "plugin_type": "extractors"}
    variant = definition["variant"]
    lock = folder / "plugins" / "extractors" / f"tap-oneroster--{variant}.lock"
    lock.write_text(json.dumps(definition), encoding="utf-8")
    locked = Project(folder)
    mine = {k: v for k, v in project.plugins("extractors")[0].items() if k in ("name", "variant", "pip_url", "config")}
    content = yaml.safe_load((folder / "meltano.yml").read_text()) | {"plugins": {"extractors": [mine]}}
    (folder / "meltano.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    (folder / ".meltano").mkdir()
    (folder / ".meltano" / "extractors").symlink_to(project.folder / ".meltano" / "extractors")
    found = selected(locked)
    assert "users" in found
    assert "demographics" not in found
    assert "demographics" in selected(locked, **ASKED)


def test_a_project_selects_with_meltanos_own_words(project, drop):
    """`meltano select` adds and takes away; what is selected is what comes."""
    project("select", "tap-oneroster", "users", "*")
    assert selected(project) == {"users", "syncReceipts"}
    project("select", "tap-oneroster", "--exclude", "users", "phone")
    listed = project("select", "tap-oneroster", "--list", "--all")
    assert re.search(r"\[excluded *\] users\.phone\n", listed)
    assert re.search(r"\[selected *\] users\.email\n", listed)
    project("select", "tap-oneroster", "--clear")
    assert "enrollments" in selected(project)


def test_the_extractor_is_tried_and_invoked(project, drop):
    """`invoke` writes records to standard output; `test` takes one of each stream, and fails where there is none.

    `config test` is content with the first record it sees, and a run that fails writes its receipts.
    """
    nothing = {"TAP_ONEROSTER_CSV_PATH": str(drop / "nothing")}
    assert '"type":"RECORD","stream":"users"' in project("invoke", "tap-oneroster")
    assert "1 test(s) successful" in project("test", "tap-oneroster")
    project("test", "tap-oneroster", fails=True, **nothing)
    assert "is valid" in project("config", "test", "tap-oneroster", **nothing)


def test_environments_jobs_and_schedules(project, drop, tmp_path):
    """Each environment has settings and a state of its own; a schedule runs its job."""
    project.environment("prod", "loaders", "target-oneroster-csv", output_path=str(tmp_path / "prod.zip"))
    project("job", "add", "nightly", "--tasks", "[tap-oneroster target-oneroster-csv]")
    project("schedule", "add", "every-night", "--job", "nightly", "--interval", "@daily")
    project("run", "nightly")
    assert (tmp_path / "out.zip").exists()
    assert not (tmp_path / "prod.zip").exists()
    project("--environment=prod", "schedule", "run", "every-night")
    assert users(tmp_path / "prod.zip") == users(tmp_path / "out.zip")
    states = project("state", "list")
    assert all(f"{name}:tap-oneroster-to-target-oneroster-csv" in states for name in ("dev", "prod"))
    project("schedule", "remove", "every-night")
    project("job", "remove", "nightly")


def test_state_in_s3(project, drop):
    """A bucket keeps the state, and the project's own database knows nothing of it."""
    run = ("run", "--state-id-suffix=s3", "tap-oneroster", "target-oneroster-csv")
    state = STATE.format("tap-oneroster", "target-oneroster-csv") + ":s3"
    with s3_endpoint() as s3:
        backend = {
            "MELTANO_STATE_BACKEND_URI": "s3://drop/states",
            "MELTANO_STATE_BACKEND_S3_ENDPOINT_URL": s3.endpoint,
            "MELTANO_STATE_BACKEND_S3_AWS_ACCESS_KEY_ID": "test",
            "MELTANO_STATE_BACKEND_S3_AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        project(*run, **backend)
        assert state not in project("state", "list")
        assert state in project("state", "list", **backend)
        kept = json.loads(project("state", "get", state, **backend).splitlines()[-1])
        assert [b["name"] for b in kept["singer_state"]["bookmarks"]["users"]["bundles"]] == ["0.zip"]
        project(*run, **backend)
        assert "nothing was published" in project.log
        project("state", "clear", "--force", state, **backend)
        assert state not in project("state", "list", **backend)


def test_the_second_night(project, drop, district, tmp_path):
    """Nothing new publishes nothing; a delta never takes a bulk bundle's place; upsert merges it.

    Through all of it the state moves only with the bundle.
    """
    run = ("run", "tap-oneroster", "target-oneroster-csv")
    state = STATE.format("tap-oneroster", "target-oneroster-csv")
    output = tmp_path / "out.zip"

    project(*run)
    assert users(output) == ({r["sourcedId"] for r in district.active("users")}, True)
    first = output.read_bytes()

    project(*run)
    assert "nothing was published" in project.log
    assert output.read_bytes() == first

    before = json.loads(project("state", "get", state).splitlines()[-1])
    assert [b["name"] for b in before["singer_state"]["bookmarks"]["users"]["bundles"]] == ["0.zip"]

    write_bundle(district.changed(1), drop / "1.zip", mode="delta")
    project(*run, fails=True)
    assert "Nothing was published" in project.log
    assert "Use load_method upsert" in project.log
    assert "Run with --full-refresh" not in project.log
    assert output.read_bytes() == first
    assert json.loads(project("state", "get", state).splitlines()[-1]) == before

    project(*run, "--full-refresh", fails=True)
    assert re.search(r"users +0\.zip +bulk .*users +1\.zip +delta ", project.log, re.DOTALL), "both are read again"
    assert output.read_bytes() == first

    project(*run, TARGET_ONEROSTER_CSV_LOAD_METHOD="upsert")
    assert users(output) == ({r["sourcedId"] for r in district.changed(1).active("users")}, True)

    project("state", "clear", "--force", state)
    assert state not in project("state", "list")


def test_two_districts_at_the_same_time(project, district, tmp_path):
    """Inherited plugins have settings, state and a run folder of their own, and may run in parallel."""
    for number, name in enumerate(("north", "south")):
        write_bundle(district.changed(number), tmp_path / f"{name}.zip")
        config = {"mode": "csv", "csv_path": str(tmp_path / f"{name}.zip")}
        project.change("extractors", f"tap-{name}", inherit_from="tap-oneroster", config=config)
        config = {"output_path": str(tmp_path / "out" / f"{name}.zip")}
        project.change("loaders", f"target-{name}", inherit_from="target-oneroster-csv", config=config)
    running = [project.start("run", f"tap-{name}", f"target-{name}") for name in ("north", "south")]
    for process in running:
        log, _ = process.communicate(timeout=240)
        assert process.returncode == 0, log[-3000:]
    for number, name in enumerate(("north", "south")):
        today = district.changed(number)
        assert users(tmp_path / "out" / f"{name}.zip")[0] == {r["sourcedId"] for r in today.active("users")}
    states = project("state", "list")
    assert all(STATE.format(f"tap-{name}", f"target-{name}") in states for name in ("north", "south"))


def test_one_extractor_for_two_districts_at_the_same_time(project, district, tmp_path):
    """`meltano el` with a state id of its own has a run folder of its own; `meltano run` would share one."""
    running = []
    for number, name in enumerate(("north", "south")):
        write_bundle(district.changed(number), tmp_path / f"{name}.zip")
        running.append(
            project.start(
                "el",
                f"--state-id={name}",
                "tap-oneroster",
                "target-oneroster-csv",
                TAP_ONEROSTER_MODE="csv",
                TAP_ONEROSTER_CSV_PATH=str(tmp_path / f"{name}.zip"),
                TARGET_ONEROSTER_CSV_OUTPUT_PATH=str(tmp_path / "out" / f"{name}.zip"),
            )
        )
    for process in running:
        log, _ = process.communicate(timeout=240)
        assert process.returncode == 0, log[-3000:]
    for number, name in enumerate(("north", "south")):
        today = district.changed(number)
        assert users(tmp_path / "out" / f"{name}.zip")[0] == {r["sourcedId"] for r in today.active("users")}


def test_the_log_of_a_night_is_short(project, drop, district, tmp_path):
    """A first read through Meltano is at most 60 lines; of a night, tap and target have at most 15."""
    run = ("run", "tap-oneroster", "target-oneroster-csv")
    project.change("loaders", "target-oneroster-csv", config={"output_path": str(tmp_path / "out.zip")})
    project(*run)
    assert len(project.log.splitlines()) <= 60
    write_bundle(district.changed(), drop / "1.zip")
    for _ in ("a new bundle", "none"):
        project(*run)
        assert len(re.findall(r"\] t(?:ap|arget)-oneroster", project.log)) <= 15
        assert "Records read: " in project.log
