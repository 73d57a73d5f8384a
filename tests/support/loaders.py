"""Loaders in the environments that Meltano gives them."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from tools.project import plugins

ROOT = Path(__file__).parents[2]


def install(project: Path, name: str, mark: Path, wanted: str, executable: Path) -> None:
    """Let Meltano install a plugin, unless the one that is wanted is there."""
    mark.parent.mkdir(parents=True, exist_ok=True)
    with mark.with_name("busy").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may want it, too
        if executable.exists() and mark.exists() and mark.read_text() == wanted:
            return
        command: list[str | Path] = [ROOT / "run", "meltano", "--cwd", project, "install", name]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        if done.returncode and not os.environ.get("CI"):
            pytest.skip(f"{name} could not be installed: {done.stderr[-300:]}")
        assert done.returncode == 0, done.stderr[-2000:]
        mark.write_text(wanted)


def executable_of(name: str) -> Path:
    """Return where a loader's executable is; Meltano installs it when meltano.yml names another one than is there."""
    known = plugins("loaders")
    place = ROOT / ".meltano" / "loaders" / name
    executable: Path = place / "venv" / "bin" / known[name]["executable"]
    install(ROOT, name, place / "installed", known[name]["pip_url"], executable)
    return executable
