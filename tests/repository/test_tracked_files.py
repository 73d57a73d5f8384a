"""What is in the repository, and what must not be."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINKS = {
    "oneroster-audit/src/oneroster_audit/_core",
    "oneroster-audit/src/oneroster_audit/_figures",
    "oneroster-sample/src/oneroster_sample/_core",
    "tap-oneroster/src/tap_oneroster/_core",
    "target-oneroster-csv/src/target_oneroster/_core",
}


@pytest.fixture(scope="module")
def tracked() -> dict[str, str]:
    """Mode of each tracked file, by path."""
    listing = subprocess.run(["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode != 0 or not listing.stdout:
        pytest.skip("this is not a git checkout with files in it")
    return {line.partition("\t")[2]: line.split()[0] for line in listing.stdout.splitlines()}


def test_links_are_links(tracked: dict[str, str]) -> None:
    """A commit made where links are not kept would turn them into text files; nothing else is a link."""
    assert {path for path, mode in tracked.items() if mode == "120000"} == LINKS
    assert all((ROOT / link).resolve(strict=True) for link in LINKS)


def test_nothing_private_or_generated_is_tracked(tracked: dict[str, str]) -> None:
    """Secrets, databases, environments, caches and bundles stay on the machine that made them."""
    unwanted = re.compile(
        r"(^|/)(\.env|\.venv|\.uv|\.meltano|__pycache__|dist|build|node_modules|uv\.lock|.*\.(pyc|duckdb|db|zip|key|pem|whl))(/|$)"
        r"|^output/(?!\.gitignore$)"
    )
    assert not [path for path in tracked if unwanted.search(path)]


@pytest.mark.parametrize("plugin", ["tap-oneroster", "target-oneroster-csv", "oneroster-audit"])
def test_each_plugin_carries_the_licence(plugin: str) -> None:
    """A copy, since an sdist would keep a link as a link."""
    assert (ROOT / plugin / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_scripts_are_executable(tracked: dict[str, str]) -> None:
    """`./run` works right after the clone."""
    assert tracked["run"] == tracked[".ci/run"] == "100755"


def test_plugins_use_their_own_copy_of_the_model() -> None:
    """A plugin that imports `oneroster_core` works in this checkout and nowhere else."""
    sources = [
        path
        for plugin in ("tap-oneroster", "target-oneroster-csv", "oneroster-audit")
        for path in (ROOT / plugin / "src").rglob("*.py")
    ]
    assert not [
        str(p)
        for p in sources
        if re.search(r"^\s*(from|import) oneroster_(model|sample)", p.read_text("utf-8"), re.MULTILINE)
    ]
