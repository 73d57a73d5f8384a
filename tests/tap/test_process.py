"""The tap as a process: signals, a target that goes away, the first five minutes of somebody who mistypes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

TAP = Path(sys.executable).with_name("tap-oneroster")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Settings for a district that takes a while: its lines do not fit into a pipe."""
    folder = tmp_path_factory.mktemp("large")
    write_bundle(District.of_size(60_000), folder / "d.zip", version="1.2", only=["enrollments", "orgs"])
    config = folder / "config.json"
    config.write_text(json.dumps({"mode": "csv", "csv_path": str(folder / "d.zip")}), encoding="utf-8")
    return config


def run(*arguments, **settings):
    """Run the tap to its end."""
    return subprocess.run([TAP, *arguments], capture_output=True, text=True, check=False, **settings)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "INT"])
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_signal_ends_the_run_at_once(large, number, code, unbuffered):
    """Nothing more is written: no state, no receipt that would make the run look finished."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(
        [TAP, "--config", large], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as tap:
        first = tap.stdout.readline()
        time.sleep(0.3)  # the pipe is full by now, the tap waits in a write
        tap.send_signal(number)
        rest = tap.stdout.read()
        log = tap.stderr.read().decode()
        assert tap.wait(240) == code
    assert b"syncReceipts" in first
    assert b'"stream":"syncReceipts","record"' not in rest
    whole = [json.loads(line) for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]
    states = [message["value"]["bookmarks"] for message in whole if message["type"] == "STATE"]
    assert not any(state.get("enrollments") for state in states), "what was cut off has no state"
    assert "Traceback" not in log


def test_a_target_that_goes_away_is_one_line(large):
    with subprocess.Popen([TAP, "--config", large], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tap:
        tap.stdout.readline()
        tap.stdout.close()
        log = tap.stderr.read().decode()
        assert tap.wait(240) == 1
    assert "the target stopped reading" in log
    assert "Traceback" not in log
    assert "BrokenPipeError" not in log


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_every_line_arrives_through_a_slow_pipe(large, unbuffered):
    """With PYTHONUNBUFFERED a write may take less than it is given."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(
        [TAP, "--config", large], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as tap:
        lines = tap.stdout.read().splitlines()
        assert tap.wait(240) == 0
    kinds = [json.loads(line)["type"] for line in lines]
    assert kinds.count("RECORD") > 60_000


@pytest.mark.parametrize(
    ("settings", "says", "code"),
    [
        (
            {"mode": "csv", "csv_path": "/no-such-folder/d.zip"},
            "csv_path: nothing lies there (/no-such-folder/d.zip)",
            1,
        ),
        ({"mode": "csv", "csv_path": 7}, "csv_path: must be of type string", 4),
        ({"mode": "rest"}, "base_url: ", 4),
        (
            {
                "mode": "rest",
                "base_url": "http://127.0.0.1:9/",
                "token_url": "http://127.0.0.1:9/token",
                "client_id": "a",
                "client_secret": "secret-name",
            },
            "127.0.0.1",
            1,
        ),
    ],
    ids=["no such path", "wrong type", "nothing set", "nobody listens"],
)
def test_a_mistake_is_a_line_that_says_what_to_do(tmp_path, settings, says, code):
    config = tmp_path / "c.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    done = run("--config", str(config), timeout=240)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret-name" not in done.stderr + done.stdout


def test_a_file_that_is_no_bundle_is_said(tmp_path):
    (tmp_path / "d.zip").write_bytes(b"<html>log in</html>")
    (tmp_path / "empty").mkdir()
    for name, says in (("d.zip", "neither a folder nor a whole zip"), ("empty", "no OneRoster file in it")):
        config = tmp_path / "c.json"
        config.write_text(json.dumps({"mode": "csv", "csv_path": str(tmp_path / name)}), encoding="utf-8")
        done = run("--config", str(config))
        assert done.returncode == 1
        assert says in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["--config", "--state", "--catalog"])
@pytest.mark.parametrize("text", [None, "{bad", "[1]", ""], ids=["missing", "broken", "a list", "empty"])
def test_a_file_that_is_no_json_is_one_line(large, tmp_path, option, text):
    path = tmp_path / "file.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    others = [] if option == "--config" else ["--config", str(large)]
    done = run(*others, option, str(path))
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    assert option in done.stderr.splitlines()[-1]


def test_test_and_about_and_discover_work(large):
    """What SDK users call first."""
    for arguments in (["--test", "--config", str(large)], ["--test=schema", "--config", str(large)]):
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
    about = json.loads(run("--about", "--format=json").stdout)
    assert {"mode", "base_url", "csv_path"} <= set(about["settings"]["properties"])
    assert about["settings"]["properties"]["client_secret"]["secret"] is True
    catalog = json.loads(run("--discover", "--config", str(large)).stdout)
    assert {s["stream"] for s in catalog["streams"]} >= {"orgs", "syncReceipts"}
    assert json.loads(run("--discover").stdout)["streams"], "discovery asks nobody, not even for settings"


def test_importing_the_pure_modules_does_not_load_the_sdk():
    """Reading a bundle from Python costs no Singer."""
    code = "import sys, tap_oneroster.bundle.source; sys.exit('singer_sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def loaded_modules(*arguments):
    """The modules that a process of the tap has loaded when it ends."""
    code = (
        "import atexit, sys\n"
        "from tap_oneroster.__main__ import main\n"
        "atexit.register(lambda: print(*sys.modules, sep='\\n', file=sys.stderr))\n"
        f"sys.argv = ['tap-oneroster', *{arguments!r}]\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = set(done.stderr.splitlines())
    assert "tap_oneroster.singer.tap" in found
    return found


def test_a_tap_without_a_policy_does_not_load_what_makes_twins(large):
    """Policies and pseudonyms take a twentieth of the start of those who have none."""
    loaded = loaded_modules("--config", str(large), "--discover")
    assert not [m for m in loaded if "._core.twin." in m or m == "difflib"]


def test_a_tap_without_batches_does_not_load_what_writes_their_files(large):
    loaded = loaded_modules("--config", str(large))
    assert not [m for m in loaded if m.endswith("batch_files.batch_files")]
