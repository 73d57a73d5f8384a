"""`meltano run` into a bundle, night after night: what is not all there is never takes the place of what was."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sqlite3
import sys
import zipfile
from contextlib import closing
from itertools import count
from pathlib import Path
from threading import Event

import pytest
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.provider import Knobs, Provider

pytestmark = pytest.mark.slow

BEFORE = District(seed=11, schools=2, students_per_school=30, gradebook=False)
WHOLE = {"academicSessions", "orgs", "courses", "classes", "classResources", "courseResources", "resources"}
"""Files whose collections are read whole every night."""


class Nights:
    """A pipeline of its own state, its source, and the bundle it writes."""

    def __init__(self, project, folder, name):
        self.project = project
        self.output = folder / "out.zip"
        self._suffix = name

    def run(self, *options, fails=False, **settings):
        """One night; what Meltano printed."""
        command = ("run", f"--state-id-suffix={self._suffix}", *options, "tap-oneroster", "target-oneroster-csv")
        return self.project(*command, fails=fails, **settings)

    def start(self, *options, **settings):
        """One night, on its way."""
        command = ("run", f"--state-id-suffix={self._suffix}", *options, "tap-oneroster", "target-oneroster-csv")
        return self.project.start(*command, **settings)

    @property
    def state(self):
        """What Meltano will hand to the tap next time."""
        name = f"dev:tap-oneroster-to-target-oneroster-csv:{self._suffix}"
        with closing(sqlite3.connect(self.project.folder / ".meltano" / "meltano.db")) as database:
            return database.execute(
                "SELECT partial_state, completed_state FROM state WHERE state_id = ?", (name,)
            ).fetchall()

    @property
    def bundle(self):
        """The bundle's bytes, and nothing beside it."""
        assert [path.name for path in self.output.parent.iterdir() if path.name.startswith(".out")] == []
        return self.output.read_bytes()

    def ids(self, name):
        """Ids of a file of the bundle."""
        with zipfile.ZipFile(self.output) as archive:
            return {row["sourcedId"] for row in csv.DictReader(io.TextIOWrapper(archive.open(f"{name}.csv"), "utf-8"))}

    def modes(self):
        """Files of the bundle by mode."""
        with zipfile.ZipFile(self.output) as archive:
            rows = csv.reader(io.TextIOWrapper(archive.open("manifest.csv"), "utf-8"))
            found = {name.removeprefix("file."): mode for name, mode in rows if name.startswith("file.")}
        return {mode: {name for name, its in found.items() if its == mode} for mode in ("bulk", "delta")}


@pytest.fixture
def nights(project, tmp_path, request):
    project.change("loaders", "target-oneroster-csv", config={"output_path": str(tmp_path / "out.zip")})
    return Nights(project, tmp_path, request.node.name.replace("[", "-").rstrip("]"))


@pytest.fixture
def service(project):
    """A service that the pair reads from."""
    with Provider(BEFORE) as provider:
        config = {
            "mode": "rest",
            "base_url": provider.base_url,
            "token_url": provider.token_url,
            "client_id": provider.client_id,
            "client_secret": provider.client_secret,
        }
        project.change("extractors", "tap-oneroster", config=config)
        yield provider


def active(district, name):
    return {row["sourcedId"] for row in district.active(name)}


def test_an_incremental_night(nights, service):
    """It never becomes a bulk bundle; it may be merged, or passed on as a delta beside what was read whole."""
    nights.run()
    assert nights.ids("users") == active(BEFORE, "users")
    first, state = nights.bundle, nights.state

    today = BEFORE.changed(1)
    service.use(today)
    assert "the read was filtered or incremental" in nights.run(fails=True)
    assert "with --full-refresh" in nights.project.log
    assert (nights.bundle, nights.state) == (first, state)

    nights.run(
        TARGET_ONEROSTER_CSV_FILE_MODE="delta",
        TARGET_ONEROSTER_CSV_FILE_MODES=json.dumps(dict.fromkeys(WHOLE & {"academicSessions", "orgs", "courses", "classes"}, "bulk")),
        TARGET_ONEROSTER_CSV_OUTPUT_PATH=str(nights.output.with_name("mixed.zip")),
    )  # fmt: skip
    mixed = Nights(nights.project, nights.output.parent, "mixed")
    mixed.output = nights.output.with_name("mixed.zip")
    assert mixed.modes()["bulk"] >= {"academicSessions", "orgs", "courses", "classes"}
    assert mixed.modes()["delta"] >= {"users", "roles", "enrollments"}
    assert mixed.ids("users") < active(BEFORE, "users") | {row["sourcedId"] for row in today.changes("users", since=0)}
    assert mixed.ids("classes") == active(today, "classes")
    assert nights.bundle == first

    nights.run("--full-refresh")
    assert nights.ids("users") == active(today, "users")


def test_a_filtered_read(nights, service):
    """Whatever the filter is, the rest would be deleted downstream."""
    nights.run()
    first, state = nights.bundle, nights.state
    filtered = {"TAP_ONEROSTER_STATUS_FILTER": "active", "TAP_ONEROSTER_START_DATE": "2020-01-01T00:00:00Z"}
    log = nights.run("--full-refresh", fails=True, **filtered)
    assert "without start_date and status_filter in the tap" in log
    assert (nights.bundle, nights.state) == (first, state)


def test_bundles_that_were_read_before(nights, project, tmp_path):
    """A night without a new one publishes nothing; one beside which others are skipped would lack their rows."""
    drop = tmp_path / "drop"
    project.change("extractors", "tap-oneroster", config={"mode": "csv", "csv_path": f"{drop}/*.zip"})
    write_bundle(BEFORE, drop / "0.zip")
    nights.run()
    first = nights.bundle
    assert "No records came: nothing was published." in nights.run()
    state = nights.state
    assert len(state) == 1
    write_bundle(BEFORE.changed(1), drop / "1.zip", only={"users", "roles", "enrollments"})
    assert "had been read before was skipped" in nights.run(fails=True)
    assert (nights.bundle, nights.state) == (first, state)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the tap in /proc")
@pytest.mark.timeout(900)
def test_a_killed_process(nights, service):
    """SIGKILL in the middle of a read: Meltano ends non-zero, the bundle and the state are those of the night before.

    Meltano closes the target's input when the tap is dead: by that alone it looks finished.
    """
    nights.run()
    first, state = nights.bundle, nights.state
    for victim in ("tap-oneroster", "target-oneroster-csv"):
        reached, go_on, pages = Event(), Event(), count()

        def hold(_, reached=reached, go_on=go_on, pages=pages):
            if next(pages) == 2:
                reached.set()
                go_on.wait(240)

        service.knobs_for = {"enrollments": Knobs(before_page=hold, page_cap=20)}
        night = nights.start("--full-refresh", TAP_ONEROSTER_MAX_CONCURRENCY="1")
        try:
            assert reached.wait(240), "the tap did not come so far"
            os.kill(process_of(victim, night.pid), signal.SIGKILL)
        finally:
            go_on.set()
            log, _ = night.communicate(timeout=240)
        assert night.returncode != 0, log[-2000:]
        assert nights.output.read_bytes() == first
        assert nights.state == state
    service.knobs_for = {}
    nights.run("--full-refresh")
    assert nights.bundle == first


def process_of(plugin, above):
    """Id of a plugin's process below another one."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    waiting = [above]
    while waiting:
        waiting += children.get(at := waiting.pop(), [])
        if f"/{plugin}" in Path(f"/proc/{at}/cmdline").read_text().split("\0")[1]:
            return at
    raise AssertionError(f"{plugin} does not run")
