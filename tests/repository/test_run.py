"""`./run` on machines where something is missing: one line that says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script for bash")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a clone as the set-up looks at."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ("run", "requirements.lock", "meltano.yml", "tap-oneroster/pyproject.toml"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def run(clone: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call `./run` in an empty home directory."""
    home = clone.parent / "home"
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "VIRTUAL_ENV", "XDG_"))}
    kept["PATH"] = os.pathsep.join(p for p in kept["PATH"].split(os.pathsep) if not p.startswith(str(ROOT)))
    return subprocess.run(
        ["./run", *arguments],
        cwd=clone,
        env=kept | {"HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_a_python_that_is_too_old_is_named(clone: Path, tmp_path: Path) -> None:
    """The line says what was found and how to name another one."""
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2\nexit "$([ "$1" = -V ] && echo 0 || echo 1)"\n')
    old.chmod(0o755)
    done = run(clone, PYTHON=str(old))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "run: Python 3.11 to 3.14 is needed, found Python 3.9.2. Install one, or name it: PYTHON=/path/to/python3.12 ./run"
    ]


def test_an_index_that_cannot_be_reached_is_said(clone: Path) -> None:
    """No page of retries and tracebacks: the step, the cause, the settings, the log."""
    done = run(
        clone, PYTHON=sys.executable, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0", PIP_FIND_LINKS=""
    )
    assert done.returncode == 1
    step, reason = done.stderr.splitlines()
    assert step.startswith("run: uv ")
    assert reason.startswith("run: uv: the package index did not deliver. Check the network, or set PIP_INDEX_URL")
    assert not (clone / ".venv").exists()


def test_everything_that_is_made_lies_in_the_checkout(clone: Path) -> None:
    """Also what a failed set-up leaves behind."""
    run(clone, PYTHON=sys.executable, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0", PIP_FIND_LINKS="")
    # pip asks for the version of Rust, and rustup makes its folder when asked.
    assert {path.name for path in (clone.parent / "home").iterdir()} <= {".rustup"}
