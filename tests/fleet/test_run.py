"""`run`: one district step by step, with a tap and a loader whose behaviour the test says."""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.fleet import alive, until

if TYPE_CHECKING:
    from tests.support.fleet import Desk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="run needs Linux or macOS")


def test_a_run_that_ends_well(desk: Desk) -> None:
    """Output, state in Meltano's layout, record, log; nothing else is left."""
    desk.file("- {id: north, tap: {records: 3, bookmark: b}}\n")
    done = desk.run("north")
    assert done.returncode == 0, done.stderr
    assert (desk.folder / "out/north").read_text().count("RECORD") == 3
    assert desk.state("north") == {"completed": {"singer_state": {"bookmarks": {"users": {"at": "b"}}}}, "partial": {}}
    last = desk.record("north")
    assert {"exit", "why", "started", "finished", "run"} <= set(last)
    assert (last["exit"], last["last_success"]) == (0, last["finished"])
    (log,) = (desk.folder / "logs/north").iterdir()
    assert log.name == f"{last['run']}.log"
    assert "tap: the tap's last line" in log.read_text()
    assert "target: the target's last line" in log.read_text()
    assert "the tap's last line" in done.stderr, "an engine shows it, too"
    left = sorted(
        p.relative_to(desk.folder / "states").as_posix() for p in (desk.folder / "states").rglob("*") if p.is_file()
    )
    assert left == [".fleet/north/fleet.lock", ".fleet/north/last.json", ".fleet/north/nights.json", "north/state.json"]


def test_the_next_run_begins_where_the_last_one_stopped(desk: Desk) -> None:
    """The tap gets the state by a file without a name; --full-refresh leaves it out."""
    desk.file(f"- {{id: north, tap: {{bookmark: one, dump: '{desk.folder}/env'}}}}\n")
    desk.run("north")
    assert "STATE" not in (desk.folder / "env").read_text()
    desk.run("north")
    assert 'STATE {"bookmarks": {"users": {"at": "one"}}}' in (desk.folder / "env").read_text()
    assert desk.run("--full-refresh", "north").returncode == 0
    assert "STATE" not in (desk.folder / "env").read_text()


@pytest.mark.parametrize(
    ("tap", "target", "code", "why"),
    [
        (0, 0, 0, "the tap's last line"),
        (1, 0, 1, "the tap's last line"),
        (3, 0, 3, "the tap's last line"),
        (3, 1, 3, "the tap's last line"),
        (4, 0, 4, "the tap's last line"),
        (1, 4, 4, "the target's last line"),
        (2, 0, 1, "the tap's last line"),
        (0, 1, 1, "the target's last line"),
        (0, 3, 3, "the target's last line"),
        (0, 2, 2, "the target's last line"),
    ],
)
def test_the_code_of_a_pipe(tap: int, target: int, code: int, why: str) -> None:
    """4 if either side is 4; else the tap's, if not 0 (3 stays 3, others are 1); else the target's."""
    from oneroster_fleet.run.pipe import pipe_code

    found, side = pipe_code(tap, target)
    assert found == code
    assert ("the tap's last line", "the target's last line")[side] == why


@pytest.mark.parametrize(("code", "expected", "word"), [(1, 1, "failed"), (3, 3, "held"), (4, 4, "misconfigured")])
def test_what_was_acknowledged_is_kept_whatever_the_code(desk: Desk, code: int, expected: int, word: str) -> None:
    """What the target acknowledged is durable; the exit code says the rest."""
    desk.file(f"- {{id: north, tap: {{code: {code}, bookmark: b}}}}\n")
    assert desk.run("north").returncode == expected
    assert desk.state("north")["completed"]["singer_state"]["bookmarks"]["users"]["at"] == "b"
    assert desk.record("north")["exit"] == expected
    assert desk.record("north")["why"] == "the tap's last line"
    assert desk("list")[1][0].split()[1] == word


def test_without_an_acknowledgement_no_state_is_written(desk: Desk) -> None:
    """A target that says nothing has promised nothing."""
    desk.file("- {id: north, loader: {code: 1, silent: 'yes'}}\n")
    assert desk.run("north").returncode == 1
    assert not (desk.folder / "states/north").exists()
    assert desk.record("north")["why"] == "the target's last line"


