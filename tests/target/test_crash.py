"""Real processes, killed and cut off: the old bundle stays, no state leaves, nothing is left behind."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import Place, files_of
from .mini import encode, lines, row, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STATE = {"bookmarks": {"orgs": {"x": 2}}}


@pytest.fixture
def start(any_place: Place, tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Starts the target as a process whose input stays open; the place holds a bundle already."""
    any_place.run(lines(rows()))
    config = tmp_path / "config.json"

    def make(**settings: Any) -> subprocess.Popen[bytes]:
        config.write_text(json.dumps({"output_path": str(any_place.output)} | settings))
        command = [sys.executable, "-m", "target_oneroster", "--config", str(config)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    return make


def changed() -> list[dict[str, Any]]:
    district = rows()
    row(district, "courses", "c1")["title"] = "Changed"
    return lines(district, state=STATE)


def wait_for_work(place: Place) -> None:
    """Until the process has staged something."""
    while not any((path / "staged" / "users.staged").exists() for path in place.output.parent.glob(".*")):
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_it_at_once(any_place: Place, start: Callable[..., Any], number: int, code: int) -> None:
    """No drain, no bundle, no state, nothing left behind, and the exit code that says why."""
    before = any_place.files()
    process = start()
    process.stdin.write(encode(changed()))
    process.stdin.flush()
    wait_for_work(any_place)
    process.send_signal(number)
    out, _ = process.communicate()
    assert (process.returncode, out) == (code, b"")
    assert any_place.files() == before
    assert any_place.strays() == []


def test_a_killed_run_is_cleaned_up_by_the_next(any_place: Place, start: Callable[..., Any]) -> None:
    """SIGKILL leaves its folder; the next run removes it. A living run's folder stays."""
    before = any_place.files()
    process = start()
    process.stdin.write(encode(changed()))
    process.stdin.flush()
    wait_for_work(any_place)
    living = any_place.strays()
    any_place.run(lines(rows()))
    assert any_place.strays() == living
    process.kill()
    out, _ = process.communicate()
    assert out == b""
    assert any_place.files() == before
    any_place.run(lines(rows()))
    assert any_place.strays() == []


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (b'{"type":"RECORD","stream":"users","rec', b"is not a JSON object"),
        (b'["Zweistein"]\n', b"is not a JSON object"),
        (b'{"type":"GREETING","text":"Zweistein"}\n', b"a type that Singer does not know"),
        (b'{"type":"RECORD","stream":"buses","record":{"id":"Zweistein"}}\n', b"before the SCHEMA message"),
        (b'{"type":"RECORD","stream":"users"}\n', b"lacks record"),
        (b'{"type":"RECORD","stream":"users","record":{"sourcedId":null,"username":"Zweistein"}}\n', b"lacks a key property"),
        (b'{"type":"BATCH","stream":"users","encoding":{},"manifest":["Zweistein"]}\n', b"Batches must be Parquet, or JSON lines"),
        (b'{"type":"RECORD","stream":"users","record":{"sourcedId":"Zweistein' + b"x" * (3 << 20), b"is longer than 2 MB"),
    ],
    ids=["cut off", "not an object", "unknown type", "before its schema", "no record", "no key", "batch", "endless line"],
)  # fmt: skip
@pytest.mark.parametrize("any_place", ["folder"], indirect=True)
def test_broken_input_is_one_line(any_place: Place, start: Callable[..., Any], tail: bytes, words: bytes) -> None:
    """Non-zero, one line without traceback or value, no state, the old bundle intact."""
    process = start()
    out, err = process.communicate(encode(changed()) + tail)
    assert process.returncode == 1
    assert out == b""
    assert words in err
    assert b"Traceback" not in err
    assert b"Zweistein" not in err
    assert err.decode().strip().splitlines()[-1].startswith("Error: ")


def test_a_full_disk_is_one_line(any_place: Place, start: Callable[..., Any]) -> None:
    """What cannot be written is said in one line; the old bundle and the old state stay."""
    before = any_place.files()

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    os_config = any_place.output.parent.parent / "config.json"
    os_config.write_text(json.dumps({"output_path": str(any_place.output)}))
    district = rows()
    district["categories"] += [{"sourcedId": f"cat-{n}", "title": "x" * 50} for n in range(4000)]
    process = subprocess.run(
        [sys.executable, "-m", "target_oneroster", "--config", str(os_config)],
        input=encode(lines(district, state=STATE)), capture_output=True, preexec_fn=small,
    )  # fmt: skip
    assert process.returncode == 1
    assert process.stdout == b""
    assert b"Traceback" not in process.stderr
    assert any_place.files() == before
    assert any_place.strays() == []


