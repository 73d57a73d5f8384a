"""The plugins and the audit as packages: what is in them, and that each installs alone with plain pip."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "oneroster-core" / "src" / "oneroster_core"
PLUGINS = {"tap-oneroster": "tap_oneroster", "target-oneroster-csv": "target_oneroster"}

PACKAGES = PLUGINS | {
    "oneroster-audit": "oneroster_audit",
    "oneroster-fleet": "oneroster_fleet",
    "oneroster-marts": "oneroster_marts",
}

each_plugin = pytest.mark.parametrize("plugin", PLUGINS)
each_package = pytest.mark.parametrize("package", PACKAGES)


def also_in(plugin: str) -> list[str]:
    """Other plugins that the package of that one brings along."""
    return ["target-oneroster-duckdb"] if plugin == "target-oneroster-csv" else []


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a command that has to succeed, and return what it printed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def core_files() -> dict[str, bytes]:
    """The core's files, by their path inside a plugin's `_core`."""
    files = (path for path in CORE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(CORE).as_posix(): path.read_bytes() for path in files}


def copied(folder: Path) -> Path:
    """A copy of the source tree as a clone has it: links kept, nothing that tools have made."""
    made = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "output", "dist")
    shutil.copytree(ROOT, folder, symlinks=True, ignore=made)
    shutil.copy(ROOT / ".gitignore", folder)  # or what a build compiles would be committed, and make the tree dirty
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist of each package, and a wheel made from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    for package in PACKAGES:
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT / package)
    return folder


def only(folder: Path, pattern: str) -> Path:
    """The one file of that name."""
    (path,) = folder.glob(pattern)
    return path


@each_package
def test_the_wheel_holds_the_core_byte_for_byte(built: Path, package: str) -> None:
    """`_core` is a link in the repository and a folder of files in the wheel."""
    module = PACKAGES[package]
    with zipfile.ZipFile(only(built, f"{package.replace('-', '_')}-*.whl")) as wheel:
        prefix = f"{module}/_core/"
        inside = {n.removeprefix(prefix): wheel.read(n) for n in wheel.namelist() if n.startswith(prefix)}
        others = {name.split("/")[0] for name in wheel.namelist()}
    assert inside == core_files()
    assert len(others) == 2, "the package and its dist-info, and nothing else"


@each_package
def test_the_wheel_is_typed_and_licensed(built: Path, package: str) -> None:
    """Type checkers find the marker, and lawyers the licence."""
    module = PACKAGES[package]
    with zipfile.ZipFile(only(built, f"{package.replace('-', '_')}-*.whl")) as wheel:
        names = wheel.namelist()
        assert f"{module}/py.typed" in names
        licence = next(name for name in names if name.endswith("licenses/LICENSE"))
        assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


@each_package
def test_the_sdist_holds_files_and_no_links(built: Path, package: str) -> None:
    """An sdist is unpacked far from the core's own folder: a link would point at nothing."""
    module = PACKAGES[package]
    with tarfile.open(only(built, f"{package.replace('-', '_')}-*.tar.gz")) as sdist:
        members = sdist.getmembers()
    assert all(member.isfile() for member in members if not member.isdir())
    names = {member.name.partition("/")[2] for member in members}
    assert {f"src/{module}/_core/{name}" for name in core_files()} < names
    ours = {"tests/.gitkeep", "macros/tests/unique_together.sql"}  # tests of data, which dbt runs at the user's
    assert not {name for name in names - ours if "test" in name or "__pycache__" in name}


@each_package
def test_a_package_without_its_core_is_not_built(tmp_path: Path, package: str) -> None:
    """An archive that lost the link has a small text file in its place: no broken wheel is made from that."""
    shutil.copytree(ROOT / package, tmp_path / package, symlinks=True)
    link = tmp_path / package / "src" / PACKAGES[package] / "_core"
    link.unlink()
    link.write_text("../../../oneroster-core/src/oneroster_core")
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", str(tmp_path / package)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode != 0
    assert "_core is not a folder" in done.stdout + done.stderr


