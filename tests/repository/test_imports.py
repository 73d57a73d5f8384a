"""Which part may import which: the contracts of pyproject.toml hold, and would notice if they did not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).with_name("lint-imports")
MEMBERS = {
    "oneroster_audit": "oneroster-audit",
    "oneroster_figures": "oneroster-figures",
    "oneroster_fleet": "oneroster-fleet",
    "oneroster_marts": "oneroster-marts",
    "oneroster_core": "oneroster-core",
    "oneroster_sample": "oneroster-sample",
    "tap_oneroster": "tap-oneroster",
    "target_oneroster": "target-oneroster-csv",
}


def lint(folder: Path, **options: str) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a folder's pyproject.toml."""
    return subprocess.run([LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, env=options or None)


def test_the_directions_of_imports_hold() -> None:
    """Bundle | warehouse → singer → records → core; singer → source ← rest | bundle; the model stands alone."""
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


def test_the_contracts_see_the_core_inside_the_plugins() -> None:
    """`_core` is a link in each plugin; what it imports is checked as what it is there."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layered = [c for c in contracts if c["type"] == "layers" and c["containers"] != ["oneroster_core.twin"]]
    assert [contract["layers"][-1] for contract in layered] == ["_core", "_core", "_core", "_core", "_core"]


@pytest.mark.parametrize(
    ("module", "line", "named"),
    [
        ("oneroster_core/model/_types.py", "import msgspec", "oneroster_core.model._types imports msgspec"),
        (
            "oneroster_core/sql.py",
            "def f():\n    import singer_sdk",
            "oneroster_core is not allowed to import singer_sdk",
        ),
        (
            "target_oneroster/warehouse/merge.py",
            "def f():\n    from ..bundle import settings",
            "target_oneroster.warehouse is not allowed to import target_oneroster.bundle",
        ),
        (
            "target_oneroster/records/__init__.py",
            "def f():\n    from ..singer import base_target",
            "target_oneroster.records is not allowed to import target_oneroster.singer",
        ),
        (
            "oneroster_audit/cells.py",
            "def f():\n    from . import warehouse",
            "oneroster_audit.cells is not allowed to import oneroster_audit.warehouse",
        ),
        (
            "oneroster_fleet/words.py",
            "def f():\n    from . import commands",
            "oneroster_fleet.words is not allowed to import oneroster_fleet.commands",
        ),
        (
            "tap_oneroster/rest/source.py",
            "def f():\n    from ..bundle import source",
            "tap_oneroster.rest is not allowed to import tap_oneroster.bundle",
        ),
        (
            "tap_oneroster/warehouse/source.py",
            "def f():\n    from ..bundle import source",
            "tap_oneroster.warehouse is not allowed to import tap_oneroster.bundle",
        ),
        (
            "tap_oneroster/source.py",
            "def f():\n    from .rest import source",
            "tap_oneroster.source is not allowed to import tap_oneroster.rest",
        ),
        (
            "tap_oneroster/singer/tap.py",
            "def f():\n    from ..bundle import source",
            "tap_oneroster.singer is not allowed to import tap_oneroster.bundle",
        ),
    ],
)
def test_a_wrong_import_is_named(tmp_path: Path, module: str, line: str, named: str) -> None:
    """An import inside a function counts as well."""
    for package, member in MEMBERS.items():
        source = ROOT / member / "src" / package
        shutil.copytree(source, tmp_path / package, symlinks=False, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__", "site"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n\n{line}\n")
    done = lint(tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert named in done.stdout, done.stdout[-2000:]


def test_no_test_module_imports_another_test_module() -> None:
    """What several need lies in tests/support, or beside the tests in a module without tests."""
    importing = re.compile(r"^\s*(?:from\s+\S*\btest_\w+\s+import|import\s+\S*\btest_\w+)", re.MULTILINE)
    paths = sorted((ROOT / "tests").rglob("*.py"))
    assert len(paths) > 100
    assert [path.name for path in paths if importing.search(path.read_text(encoding="utf-8"))] == []
