"""What goes wrong around a run: records, logs, clocks, signals. One district never ends the runs of the others."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from oneroster_fleet.run.district_run import Run
from oneroster_fleet.run.log import RunLog

from tests.support.fleet import alive, until

if TYPE_CHECKING:
    from tests.support.fleet import Desk

TWO = "- {id: a}\n- {id: b}\n"


def test_a_defect_in_one_run_is_its_own_failure(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 1 and one line without values; the other district runs, and the record says what happened."""
    desk.file(TWO)
    pipe = Run._pipe

    def broken(self, district, *arguments, **options):
        if district.id == "a":
            raise KeyError("Zqxj")
        return pipe(self, district, *arguments, **options)

    monkeypatch.setattr(Run, "_pipe", broken)
    code, lines, error = desk("run", "a", "b")
    assert code == 1
    assert [line.split("  ")[:2] for line in lines] == [["a", "1"], ["b", "0"]]
    assert "a defect of oneroster-fleet: KeyError in test_odd_nights.py" in lines[0]
    assert "Zqxj" not in "".join(lines) + error
    assert desk.record("a")["exit"] == 1


def test_a_hold_that_cannot_be_read_is_in_force(desk: Desk) -> None:
    """Until it is released; the other districts run."""
    desk.file(TWO)
    desk.put("a", "hold.json", until="tomorrow", why="rollover")
    code, lines, _ = desk("run", "--all")
    assert [line.split("  ")[:2] for line in lines] == [["a", "77"], ["b", "0"]]
    assert code == 0
    assert desk("list")[1][0].startswith("a  held")
    assert desk("release", "a", "--why", "over")[0] == 0
    assert desk("run", "a")[0] == 0


def test_a_hold_that_is_over_already_is_refused(desk: Desk) -> None:
    """Somebody who mistypes the year must not believe that the district is held; its own calendar counts."""
    desk.file("- {id: a}\n")
    desk.set("ONEROSTER_FLEET_NOW", "2026-08-11T23:00:00-05:00")
    code, _, error = desk("hold", "a", "--until", "2026-08-11", "--why", "rollover")
    assert code == 4
    assert "--until: this day has come" in error
    assert desk("hold", "a", "--until", "2026-08-12", "--why", "rollover")[0] == 0


def test_a_record_without_a_time_ends_nothing(desk: Desk) -> None:
    """It counts as no success."""
    desk.file(TWO)
    desk.put("a", exit=0, finished="yesterday")
    assert desk("list")[1][0].startswith("a  never")
    assert desk("run", "--due")[0] == 0
    assert desk.record("a")["exit"] == 0


def test_a_hold_whose_record_is_broken_is_in_force(desk: Desk) -> None:
    """Somebody stopped this district; until it is released, it does not run."""
    desk.file(TWO)
    assert desk("hold", "a", "--why", "rollover")[0] == 0
    (desk.folder / "states/.fleet/a/hold.json").write_text('{"why": "roll')
    assert "a  held" in desk("list")[1][0]
    assert desk("run", "a")[0] == 77
    assert desk("release", "a", "--why", "done")[0] == 0
    assert desk("run", "a")[0] == 0


def test_a_clock_that_is_no_time_is_one_line(desk: Desk) -> None:
    """For one district as for several."""
    desk.file(TWO)
    desk.set("ONEROSTER_FLEET_NOW", "noon")
    for arguments in (["a"], ["a", "b"]):
        code, lines, error = desk("run", *arguments)
        assert code in (1, 4)
        assert "ONEROSTER_FLEET_NOW: must be a time with an offset" in "".join(lines) + error
        assert "Traceback" not in error


def test_a_success_in_the_future_is_no_success(desk: Desk) -> None:
    """A clock that was years ahead for one night must not keep a district from being read until then."""
    desk.file("- {id: a}\n")
    desk.put("a", exit=0, finished="2099-01-01T00:00:00Z")
    (line,) = desk("list")[1]
    assert line.split()[:3] == ["a", "late", "due"]
    assert "dated in the future; look at the clock" in line
    assert desk("run", "--due")[0] == 0
    assert desk("list")[1][0].split()[:2] == ["a", "fresh"]


def test_a_log_that_cannot_be_written_fails_the_run_and_says_where(desk: Desk) -> None:
    """The record is written, so that the board says it, too."""
    (desk.folder / "logs").write_text("a file where the folder should be")
    desk.file("- {id: a}\n")
    code, _, error = desk("run", "a")
    assert code == 1
    assert "a  1  0.0 s  log_dir: a log cannot be written there (" in error
    assert desk.record("a")["why"].startswith("log_dir: ")
    assert not (desk.folder / "out/a").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_a_full_disk_under_the_log_does_not_stop_the_pipe(desk: Desk) -> None:
    """Whoever reads what tap and loader say goes on reading it; otherwise both would wait for ever."""
    said: list[str] = []
    log = RunLog(desk.folder / "logs/a.log", said.append)
    with log:
        assert log._file
        os.dup2(os.open("/dev/full", os.O_WRONLY), log._file.fileno())
        log("one")
        log("two")
    assert said == ["fleet: log_dir: the log ends here (No space left on device)", "one", "two"]


def test_a_run_says_its_window(desk: Desk) -> None:
    """With the zone, so that somebody who tries it at noon knows why."""
    desk.file("- {id: a, window: '02:00-06:00', blackout: ['04:00-05:00']}\n")
    desk.set("ONEROSTER_FLEET_NOW", "2026-08-11T12:00:00-05:00")
    code, _, error = desk("run", "a")
    assert code == 77
    assert "outside its window 02:00-06:00, blackout 04:00-05:00 (America/Chicago)" in error


def discovering(desk: Desk, body: str) -> None:
    """A tap whose --discover does this."""
    path = desk.folder / "bin/tap-fake"
    text = path.read_text()
    path.write_text(text.replace("exit; fi\n", f'exit; fi\nif [ "$2" = --discover ]; then {body}; fi\n', 1))
    desk.file("- {id: a, select: ['users.*']}\n")


def test_a_signal_while_the_tap_is_asked_for_its_streams_ends_the_run(desk: Desk) -> None:
    """Within seconds, not after `timeout`; and the tap with it."""
    discovering(desk, "sleep 87654; exit 1")
    run = desk.start("a")
    until(lambda: alive("sleep\x0087654"))
    begun = time.monotonic()
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=60) == 143
    assert time.monotonic() - begun < 15
    until(lambda: not alive("sleep\x0087654"), 5)
    assert desk.record("a")["exit"] == 143


def test_a_run_that_is_killed_meanwhile_leaves_no_tap(desk: Desk) -> None:
    """And the lock is free as soon as the tap is gone."""
    discovering(desk, "exec sleep 87655")
    run = desk.start("a")
    until(lambda: alive("sleep\x0087655"))
    run.kill()
    run.wait()
    until(lambda: not alive("sleep\x0087655"), seconds=5)


@pytest.mark.parametrize("answer", ["echo nothing", "echo '[]'", "echo '{}'"])
def test_a_tap_that_answers_without_a_catalog(desk: Desk, answer: str) -> None:
    discovering(desk, f"{answer}; exit 0")
    code, _, error = desk("run", "a")
    assert code == 1
    assert "the tap's --discover did not answer with a catalog" in error