def test_each_side_sees_its_own_settings_only(desk: Desk) -> None:
    """The environment is built anew: no secret of the other side, of another district, or of this machine."""
    desk.file(
        f"- id: north\n  tap: {{dump: '{desk.folder}/tap.env'}}\n  loader: {{dump: '{desk.folder}/target.env'}}\n"
        "  secrets: {client_secret: env, password: 'env:WAREHOUSE'}\n  pass_to_loader: [AWS_PROFILE]\n- {id: south}\n"
    )
    variables = {
        "FLEET_NORTH_CLIENT_SECRET": "canary-one",
        "WAREHOUSE": "canary-two",
        "FLEET_SOUTH_CLIENT_SECRET": "canary-three",
    }
    for name, value in {**variables, "AWS_PROFILE": "fleet", "OTHER": "canary-four", "HTTPS_PROXY": "http://p"}.items():
        desk.set(name, value)
    assert desk.run("north").returncode == 0
    tap, target = ((desk.folder / f"{side}.env").read_text() for side in ("tap", "target"))
    assert "TAP_FAKE_CLIENT_SECRET=canary-one" in tap
    assert "TAP_FAKE_TENANT=north" in tap
    assert "TAP_FAKE_TENANT_ISOLATED=true" in tap
    assert "TARGET_FAKE_PASSWORD=canary-two" in target
    assert "AWS_PROFILE=fleet" in target
    assert all("HTTPS_PROXY=http://p" in text for text in (tap, target))
    assert tap.count("canary") == 1
    assert target.count("canary") == 1
    assert "AWS_PROFILE" not in tap
    files = [path.read_bytes() for path in desk.folder.rglob("*") if path.is_file() and not path.name.endswith(".env")]
    assert b"canary" not in b"".join(files), "neither in state, nor log, nor record"


def test_a_secret_that_is_missing_is_named(desk: Desk) -> None:
    """Exit 4, and the record says so."""
    desk.file("- {id: north-usd, secrets: {client_secret: env}}\n- {id: s, secrets: {client_secret: 'airflow:conn'}}\n")
    assert desk.run("north-usd").returncode == 4
    assert (
        desk.record("north-usd")["why"]
        == "secret: client_secret: the variable FLEET_NORTH_USD_CLIENT_SECRET is not set"
    )
    desk.run("s")
    filled = "which the task fills from the connection conn, is not set"
    assert desk.record("s")["why"] == f"secret: client_secret: the variable FLEET_S_CLIENT_SECRET, {filled}"


def test_a_secret_in_a_file(desk: Desk) -> None:
    """Only its owner may read it; its last line end is left out."""
    path = desk.folder / "secret"
    path.write_text("from-a-file\n")
    path.chmod(0o644)
    desk.file(f"- {{id: a, tap: {{dump: '{desk.folder}/env'}}, secrets: {{client_secret: 'file:{path}'}}}}\n")
    assert desk.run("a").returncode == 4
    assert desk.record("a")["why"] == "secret: client_secret: its file can be read by others; chmod 600 it"
    path.chmod(0o600)
    assert desk.run("a").returncode == 0
    assert "TAP_FAKE_CLIENT_SECRET=from-a-file\n" in (desk.folder / "env").read_text()


def test_a_run_over_its_timeout_is_stopped(desk: Desk) -> None:
    """Exit 124, and nothing of it is alive."""
    desk.file(f"- {{id: a, timeout: 1s, tap: {{sleep: '300', before: 'mark-{desk.folder.name}'}}}}\n")
    begun = time.monotonic()
    assert desk.run("a").returncode == 124
    assert time.monotonic() - begun < 60
    assert desk.record("a")["exit"] == 124
    until(lambda: not alive(f"mark-{desk.folder.name}"), 5)
    assert not (desk.folder / "states/a").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_stopped_stops_its_children(desk: Desk, number: int, code: int) -> None:
    mark = f"mark-{desk.folder.name}"
    desk.file(
        f"- {{id: a, tap: {{sleep: '300', before: '{mark}'}}}}\n- {{id: b, tap: {{sleep: '300', before: '{mark}'}}}}\n"
    )
    run = desk.start("--all", "--jobs", "2")
    until(lambda: len(alive(mark)) >= 2)
    run.send_signal(number)
    assert run.wait(timeout=60) == code
    until(lambda: not alive(mark), 5)  # programs that a tap has started get the signal, too, and nobody waits for them
    assert desk.record("a")["exit"] == code


