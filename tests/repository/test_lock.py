"""The lock: pinned, hashed, complete, and silent about where packages come from."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import bootstrap

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
# A package may be there twice, for older and for newer Pythons.
PIN = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", re.MULTILINE)
PINS = [(canonicalize_name(name), version) for name, version in PIN.findall(LOCK)]
APART = "oneroster-marts"
"""No member: its dbt and our mypy need different versions of one package. It has a lock of its own."""
AIRFLOW_LOCK = (ROOT / "tests" / "airflow" / "requirements.lock").read_text(encoding="utf-8")
APART_LOCK = (ROOT / APART / "requirements.lock").read_text(encoding="utf-8")
MEMBERS = sorted(path.parent.name for path in ROOT.glob("*/pyproject.toml") if path.parent.name != APART)


def test_the_lock_names_no_package_host() -> None:
    """Packages come from wherever the user's own index is."""
    for lock in (LOCK, APART_LOCK, AIRFLOW_LOCK):
        assert not re.search(r"://|index-url|find-links|trusted-host", lock)


def test_the_locks_hold_the_files_of_every_system_and_python() -> None:
    """They were made where another index held one file of many packages, and no other Python could install these."""
    for lock in (LOCK, APART_LOCK, AIRFLOW_LOCK):
        entries = re.split(r"^(?=[\w.-]+(?:\[[\w,-]+\])?==)", lock, flags=re.MULTILINE)[1:]
        single = [entry.partition(" ")[0] for entry in entries if entry.count("--hash=") == 1]
        assert len(single) < len(entries) / 20, single


def test_pins_stay_when_the_files_are_asked_for_again() -> None:
    left = bootstrap.pins(LOCK)
    assert PIN.findall(left) == PIN.findall(LOCK)
    assert "--hash" not in left
    assert "\\" not in left


def test_every_line_is_a_pin_with_hashes() -> None:
    """What is installed is what was tested, to the byte."""
    lines = [line for line in LOCK.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(lines) == len(PINS) > 50
    lines += [line for line in APART_LOCK.splitlines() if line and not line.startswith((" ", "#"))]
    assert all("==" in line and line.endswith("\\") for line in lines)


@pytest.mark.parametrize("member", MEMBERS)
def test_the_lock_covers_what_a_member_declares(member: str) -> None:
    """A dependency that was added without `./run lock` would be missing on the next machine."""
    project = tomllib.loads((ROOT / member / "pyproject.toml").read_text(encoding="utf-8"))
    covered(*project["project"]["dependencies"], *project["build-system"]["requires"])


def test_the_lock_of_the_marts_covers_what_they_declare() -> None:
    """With all extras and the tests; the other packages that are installed beside them have the same dependencies."""
    pins = [(canonicalize_name(name), version) for name, version in PIN.findall(APART_LOCK)]
    project = tomllib.loads((ROOT / APART / "pyproject.toml").read_text(encoding="utf-8"))
    extras = (text for extra in project["project"]["optional-dependencies"].values() for text in extra)
    groups = (text for group in project["dependency-groups"].values() for text in group if isinstance(text, str))
    covered(*project["project"]["dependencies"], *extras, *groups, pins=pins)
    for member in ("oneroster-sample", "tap-oneroster", "target-oneroster-csv"):
        its = tomllib.loads((ROOT / member / "pyproject.toml").read_text(encoding="utf-8"))
        covered(*its["project"]["dependencies"], pins=pins)


def test_the_lock_covers_the_tools() -> None:
    """The same for the tools and tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    covered(*(text for group in groups.values() for text in group if isinstance(text, str)))
    assert sorted(project["tool"]["uv"]["workspace"]["members"]) == MEMBERS


@pytest.mark.parametrize("member", [*MEMBERS, APART])
def test_what_is_imported_is_declared_and_what_is_declared_is_imported(member: str) -> None:
    """A package that another one happens to bring along may be gone tomorrow."""
    project = tomllib.loads((ROOT / member / "pyproject.toml").read_text(encoding="utf-8"))
    required = names_of(project["project"]["dependencies"])
    required -= {"dbt-core", "rapidfuzz"}  # they are not in this environment
    required.discard(canonicalize_name("tzdata"))  # nobody imports it: zoneinfo reads it where the system has no zones
    extras = project["project"].get("optional-dependencies", {})
    optional = names_of(text for extra in extras.values() for text in extra)
    sources = sources_of(member)
    known = packages_distributions()
    used = {canonicalize_name(known[name][0]) for path in sources for name in imported(path) if name in known}
    own = {canonicalize_name(member), canonicalize_name("oneroster-core")}
    assert required <= used
    assert used - own <= required | optional


def sources_of(member: str) -> set[Path]:
    """Modules of a member, and those of the core that they need: the core is inside each of them as `_core`."""
    waiting = [path for path in (ROOT / member / "src").rglob("*.py") if "_core" not in path.parts]
    core = (ROOT / "oneroster-core/src/oneroster_core").resolve()
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                place = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
                if "_core" in place.parts or core in place.parents or place == core:
                    place = (
                        core.joinpath(*place.parts[place.parts.index("_core") + 1 :])
                        if "_core" in place.parts
                        else place
                    )
                    inner = [place, *(place / alias.name for alias in node.names)]
                    waiting += [p for at in inner for p in (at.with_suffix(".py"), at / "__init__.py") if p.is_file()]
    return found


def names_of(requirements: Iterable[str]) -> set[str]:
    """Names of the packages that are asked for."""
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def imported(path: Path) -> set[str]:
    """Names of the packages that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names


def covered(*requirements: str, pins: Iterable[tuple[str, str]] = ()) -> None:
    """Each requirement is pinned to a version that it allows."""
    for requirement in map(Requirement, requirements):
        versions = [version for name, version in tuple(pins) or PINS if name == canonicalize_name(requirement.name)]
        assert versions, f"{requirement.name} is not in the lock: ./run lock"
        for version in versions:
            assert requirement.specifier.contains(version, prereleases=True), f"{requirement}: locked is {version}"
