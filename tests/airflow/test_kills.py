"""`kill -9` of tap, target, command, Airflow's worker and its scheduler: a night ends as one without kills would."""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.loaders.postgres import Server
from tests.support.airflow import Airflow, airflow_for
from tests.support.fleet import fake_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.timeout(5400),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children of the death"),
]
LOG = logging.getLogger(__name__)
ORPHAN_SECONDS = 5
LOOK_SECONDS = 0.1
VICTIMS = ("tap", "target", "command", "worker", "tap", "target", "command", "worker", "tap", "scheduler")
"""Who is killed, in turns."""
HEAD = """\
version: 1
state: file://{folder}/states
defaults:
  time_zone: America/Chicago
  retries: 40
  retry_delay: 1s
  tap: {{name: tap-fake, records: 40, sleep: '1.2', bookmark: b}}
  loader: {{name: target-fake, filepath: '{folder}/out/{{district}}', sleep: '0.6'}}
providers:
  aeries: {{concurrent: 8}}
districts:
"""
LONG = ", tap: {sleep: '8'}"
"""A run that would outlive a dead parent for longer than an orphan may live."""
QUICK = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "30",
}
"""What makes Airflow notice a death in half a minute, so that the test takes minutes and not an hour."""


class Process(NamedTuple):
    """One process of the night: what it is, whose it is, and who its parent is."""

    pid: int
    kind: str
    district: str
    parent: int


def processes(mark: str) -> Iterator[Process]:
    """Yield Airflow's workers, and the taps, targets and commands that carry a mark in their environment.

    A worker carries none: its title stands where its environment stood.
    """
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            state, parent = (path / "stat").read_text().rpartition(")")[2].split()[:2]
            pid, parent_id = int(path.name), int(parent)
            if state in "ZX":
                continue
            if line.startswith("airflow worker -- "):
                yield Process(pid, "worker" if "<idle>" not in line else "idle", "", parent_id)
                continue
            variables = (path / "environ").read_bytes().split(b"\0")
            if f"LC_MARK={mark}".encode() not in variables:
                continue
            its = {name: value.decode() for name, _, value in (pair.partition(b"=") for pair in variables)}
            if "/tap-fake" in line:
                yield Process(pid, "tap", its.get(b"TAP_FAKE_TENANT", "?"), parent_id)
            elif "/target-fake" in line:
                yield Process(pid, "target", Path(its.get(b"TARGET_FAKE_FILEPATH", "?")).name, parent_id)
            elif "oneroster-fleet run " in line:
                yield Process(pid, "command", line.split("oneroster-fleet run ")[1].split()[0], parent_id)


class Watch(Thread):
    """Looks ten times a second for two taps or targets of one district, for orphans, and for states without data."""

    def __init__(self, mark: str, folder: Path, expected: bytes) -> None:
        super().__init__(daemon=True)
        self.faults: set[str] = set()
        self.looks = 0
        self._mark, self._folder, self._expected = mark, folder, expected
        self._over, self._orphans = Event(), dict[int, float]()

    def run(self) -> None:
        """Look until `end`."""
        while not self._over.is_set():
            time.sleep(LOOK_SECONDS)
            self.looks += 1
            found = list(processes(self._mark))
            shells = {p.pid for p in found if p.kind in ("tap", "target")}
            found = [p for p in found if p.parent not in shells]  # a shell's own child, for `$(...)`, is no second one
            for (kind, district), count in Counter((p.kind, p.district) for p in found).items():
                if kind in ("tap", "target") and count > 1:
                    self.faults.add(f"{count} of kind {kind} of {district} at the same time")
            now = time.monotonic()
            self._orphans = {p.pid: self._orphans.get(p.pid, now) for p in found if p.parent == 1 and p.kind != "idle"}
            kinds = {p.pid: p.kind for p in found}
            self.faults |= {
                f"an orphan: {kinds[pid]}" for pid, since in self._orphans.items() if now - since > ORPHAN_SECONDS
            }
            for state in self._folder.glob("states/d*/state.json"):
                out = self._folder / "out" / state.parent.name
                if not out.exists() or out.read_bytes() != self._expected:
                    self.faults.add(f"{state.parent.name}: a state is ahead of its data")

    def end(self) -> None:
        """Stop looking."""
        self._over.set()
        self.join()