def test_a_second_run_of_a_district_is_refused_within_a_second(desk: Desk) -> None:
    """Exit 75; the record of the last run stays."""
    desk.file("- {id: a, tap: {sleep: '300'}}\n")
    desk.put("a", exit=0, why="", started="2026-08-11T08:15:00Z", finished="2026-08-11T08:20:00Z", run="before")
    run = desk.start("a")
    until(lambda: "running" in desk("list")[1][0])
    begun = time.monotonic()
    code, _, error = desk("run", "a")
    assert code == 75
    assert time.monotonic() - begun < 3
    assert "another run of this district is alive" in error
    assert desk.record("a")["run"] == "before"
    run.kill()
    run.wait()
    until(lambda: "running" not in desk("list")[1][0])


def test_outside_its_window_a_run_does_not_start(desk: Desk) -> None:
    """Exit 77, no log, no record; inside it starts."""
    desk.file("- {id: a, window: '02:00-06:00', blackout: ['05:00-05:30']}\n")
    for moment, code in (("06:00", 77), ("05:10", 77), ("03:00", 0)):
        desk.set("ONEROSTER_FLEET_NOW", f"2026-08-11T{moment}:00-05:00")
        assert desk.run("a").returncode == code, moment
        assert (desk.folder / "states/.fleet/a/last.json").exists() is (code == 0)


def test_a_hold_and_its_release(desk: Desk) -> None:
    """`until` is the first free day; who, when and why are kept, also after the release."""
    desk.file("- {id: a}\n")
    desk.set("ONEROSTER_FLEET_NOW", "2026-08-11T23:30:00-05:00")
    desk.set("SUDO_USER", "pat")
    assert desk("hold", "a")[0] == 4
    assert desk("hold", "a", "--why", " ")[0] == 4
    assert desk("hold", "a", "--why", "rollover", "--until", "2026-08-12")[:2] == (0, ["a: held until 2026-08-12"])
    hold = {"why": "rollover", "until": "2026-08-12", "who": "pat", "when": "2026-08-12T04:30:00Z"}
    assert desk.record("a", "hold.json") == hold
    code, _, error = desk("run", "a")
    assert code == 77
    assert "on hold until 2026-08-12: rollover" in error
    desk.set("ONEROSTER_FLEET_NOW", "2026-08-12T00:00:00-05:00")
    assert desk("run", "a")[0] == 0
    assert desk("release", "a", "--why", "done")[:2] == (0, ["a: released"])
    assert [e["what"] for e in desk.record("a", "holds.json")["events"]] == ["hold", "release"]
    assert desk("release", "a", "--why", "done")[0] == 1


def test_a_hold_of_the_file(desk: Desk) -> None:
    desk.file("- id: a\n  hold: {until: 2026-08-20, why: asked by a}\n")
    desk.set("ONEROSTER_FLEET_NOW", "2026-08-19T23:59:00-05:00")
    assert desk.run("a").returncode == 77
    assert "its hold stands in fleet.yml" in desk("release", "a", "--why", "x")[2]
    desk.set("ONEROSTER_FLEET_NOW", "2026-08-20T00:00:00-05:00")
    assert desk.run("a").returncode == 0


def test_several_districts(desk: Desk) -> None:
    """0 if all are 0, 75 or 77, else 1; one bad district stops no other."""
    desk.file("- {id: a}\n- {id: b, hold: {why: w}}\n")
    done = desk.run("--all")
    assert done.returncode == 0
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [["a", "0"], ["b", "77"]]
    desk.file("- {id: a, tap: {code: 4}}\n- {id: b}\n- {id: c, colour: red}\n- {id: d, provider: aeries}\n")
    assert desk.run("--all", "--jobs", "3").returncode == 1
    assert [desk.record(id_)["exit"] for id_ in "abcd"] == [4, 0, 4, 0]
    assert desk.record("c")["why"] == "fleet.yml:12: c: key: no such key: colour"
    assert [line.split()[0] for line in desk.run("--provider", "aeries").stdout.splitlines()] == ["d"]
    assert desk.run("a", "b").returncode == 1


