"""How a run ends, as a scheduler sees it: again (1), somebody has to look (3), of no use (4)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

import click
import pytest
from oneroster_core import errors, shell
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from tests.singer import parse
from tests.support.tap import broken

ROOT = Path(__file__).resolve().parents[2]
TAP = Path(sys.executable).with_name("tap-oneroster")


@pytest.mark.parametrize(
    ("codes", "ends"),
    [
        ((), 0),
        ((1,), 1),
        ((3,), 3),
        ((4,), 4),
        ((3, 4), 3),
        ((1, 4), 1),
        ((1, 3), 1),
        ((1, 3, 4), 1),
        ((4, 4), 4),
        ((2,), 1),
    ],
)
def test_of_several_failures_the_one_that_another_try_may_mend_decides(codes, ends):
    """Then the one that somebody has to look at, whatever their order."""
    assert {shell.exit_code(order) for order in permutations(codes)} == {ends}


def test_every_failure_has_a_code_of_the_table():
    kinds: list[Any] = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)
    ]
    assert {kind.exit_code for kind in kinds} == {1, 3, 4}
    for code, kind in shell.FAILURES.items():
        assert kind("x").exit_code == code
        assert issubclass(kind, click.ClickException)
    assert set(shell.EXIT_CODES) == {0, 1, 3, 4, 130, 143}


@pytest.mark.parametrize("page", ["README.md", "docs/operations/index.md"])
def test_the_documents_have_the_table_of_the_code(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", text, re.MULTILINE) == [
        (str(code), *words) for code, words in shell.EXIT_CODES.items()
    ]


@pytest.fixture
def drop(tmp_path):
    """A bundle that one run has read, and what the next finds in its place; each run with its state."""
    path, state = tmp_path / "d.zip", tmp_path / "state.json"

    def run(*change, **settings):
        for do in change:
            do(path)
        config = {"mode": "csv", "csv_path": str(path), **settings}
        (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        known = ["--state", state] if state.exists() else []
        done = subprocess.run([TAP, "--config", tmp_path / "config.json", *known], capture_output=True, text=True)
        if not done.returncode:
            state.write_text(json.dumps(parse(done.stdout.splitlines()).state), encoding="utf-8")
        return done

    return run


def large(path):
    write_bundle(District(seed=7, schools=2, students_per_school=40), path)


def small(path):
    write_bundle(District(seed=7, schools=1, students_per_school=10), path)


def ragged(path):
    small(path)
    broken(path, path.rename(path.with_suffix(".old")), "orgs.csv", lambda data: data + b"too,few\r\n")


def test_a_run_that_a_brake_holds_ends_with_3_and_one_that_lost_rows_beside_it_with_1(drop):
    assert drop(large).returncode == 0
    held = drop(small)
    assert held.returncode == 3, held.stderr
    assert "accept_shrink" in held.stderr.splitlines()[-1]
    both = drop(ragged)
    assert both.returncode == 1, "another try may bring the row"
    assert "more, above" in both.stderr.splitlines()[-1]
    assert drop(small, accept_shrink=True).returncode == 0


def test_a_trial_ends_with_the_same_codes(drop, tmp_path):
    """`--test`, too."""
    (tmp_path / "c.json").write_text(json.dumps({"mode": "csv", "csv_path": 7}), encoding="utf-8")
    done = subprocess.run([TAP, "--config", tmp_path / "c.json", "--test"], capture_output=True, text=True)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    (tmp_path / "c.json").write_text(json.dumps({"mode": "csv", "csv_path": str(tmp_path / "no")}), encoding="utf-8")
    done = subprocess.run([TAP, "--config", tmp_path / "c.json", "--test"], capture_output=True, text=True)
    assert done.returncode == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
@pytest.mark.parametrize(
    ("start", "loads"),
    [
        ("tap_oneroster.__main__", "tap_oneroster.singer.tap"),
        ("target_oneroster.__main__", "target_oneroster.bundle.target"),
        ("target_oneroster.warehouse.__main__", "target_oneroster.warehouse.target"),
    ],
)
def test_a_signal_before_all_is_loaded_has_its_code_and_no_traceback(number, code, start, loads):
    """Half a second goes by until the SDK is there."""
    program = f"""
import os, signal, sys
from {start} import main
class Loading:
    def __getattr__(self, name):
        os.kill(os.getpid(), signal.{number})
        signal.pause()
sys.modules["{loads}"] = Loading()
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stderr) == (code, "")
