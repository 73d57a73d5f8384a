"""The commands of README, as they stand there and in their order, in one clean clone and one terminal."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(sys.platform == "win32", reason="blocks for a POSIX shell"),
]
NOT_HERE = re.compile(r"example\.org|<URL|^\./run test|try\.py", re.MULTILINE)
"""Blocks about services of one's own, the tests, and the example that tests/examples runs."""
FILES = ("warehouse", "rest", "csv")


def blocks(text: str) -> list[str]:
    """The shell blocks that run here; of the first one, all but the tests."""
    found = [
        block.replace("./run test    # all tests\n", "")
        for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]
    return [block for block in found if not NOT_HERE.search(block)]


def clone(folder: Path) -> Path:
    """The files that git knows or would add, links as links: what a clone has."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_symlink() or (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    return folder


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def script(text: str, port: int) -> str:
    """One terminal; what is meant for a second one runs in the background until the first has ended."""
    lines = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for block in blocks(text):
        if "serve --port" in block:
            lines += [f"{block.strip()} &", f"until (: </dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.2; done"]
        else:
            lines.append(block)
    return "\n".join(lines).replace("8765", str(port))


def test_the_commands_of_readme(tmp_path: Path) -> None:
    """They end well, install once, and each example keeps a warehouse of its own in which nothing is deleted."""
    folder = clone(tmp_path / "oneroster")
    home = tmp_path / "home"
    home.mkdir()
    text = script((ROOT / "README.md").read_text(encoding="utf-8"), free_port())
    for part in ("./run \n", "serve --port", "csv.duckdb", "target-oneroster-csv --config"):
        assert part.strip() in text, part
    mine = {
        k: v for k, v in os.environ.items() if not k.startswith(("TAP_", "TARGET_", "MELTANO_", "VIRTUAL_ENV", "XDG_"))
    }
    mine |= {"HOME": str(home), "PYTHON": sys.executable, "NO_COLOR": "1"}
    mine["UV_CACHE_DIR"] = os.environ.get("UV_CACHE_DIR", str(ROOT / ".uv" / "cache"))
    done = subprocess.run(["bash", "-c", text], cwd=folder, env=mine, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert done.stderr.count("run: packages of requirements.lock") == 1

    people = []
    for name in FILES:
        with duckdb.connect(str(folder / "output" / f"{name}.duckdb"), read_only=True) as database:
            gone = database.execute("select count(*) from oneroster.roles where _sdc_deleted_at is not null").fetchone()
            assert gone == (0,), name
            asked = "select role, count(*) from oneroster_current.roles group by role order by role"
            people.append(database.execute(asked).fetchall())
    assert people[0]
    assert people == [people[0]] * len(FILES)
    assert (folder / "output" / "to-1.2.zip").exists()