def test_the_audit_installs_alone(built: Path, tmp_path: Path) -> None:
    """From its wheel, with its SQL and its page; without the SDK and without the plugins."""
    run("uv", "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    bin_ = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    run("uv", "pip", "install", "--quiet", "--python", bin_ / "python", only(built, "oneroster_audit-*.whl"))
    assert "approve" in run(bin_ / "oneroster-audit", "--help")
    done = subprocess.run([bin_ / "oneroster-audit", "run"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "policy.yml" in done.stderr
    listed = run("uv", "pip", "list", "--python", bin_ / "python")
    assert "singer" not in listed
    with zipfile.ZipFile(only(built, "oneroster_audit-*.whl")) as wheel:
        names = wheel.namelist()
    assert {"oneroster_audit/report/page.html.j2", "oneroster_audit/checks/reasons.sql"} <= set(names)
    assert any(name.startswith("oneroster_audit/_figures/") for name in names)


def test_the_fleet_installs_alone(built: Path, tmp_path: Path) -> None:
    """From its wheel, with the DAG file and the page's style; without the SDK, Meltano, Airflow and the plugins."""
    run("uv", "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    bin_ = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    run("uv", "pip", "install", "--quiet", "--python", bin_ / "python", only(built, "oneroster_fleet-*.whl"))
    assert "oneroster__" in run(bin_ / "oneroster-fleet", "dag")
    done = subprocess.run([bin_ / "oneroster-fleet", "check"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 4
    assert "fleet.yml: no such file" in done.stderr
    (tmp_path / "fleet.yml").write_text("version: 1\nstate: file:///s\ndistricts: [{id: a, loader: {name: x}}]\n")
    board = subprocess.run([bin_ / "oneroster-fleet", "board", "--out", "b"], cwd=tmp_path, capture_output=True)
    assert board.returncode == 2, "the district never ran"
    listed = run("uv", "pip", "list", "--python", bin_ / "python")
    assert not [name for name in ("singer", "meltano", "airflow", "duckdb") if name in listed]


def test_the_marts_carry_their_dbt_project(built: Path) -> None:
    """Whole, in the wheel and in the sdist from which it was made. It needs dbt, so it is not installed here."""
    folder = ROOT / "oneroster-marts"
    kinds = ("grants", "macros", "models", "seeds", "snapshots", "tests")
    project = {p.relative_to(folder).as_posix() for kind in kinds for p in (folder / kind).rglob("*") if p.is_file()}
    project |= {"dbt_project.yml", "profiles.example.yml"}
    assert len(project) > 50
    with zipfile.ZipFile(only(built, "oneroster_marts-*.whl")) as wheel:
        inside = {name for name in wheel.namelist() if name.startswith("oneroster_marts/project/")}
    assert inside == {f"oneroster_marts/project/{name}" for name in project}


@each_plugin
@pytest.mark.slow
def test_each_plugin_installs_alone_with_plain_pip(built: Path, plugin: str, tmp_path: Path) -> None:
    """From a wheel into an empty environment; then from a path, editable, and from a git URL with a subdirectory."""
    environment = tmp_path / "venv"
    # `--seed`: with pip. (The venv module of some systems comes without.)
    run("uv", "venv", "--quiet", "--seed", "--python", sys.executable, environment)
    bin_ = environment / ("Scripts" if sys.platform == "win32" else "bin")

    def install(*what: str | Path) -> None:
        # `--no-compile`: pip would compile every module of every dependency, and a run needs few of them.
        quick = ("--quiet", "--disable-pip-version-check", "--no-compile")
        run(bin_ / "python", "-m", "pip", "install", *quick, *what, cwd=tmp_path)

    install(only(built, f"{plugin.replace('-', '_')}-*.whl"))
    about = json.loads(run(bin_ / plugin, "--about", "--format=json"))
    assert about["name"] == plugin
    for script in also_in(plugin):
        assert json.loads(run(bin_ / script, "--about", "--format=json"))["name"] == script
    assert "Required-by: \n" in run(bin_ / "python", "-m", "pip", "show", plugin)
    if plugin == "tap-oneroster":
        assert run(bin_ / "source-oneroster", "spec").startswith('{"type":"SPEC"')

    tree = copied(tmp_path / "tree")
    install("--no-deps", "--force-reinstall", tree / plugin)
    assert run(bin_ / plugin, "--version").startswith(plugin)
    install("--no-deps", "--force-reinstall", "--editable", tree / plugin)
    assert run(bin_ / plugin, "--version").startswith(plugin)

    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    run(*git, "init", "--quiet", cwd=tree)
    run(*git, "add", "--all", cwd=tree)
    run(*git, "commit", "--quiet", "--message=all", cwd=tree)
    run(*git, "tag", "v1.2.3", cwd=tree)
    install("--no-deps", "--force-reinstall", f"git+{tree.as_uri()}#subdirectory={plugin}")
    assert "1.2.3" in run(bin_ / plugin, "--version"), "one tag is the version of both"
    assert json.loads(run(bin_ / plugin, "--about", "--format=json"))["settings"] == about["settings"]