@pytest.mark.parametrize(("kills", "districts"), [(20, 8), pytest.param(200, 50, marks=pytest.mark.slow)])
def test_a_night_of_kills(tmp_path: Path, kills: int, districts: int) -> None:
    """Outputs and states are those of an undisturbed night; no district ran twice at once; nobody was left behind."""
    dice = random.Random(18)
    ids = [f"d{n:02}" for n in range(districts)]
    (tmp_path / "fleet.yml").write_text(
        HEAD.format(folder=tmp_path)
        + "".join(f"- {{id: {id_}, provider: aeries{LONG if id_ in ids[::3] else ''}}}\n" for id_ in ids)
    )
    mark = f"mark-{tmp_path.name}-{os.getpid()}"
    expected = b"".join(b'{"type":"RECORD","n":%d}\n' % n for n in range(1, 41))
    server = Server()
    airflow = airflow_for(
        tmp_path,
        server.database().url,
        {"PATH": fake_plugins(tmp_path / "bin"), "LC_MARK": mark, **QUICK},
        slots=6,
        supervised=True,
    )
    killed: Counter[str] = Counter()
    watch = Watch(mark, tmp_path, expected)
    try:
        airflow.start("api-server", "scheduler", "dag-processor")
        airflow.until("all DAGs are known", lambda: len(airflow.dag_ids()) == districts)
        watch.start()
        while killed.total() < kills:
            if victim := _victim(VICTIMS[killed.total() % len(VICTIMS)], mark, airflow, dice):
                with suppress(ProcessLookupError):
                    os.kill(victim.pid, signal.SIGKILL)
                    killed[victim.kind] += 1
            airflow.see_to_parts()
            if sum(p.kind == "command" for p in processes(mark)) < 3:
                _keep_busy(airflow, dice)
            time.sleep(dice.random() * 1.5)
        airflow.until("all runs are over", lambda: airflow.are_over(districts), 1800)
        runs = airflow.runs()
    finally:
        watch.end()
        airflow.stop()
        server.close()
    LOG.info("killed: %s; runs: %d; looks: %d", dict(killed), sum(map(len, runs.values())), watch.looks)
    assert not watch.faults
    assert min(killed[kind] for kind in set(VICTIMS)) >= kills // 20
    assert {state for its in runs.values() for state in its} == {"success"}
    assert {id_: (tmp_path / "out" / id_).read_bytes() for id_ in ids} == dict.fromkeys(ids, expected)
    states = {(tmp_path / f"states/{id_}/state.json").read_text() for id_ in ids}
    assert len(states) == 1
    assert '"at": "b"' in states.pop()
    assert not [p for p in processes(mark) if p.kind != "idle"]


def _victim(kind: str, mark: str, airflow: Airflow, dice: random.Random) -> Process | None:
    """Return a process of a kind that is alive, or None."""
    if kind == "scheduler":
        return Process(airflow.processes["scheduler"].pid, kind, "", 0)
    children_of_the_scheduler = airflow.processes["scheduler"].pid
    found = [
        p for p in processes(mark)
        if p.kind == kind and (kind != "worker" or p.parent == children_of_the_scheduler)
    ]  # fmt: skip
    return dice.choice(found) if found else None


def _keep_busy(airflow: Airflow, dice: random.Random) -> None:
    """Start a run of some districts that have none, so that there is somebody to kill."""
    with suppress(OSError):
        runs: dict[str, Any] = airflow.runs()
        idle = [id_ for id_, its in runs.items() if all(s in ("success", "failed") for s in its)]
        airflow.trigger(dice.sample(idle, min(8, len(idle))))