# Where a run is when it is struck: a function of the target, and whether the new bundle is in place by then.
MOMENTS = {
    "rows are loaded": ("build.load", False),
    "tables are checked": ("build.check", False),
    "one file is written": ("write._write_file", False),
    "all files are written": ("build.write_files", False),
    "they are to be put in place": ("stores.LocalStore.put", False),
    "the bundle is in place": ("build.BundleBuild.publish", True),
}
_STRUCK = """
import os, sys
from importlib import import_module
from target_oneroster.bundle.target import TargetOneRosterCSV
path, number = sys.argv.pop(1), int(sys.argv.pop(1))
module, _, name = path.partition(".")
owner = import_module(f"target_oneroster.bundle.{module}")
*inside, name = name.split(".")
for part in inside:
    owner = getattr(owner, part)
real = getattr(owner, name)
def struck(*arguments, **named):
    found = real(*arguments, **named) if name != "put" else None
    os.kill(os.getpid(), number)
    return found
setattr(owner, name, struck)
TargetOneRosterCSV.cli()
"""


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        *((moment, signal.SIGKILL) for moment in MOMENTS),
        ("tables are checked", signal.SIGTERM),
        ("they are to be put in place", signal.SIGTERM),
    ],
)
def test_at_any_moment(any_place: Place, tmp_path: Path, moment: str, number: int) -> None:
    """The old bundle or the new one, whole, never a mixture; no state before that; nothing left by the next run."""
    any_place.run(lines(rows()))
    before = any_place.files()
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"output_path": str(any_place.output)}))
    where, published = MOMENTS[moment]
    process = subprocess.run(
        [sys.executable, "-c", _STRUCK, where, str(int(number)), "--config", str(config)],
        input=encode(changed()), capture_output=True,
    )  # fmt: skip
    assert process.returncode == (143 if number == signal.SIGTERM else -9), process.stderr
    assert process.stdout == b""
    there = any_place.files()
    assert (there != before) is published
    assert {name for name in there if there[name] != before[name]} == ({"courses.csv"} if published else set())
    if number == signal.SIGTERM:
        assert any_place.strays() == []
    any_place.run(changed())
    assert b"Changed" in any_place.files()["courses.csv"]
    assert any_place.strays() == []


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """A real file system without room for a second bundle, staged and written: the first one stays."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("file systems can only be mounted by root")
    try:
        place = Place(disk / "bundle", tmp_path / "report.json")
        place.run(lines(rows()))
        before = place.files()
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"output_path": str(place.output)}))
        district = rows()
        district["categories"] += [{"sourcedId": f"cat-{n}", "title": "x" * 50} for n in range(12_000)]
        for amount in (12_000, 30_000):  # no room for the new files; none for the rows
            district["categories"] += [{"sourcedId": f"more-{n}", "title": "x" * 50} for n in range(amount)]
            process = subprocess.run(
                [sys.executable, "-m", "target_oneroster", "--config", str(config)],
                input=encode(lines(district, state=STATE)), capture_output=True,
            )  # fmt: skip
            assert (process.returncode, process.stdout) == (1, b"")
            assert b"Traceback" not in process.stderr
            assert b"o space left on device" in process.stderr.splitlines()[-1]
            assert place.files() == before
            assert place.strays() == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_reader_that_went_away(any_place: Place, start: Callable[..., Any]) -> None:
    """Nobody takes the state: the bundle is in place, the run ends non-zero."""
    process = start()
    process.stdout.close()
    process.stdin.write(encode(changed()))
    process.stdin.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() != 0
    assert b"Traceback" not in err
    assert b"Changed" in files_of(any_place.output)["courses.csv"]


def test_two_renames_are_made_good(place: Place) -> None:
    """Where folders cannot be exchanged, a run killed between the renames is mended by the next."""
    place.run(lines(rows()))
    before = place.files()
    stray = place.output.parent / ".bundle.oneroster-killed_0"
    stray.mkdir(mode=0o700)
    place.output.replace(stray / "replaced")
    place.run(lines({"categories": []}))
    assert place.files() == before
    assert place.strays() == []


@pytest.mark.parametrize("content", [None, "not json"], ids=["not there", "not JSON"])
def test_a_configuration_that_cannot_be_read(tmp_path: Path, content: str | None) -> None:
    """One line, no traceback."""
    if content:
        (tmp_path / "c.json").write_text(content)
    command = [sys.executable, "-m", "target_oneroster", "--config", str(tmp_path / "c.json")]
    process = subprocess.run(command, input=b"", capture_output=True)
    assert process.returncode == 4
    assert process.stderr.decode().splitlines()[-1].startswith("Error: --config names a file that is not")
    assert b"Traceback" not in process.stderr
