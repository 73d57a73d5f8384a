"""The definitions of hub/ in an empty project beside a clone, and nothing in them or in the project is edited."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .conftest import MELTANO, ROOT, Project

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform == "win32", reason="starts ./run of another clone"),
]
PLUGINS = {"tap-oneroster": "extractor", "target-oneroster-csv": "loader", "target-oneroster-duckdb": "loader"}


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """A clone, and a project beside it. The clone lends this checkout's environment, so that only plugins are installed."""
    folder = tmp_path_factory.mktemp("beside")
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "clone"], check=True)
    for name in ("project", "addressed"):
        (folder / name).mkdir()
    return folder


def install(project, environment):
    """`meltano install`, with the index that pip has been told of."""
    command = [sys.executable, "-c", "import os, sys; from tools.environment import use_pip_settings; use_pip_settings(); os.execvp(sys.argv[1], sys.argv[1:])"]  # fmt: skip
    done = subprocess.run(
        [*command, MELTANO, "--cwd", project.folder, "install"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode and not os.environ.get("CI") and "Could not resolve host" in done.stderr + done.stdout:
        pytest.skip("no index")
    assert done.returncode == 0, done.stderr[-3000:]


def add(project, plugins):
    for plugin in plugins:
        definition = f"../clone/hub/{plugin}.yml"
        project("add", "--plugin-type", PLUGINS[plugin], "--from-ref", definition, "--no-install", plugin)


def version(project, kind, plugin):
    """What the installed plugin says."""
    program = project.folder / ".meltano" / kind / plugin / "venv" / "bin" / plugin
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


def test_the_checkout_stands_in_for_the_repository(beside):
    """`<clone>/run meltano` installs from the clone what hub/ names by the repository's address."""
    project = Project(beside / "project")
    add(project, ["tap-oneroster"])
    code = (
        "import os, sys; sys.argv = ['x']; sys.path[0] = os.getcwd(); from tools import bootstrap as b;"
        " b.serve_our_repository(); print(*(f'{k}={v}' for k, v in os.environ.items() if k.startswith(('GIT_CONFIG_', 'UV_NO_G'))), sep='\\n')"
    )
    mine = {k: v for k, v in os.environ.items() if not k.startswith("GIT_CONFIG_")}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=beside / "clone", env=mine, capture_output=True, text=True, check=True
    )
    settings = dict(line.split("=", 1) for line in said.stdout.splitlines())
    assert settings["GIT_CONFIG_KEY_0"] == f"url.{(beside / 'clone').as_uri()}.insteadOf"
    install(project, settings)
    assert version(project, "extractors", "tap-oneroster").startswith("tap-oneroster v")


def test_a_repository_with_an_address(beside):
    """`tools/derive.py --repository URL`, here the clone's own place: plain `meltano install` is enough then."""
    derive = [sys.executable, "-m", "tools.derive", "--repository", "."]
    subprocess.run(derive, cwd=beside / "clone", check=True, capture_output=True)
    project = Project(beside / "addressed")
    add(project, PLUGINS)
    mine = {k: "" for k in os.environ if k.startswith("GIT_CONFIG_")}
    install(project, mine | {"GIT_CONFIG_COUNT": "0"})
    assert version(project, "extractors", "tap-oneroster").startswith("tap-oneroster v")
    assert version(project, "loaders", "target-oneroster-csv").startswith("target-oneroster-csv v")
    assert version(project, "loaders", "target-oneroster-duckdb").startswith("target-oneroster-duckdb v")
