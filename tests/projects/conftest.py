"""An empty Meltano project beside this checkout, into which the plugins come by their Hub definitions as docs/meltano.md says."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.environment import NETWORK

ROOT = Path(__file__).parents[2]
MELTANO = Path(sys.executable).with_name("meltano")
EMPTY = """
project_id: 0192e4a0-0000-7000-8000-000000000001
default_environment: dev
send_anonymous_usage_stats: false
cli:
  disable_version_check: true
environments:
- name: dev
"""


class Project:
    """A Meltano project in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = ""
        (folder / "meltano.yml").write_text(EMPTY, encoding="utf-8")

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """Start a Meltano command, with settings as environment variables."""
        return subprocess.Popen(
            [MELTANO, *arguments],
            cwd=self.folder,
            env={**self.clean(), **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def clean(self) -> dict[str, str]:
        """No settings of the caller's, no colours, no installing on the way, logs inside the project."""
        mine = {k: v for k, v in os.environ.items() if not re.match("MELTANO_|TAP_|TARGET_", k)}
        return {**mine, "NO_COLOR": "1", "MELTANO_AUTO_INSTALL": "false", "XDG_STATE_HOME": str(self.folder)}

    def __call__(self, *arguments: str, fails: bool = False, **settings: str) -> str:
        """Run a Meltano command; what it printed."""
        process = self.start(*arguments, **settings)
        self.log, _ = process.communicate(timeout=240)
        assert bool(process.returncode) is fails, self.log[-3000:]
        return self.log

    def plugins(self, kind: str) -> list[dict[str, Any]]:
        """Plugins that meltano.yml has."""
        found: list[dict[str, Any]] = yaml.safe_load((self.folder / "meltano.yml").read_text())["plugins"][kind]
        return found

    def change(self, kind: str, name: str, **values: Any) -> None:
        """Change a plugin in meltano.yml, or add it; None takes away."""
        path = self.folder / "meltano.yml"
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        plugins = content["plugins"][kind]
        if not any(plugin["name"] == name for plugin in plugins):
            plugins.append({"name": name})
        plugin = next(plugin for plugin in plugins if plugin["name"] == name)
        plugin.update(values)
        for key in [key for key, value in values.items() if value is None]:
            del plugin[key]
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def environment(self, name: str, kind: str, plugin: str, **config: Any) -> None:
        """Add an environment in which a plugin has other settings."""
        path = self.folder / "meltano.yml"
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        plugins = {kind: [{"name": plugin, "config": config}]}
        others = [environment for environment in content["environments"] if environment["name"] != name]
        content["environments"] = [*others, {"name": name, "config": {"plugins": plugins}}]
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def terminal(self, block: str, **settings: str) -> str:
        """Run a block of a page as it stands; its index is the one that pip has been told of."""
        told = "import os; from tools.environment import use_pip_settings; use_pip_settings(); os.execvp('bash', ['bash', '-euc', os.environ['BLOCK']])"
        mine = {**self.clean(), **settings, "BLOCK": f"cd '{self.folder}'\n{block}", "UV_NO_PROGRESS": "1"}
        mine["PATH"] = f"{MELTANO.parent}{os.pathsep}{mine['PATH']}"
        done = subprocess.run([sys.executable, "-c", told], cwd=ROOT, env=mine, capture_output=True, text=True)
        if done.returncode and not os.environ.get("CI") and NETWORK.search(done.stderr + done.stdout):
            pytest.skip(f"the plugins could not be installed: {done.stderr[-300:]}")
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout + done.stderr


def blocks(page: str) -> list[str]:
    """The shell blocks of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"^( *)```sh[^\n]*\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


class Clone:
    """A clean clone in a folder `oneroster`, and a home of its own: what a reader has who did as README says."""

    def __init__(self, place: Path) -> None:
        self.folder, self.home = place / "oneroster", place / "home"
        self.home.mkdir()
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (ROOT / name).is_symlink() or (ROOT / name).exists():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name, follow_symlinks=False)
        self.names = {path.name for path in self.folder.iterdir()}

    def terminal(self, script: str, cwd: Path | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run commands in a new terminal; packages come from the cache that this checkout has filled."""
        mine = {k: v for k, v in os.environ.items() if not re.match("TAP_|TARGET_|MELTANO_|VIRTUAL_ENV|XDG_", k)}
        mine |= {"HOME": str(self.home), "PYTHON": sys.executable, "NO_COLOR": "1", **settings}
        mine.setdefault("UV_CACHE_DIR", str(ROOT / ".uv" / "cache"))
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=cwd or self.folder,
            env=mine,
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """The clone; the tests of README and docs/ share it."""
    return Clone(tmp_path_factory.mktemp("reader"))


def as_they_stand() -> list[str]:
    """README's blocks that run as they stand: not the clone, all tests, services of one's own, and what test_docs.py names."""
    found = [re.sub(r"^(git clone|./run test).*\n", "", block, flags=re.MULTILINE) for block in blocks("README.md")]
    return [block for block in found if not re.search("example.org|try.py|<URL", block)]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def after_readme(clone: Clone) -> subprocess.CompletedProcess[str]:
    """The end of README, in one terminal; what is meant for a second one runs in the background until the first has ended."""
    port = free_port()
    lines = ["trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for block in as_they_stand():
        if "serve --port" in block:
            lines += [f"{block.strip()} &", f"until (: </dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.2; done"]
        else:
            lines.append(block)
    return clone.terminal("\n".join(lines).replace("8765", str(port)))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project, beside a folder `oneroster`, with the plugins as the first block of docs/meltano.md installs them."""
    place = tmp_path_factory.mktemp("beside")
    (place / "oneroster").symlink_to(ROOT)
    (place / "project").mkdir()
    project = Project(place / "project")
    project.terminal(blocks("docs/meltano.md")[0])
    return project
