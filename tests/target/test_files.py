"""Modes of files, planted folders, the order in which files take their places, and exit codes."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster.errors import Held, Misconfigured, TargetError, one_line

from .mini import encode, lines, row, rows

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Place


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def open_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def quarantined() -> dict[str, list[dict[str, Any]]]:
    district = rows()
    row(district, "lineItems", "l1")["title"] = None
    return district


def test_new_files_are_private(any_place: Place) -> None:
    """Bundle, report and quarantine are for their owner only; what was there keeps its mode."""
    quarantine = any_place.output.with_name(any_place.output.name + ".quarantine.jsonl")
    any_place.run(lines(quarantined()), on_invalid="quarantine")
    inside = list(any_place.output.iterdir()) if any_place.output.is_dir() else []
    files = [*inside, any_place.report, quarantine, *([] if inside else [any_place.output])]
    assert {mode(path) for path in files} == {0o600}
    if inside:
        assert mode(any_place.output) == 0o700
        any_place.output.chmod(0o750)
    for path in files:
        path.chmod(0o640)
    any_place.run(lines(quarantined()), on_invalid="quarantine")
    assert {mode(path) for path in files} == {0o640}
    assert not inside or mode(any_place.output) == 0o750
    assert os.umask(0o022) == 0o022


def test_a_new_file_in_a_bundle_has_the_mode_of_its_manifest(place: Place) -> None:
    """Whoever reads the bundle that is there can read the file that comes to it."""
    district = rows()
    resources = district.pop("userResources")
    place.run(lines(district))
    (place.output / "manifest.csv").chmod(0o644)
    place.run(lines(district | {"userResources": resources}))
    assert mode(place.output / "userResources.csv") == 0o644
    assert mode(place.output / "orgs.csv") == 0o600


@pytest.mark.parametrize("name", ["planted", "exactly8"])
def test_a_planted_folder_does_not_become_the_output(place: Place, name: str) -> None:
    """A folder that another could have put there is not given back as the bundle of a killed run."""
    planted = place.output.parent / f".bundle.oneroster-{name}"
    (planted / "replaced").mkdir(parents=True)
    (planted / "replaced" / "manifest.csv").write_text("propertyName,value\r\n")
    if name == "exactly8" and os.geteuid() == 0:
        planted.chmod(0o700)
        os.chown(planted, 12345, 12345)
    place.run(lines({"categories": []}))
    assert not place.output.exists()
    assert (planted / "replaced" / "manifest.csv").exists()


def test_the_quarantine_follows_the_bundle(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle that cannot be put in place leaves the quarantine of the one that is there."""
    from target_oneroster.bundle.stores import LocalStore

    place.run(lines(rows()))
    beside = place.output.with_name(place.output.name + ".quarantine.jsonl")

    def put(*_: Any) -> None:
        assert not beside.exists()
        raise OSError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as context:
        context.setattr(LocalStore, "put", put)
        with pytest.raises(OSError, match="Permission denied"):
            place.run(lines(quarantined()), on_invalid="quarantine", max_shrink_percent=100)
    assert not beside.exists()
    place.run(lines(quarantined()), on_invalid="quarantine", max_shrink_percent=100)
    assert beside.exists()


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    """Rows are staged beside the output: that folder is named, and TMPDIR only where it is the one."""
    error = OSError(errno.ENOSPC, "No space left on device", "x")
    assert f"rows are staged in {tmp_path}" in one_line(error, folder=tmp_path)
    assert "TMPDIR" not in one_line(error, folder=tmp_path)
    assert "TMPDIR" in one_line(error)


def test_a_row_that_grows_too_long_is_named(place: Place) -> None:
    """Nested metadata is written flat, each key with its whole path: the message names stream and property."""
    inner: dict[str, Any] = {f"k{n}": n for n in range(30_000)}
    for _ in range(10):
        inner = {"x" * 90: inner}
    district = rows()
    row(district, "courses", "c1")["metadata"] = inner
    with pytest.raises(TargetError, match="Stream courses, property metadata: a row of more than 2 MB"):
        place.run(lines(district), metadata="keep")


def run(config: Path, messages: bytes = b"", module: str = "target_oneroster") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", module, "--config", str(config)]
    return subprocess.run(command, input=messages, capture_output=True, timeout=300)


def test_exit_codes(place: Place, tmp_path: Path) -> None:
    """1: not complete; 3: held by the brake; 4: another try with these settings is of no use."""
    config = tmp_path / "config.json"
    place.run(lines(rows()))
    config.write_text(json.dumps({"output_path": str(place.output)}))
    bad = rows()
    row(bad, "lineItems", "l1")["title"] = None
    for district, code in ((bad, 1), (rows(), 0)):
        assert run(config, encode(lines(district))).returncode == code
    held = run(config, encode(lines(rows() | {"userResources": []})))
    assert (held.returncode, held.stdout) == (3, b"")
    config.write_text(json.dumps({"output_path": str(tmp_path)}))
    assert run(config, encode(lines(rows()))).returncode == 4
    config.write_text(json.dumps({"output_path": 1}))
    assert run(config).returncode == 4
    assert (TargetError.exit_code, Held.exit_code, Misconfigured.exit_code) == (1, 3, 4)
