"""What is in the repository, and what must not be."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LINKS = {
    "oneroster-audit/src/oneroster_audit/_core",
    "oneroster-audit/src/oneroster_audit/_figures",
    "oneroster-fleet/src/oneroster_fleet/_core",
    "oneroster-fleet/src/oneroster_fleet/_figures",
    "oneroster-marts/src/oneroster_marts/_core",
    "oneroster-marts/src/oneroster_marts/_figures",
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
        r"(^|/)(\.env|\.venv|\.airflow|\.marts|\.uv|\.meltano|__pycache__|dist|build|node_modules|uv\.lock|.*\.(pyc|duckdb|db|zip|key|pem|whl))(/|$)"
        r"|^output/(?!\.gitignore$)"
    )
    assert not [path for path in tracked if unwanted.search(path)]


@pytest.mark.parametrize(
    "plugin", ["tap-oneroster", "target-oneroster-csv", "oneroster-audit", "oneroster-fleet", "oneroster-marts"]
)
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
        for plugin in ("tap-oneroster", "target-oneroster-csv", "oneroster-audit", "oneroster-fleet", "oneroster-marts")
        for path in (ROOT / plugin / "src").rglob("*.py")
    ]
    assert not [
        str(p)
        for p in sources
        if re.search(r"^\s*(from|import) oneroster_(core|sample)", p.read_text("utf-8"), re.MULTILINE)
    ]


def test_no_test_gives_up_because_a_machine_is_slow() -> None:
    """A wait for a process or an event ends with the event, and gives up after a minute at the earliest.

    Not meant: a wait that is repeated while the process lives, and connections that are refused at once.
    """
    short = re.compile(r"(?:\.wait\(|\.join\(|\btimeout=)(\d+(?:\.\d+)?)\)")
    meant = {"queue.get(timeout=5)", "HTTPConnection(host, int(port), timeout=1)"}
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in (ROOT / "tests").rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        for seconds in short.findall(line)
        if float(seconds) < 60 and not any(part in line for part in meant)
    ]
    assert not found


def test_contributing_says_which_combinations_have_really_run() -> None:
    """Each system and Python of the workflow has a row; one that nobody has run says so, one that ran has a month."""
    jobs = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))["jobs"]
    asked = {("windows", "3.13"), ("ubuntu", "3.12")}
    matrix = jobs["pythons"]["strategy"]["matrix"]
    asked |= {(system.partition("-")[0], python) for system in matrix["os"] for python in matrix["python"]}
    asked |= {(extra["os"].partition("-")[0], extra["python"]) for extra in matrix["include"]}
    assert {step["with"]["python-version"] for job in ("all", "windows") for step in jobs[job]["steps"] if "python" in step.get("uses", "")} == {"3.12", "3.13"}  # fmt: skip
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("### What has really run")[2].partition("\n## ")[0]
    names = {"Linux x86-64": "ubuntu", "macOS": "macos", "Windows": "windows"}
    said = set()
    for system, pythons, sdk, what in re.findall(
        r"^\| (\w[^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", text, re.MULTILINE
    )[1:]:
        said |= {(names[system], python) for python in pythons.split(", ")}
        assert sdk
        assert "in the workflows only" in what or re.search(r"[A-Z][a-z]+ 20\d\d$", what), what
    assert asked <= said


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made where the repository is shown."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_in_the_repository_lead_somewhere() -> None:
    """Of the pages that the site does not have; `test_site.py` looks at the others. Pages of vendors are made by the build."""
    lost = []
    for page in (*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob(".github/**/*.md")):
        for link in re.findall(r"(?<!!)\]\(([^)\s]+)\)", page.read_text("utf-8")):
            name, _, anchor = link.partition("#")
            target = page.parent / name if name else page
            if "://" not in link and (not target.exists() or (anchor and anchor not in anchors(target))):
                lost.append(f"{page.relative_to(ROOT)}: {link}")
    assert not lost
