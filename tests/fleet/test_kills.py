"""`kill -9` of the tap, the target and the command, at random moments: nothing is lost, doubled or left behind."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.fleet import alive, until

if TYPE_CHECKING:
    from tests.support.fleet import Desk

pytestmark = [pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children of the death")]
KILLS = 24
ORPHAN_SECONDS = 5


def processes(mark: str, name: str) -> list[int]:
    """The ids of those processes with a mark whose command line names a program."""
    found = []
    for pid in alive(mark):
        with suppress(OSError):
            if name in (Path("/proc") / str(pid) / "cmdline").read_text():
                found.append(pid)
    return found


def test_kills_at_random_moments(desk: Desk) -> None:
    """Outputs and states are those of an undisturbed run, and no process is left five seconds later."""
    dice = random.Random(18)
    mark = f"mark-{desk.folder.name}"
    desk.set("LC_MARK", mark)  # goes to all children
    ids = [f"d{n}" for n in range(KILLS // 4)]
    entry = "- {{id: {}, tap: {{records: 40, sleep: '0.8', bookmark: b}}, loader: {{sleep: '0.4'}}}}\n"
    desk.file("".join(entry.format(id_) for id_ in ids))
    assert desk.run("--all", "--jobs", "6").returncode == 0
    expected = {id_: ((desk.folder / f"out/{id_}").read_bytes(), desk.state(id_)) for id_ in ids}
    for id_ in ids:
        (desk.folder / f"out/{id_}").unlink()
        (desk.folder / f"states/{id_}/state.json").unlink()
    killed = {"tap-fake": 0, "target-fake": 0, "oneroster-fleet": 0}
    for turn in range(KILLS):
        id_, victim = ids[turn % len(ids)], ("tap-fake", "target-fake", "oneroster-fleet")[turn % 3]
        run = desk.start(id_)
        until(lambda victim=victim, run=run: processes(mark, f"/{victim}") or run.poll() is not None)
        time.sleep(dice.random() * 0.7)
        for pid in processes(mark, f"/{victim}"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed[victim] += 1
        code = run.wait(timeout=60)
        end = time.monotonic() + ORPHAN_SECONDS
        while alive(mark):
            assert time.monotonic() < end, "an orphan is alive"
        state = desk.folder / f"states/{id_}/state.json"
        if code == 0 or state.exists():
            assert (desk.folder / f"out/{id_}").read_bytes() == expected[id_][0], "a state is ahead of its data"
    assert min(killed.values()) >= KILLS // 8, killed
    assert desk.run("--all", "--jobs", "6").returncode == 0
    assert {id_: ((desk.folder / f"out/{id_}").read_bytes(), desk.state(id_)) for id_ in ids} == expected


def test_never_two_of_one_district(desk: Desk) -> None:
    """Ten start at once, and one of them is killed again and again: never two taps are alive."""
    mark = f"mark-{desk.folder.name}"
    desk.set("LC_MARK", mark)
    desk.file("- {id: a, tap: {sleep: '0.6'}}\n")
    for _ in range(3):
        started = [desk.start("a") for _ in range(5)]
        first = until(lambda: processes(mark, "/tap-fake"))
        assert len(first) == 1
        holder = int((desk.folder / "states/.fleet/a/fleet.lock").read_text().partition('"pid": ')[2].partition("}")[0])
        os.kill(holder, signal.SIGKILL)
        again = desk.start("a")
        while again.poll() is None:
            assert len(processes(mark, "/tap-fake")) <= 1
            time.sleep(0.05)
        assert {run.wait(timeout=60) for run in started} <= {75, -9, 0}
        assert again.wait() in (0, 75)