def test_due_runs_what_is_due(desk: Desk) -> None:
    """Cron and a laptop: every hour, and each district once a night. What was refused waits for the next night."""
    desk.file("- {id: a}\n- {id: b, tap: {code: 4}}\n- {id: c, tap: {code: 1}}\n")
    started = []
    for hour in ("03", "04", "05"):
        desk.set("ONEROSTER_FLEET_NOW", f"2026-08-11T{hour}:20:00-05:00")
        started.append([line.split()[0] for line in desk.run("--due").stdout.splitlines()])
    assert started == [["a", "b", "c"], ["c"], ["c"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nroth"], "no such district: nroth; did you mean north?"),
        ([], "name districts, or --all, --due or --provider P"),
        (["--provider", "x"], "no such provider: x"),
        (["--all", "--jobs", "0"], "--jobs: must be at least 1"),
        (["north", "--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_a_wrong_command_line(desk: Desk, arguments: list[str], message: str) -> None:
    desk.file("- {id: north}\n")
    code, _, error = desk("run", *arguments)
    assert code == 4
    assert message in error


def test_the_state_moved_meanwhile(desk: Desk) -> None:
    """Somebody else has written it: it is left as it is, and the run says so."""
    mark = f"mark-{desk.folder.name}"
    desk.file(f"- {{id: a, tap: {{sleep: '3', before: '{mark}'}}}}\n")
    run = desk.start("a")
    until(lambda: bool(alive(mark)))  # the state was read before the tap began
    path = desk.folder / "states/a/state.json"
    path.parent.mkdir()
    path.write_text('{"completed": {"singer_state": {"theirs": 1}}, "partial": {}}')
    assert run.wait(timeout=60) == 1
    assert json.loads(path.read_text())["completed"]["singer_state"] == {"theirs": 1}
    assert "not the one that this run began with" in desk.record("a")["why"]


def test_a_store_that_is_gone_at_the_end(desk: Desk) -> None:
    """Exit 1; the output is there, and the next run repeats the read with nothing twice."""
    mark = f"mark-{desk.folder.name}"
    desk.file(f"- {{id: a, tap: {{sleep: '2', records: 2, before: '{mark}'}}}}\n")
    run = desk.start("a")
    until(lambda: bool(alive(mark)))  # from here to its end the run does not need the store
    states = desk.folder / "states"
    states.rename(desk.folder / "elsewhere")
    states.write_text("a file where the folder was")
    assert run.wait(timeout=60) == 1
    assert (desk.folder / "out/a").read_text().count("RECORD") == 2
    (log,) = (desk.folder / "logs/a").iterdir()
    assert "the store cannot be reached" in log.read_text()
    states.unlink()
    (desk.folder / "elsewhere").rename(states)
    assert not (states / "a/state.json").exists()
    assert desk.run("a").returncode == 0
    assert (desk.folder / "out/a").read_text().count("RECORD") == 2


def test_state_commands(desk: Desk) -> None:
    """The words of `meltano state`; our records stay when a state is cleared."""
    desk.file("- {id: a}\n- {id: b}\n")
    assert json.loads(desk("state", "get", "a")[1][0]) == {"singer_state": {}}
    desk.run("a")
    found = json.loads(desk("state", "get", "a")[1][0])
    assert found == {"singer_state": {"bookmarks": {"users": {"at": "1"}}}}
    (desk.folder / "new.json").write_text(json.dumps(found))
    assert desk("state", "set", "b", "new.json")[0] == 0
    assert desk("state", "list")[1] == ["a", "b"]
    assert desk.state("b") == desk.state("a")
    assert desk("state", "clear", "a")[0] == 0
    assert desk("state", "list")[1] == ["b"]
    assert desk.record("a")["exit"] == 0
    (desk.folder / "new.json").write_text("[]")
    assert desk("state", "set", "b", "new.json")[0] == 4
    assert desk("state", "get", "zz")[0] == 4


def test_select_chooses_streams_and_fields() -> None:
    """As in Meltano's `select`; demographics only where named."""
    from oneroster_fleet.run.patterns import selected

    def catalog() -> dict[str, object]:
        fields = [{"breadcrumb": ["properties", name], "metadata": {}} for name in ("sourcedId", "email")]
        streams = ("users", "userProfiles", "orgs", "demographics")
        return {
            "streams": [
                {"tap_stream_id": s, "metadata": [{"breadcrumb": [], "metadata": {}}, *json.loads(json.dumps(fields))]}
                for s in streams
            ]
        }

    def chosen(*patterns: str) -> dict[str, list[str]]:
        found = selected(catalog(), patterns)
        return {
            stream["tap_stream_id"]: [e["breadcrumb"][1] for e in stream["metadata"] if e["breadcrumb"] and e["metadata"]["selected"]]
            for stream in found["streams"]
            if stream["metadata"][0]["metadata"]["selected"]
        }  # fmt: skip

    both = ["sourcedId", "email"]
    assert chosen("*.*") == {"users": both, "userProfiles": both, "orgs": both}
    assert chosen("*.*", "!user*.email", "!orgs.*") == {"users": ["sourcedId"], "userProfiles": ["sourcedId"]}
    assert chosen("!orgs", "*") == {"users": both, "userProfiles": both}
    assert chosen("users.sourcedId", "demographics.*") == {"users": ["sourcedId"], "demographics": both}
