"""`./run` on machines where something is missing: one line that says what to do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import bootstrap, environment

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script for bash")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a clone as the set-up looks at."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in (
        "run",
        "requirements.lock",
        "meltano.yml",
        "tap-oneroster/pyproject.toml",
        "tools/__init__.py",
        "tools/bootstrap.py",
        "tools/environment.py",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def run(clone: Path, *arguments: str, start: str = "./run", **environment: str) -> subprocess.CompletedProcess[str]:
    """Call `./run` in an empty home directory."""
    home = clone.parent / "home"
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "VIRTUAL_ENV", "XDG_"))}
    kept["PATH"] = os.pathsep.join(p for p in kept["PATH"].split(os.pathsep) if not p.startswith(str(ROOT)))
    return subprocess.run(
        [start, *arguments],
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


def test_help_lists_the_commands(clone: Path) -> None:
    """Every command of `./run` has a line, and none needs a set-up to be read."""
    for asked in ("--help", "-h", "help"):
        done = run(clone, asked)
        assert done.returncode == 0
        for command in bootstrap.COMMANDS:
            assert f"./run {command} " in done.stdout, command
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize(
    ("typed", "meant"), [("tset", "test"), ("lnit", "lint"), ("test-airbite", "test-airbyte"), ("meltno", "meltano")]
)
def test_a_command_that_does_not_exist_is_named_with_the_nearest(clone: Path, typed: str, meant: str) -> None:
    """`tset` is a program of most terminals; it is not what was meant, and nothing is installed for it."""
    done = run(clone, typed)
    assert done.returncode == 2
    assert done.stderr == (
        f"run: no command {typed}. Did you mean {meant}? "
        f"./run --help lists the commands; any other program: ./run exec {typed}\n"
    )
    assert not (clone / ".venv").exists()


def test_a_word_like_no_command(clone: Path) -> None:
    """Nothing is guessed."""
    assert run(clone, "xyzzy").stderr == (
        "run: no command xyzzy. ./run --help lists the commands; any other program: ./run exec xyzzy\n"
    )


@pytest.mark.parametrize("relative", [True, False])
def test_a_link_to_run_works(clone: Path, tmp_path: Path, *, relative: bool) -> None:
    """From a folder of one's own programs, by a link to a link, from wherever one is."""
    links = tmp_path / "bin"
    links.mkdir()
    (links / "first").symlink_to("../clone/run" if relative else clone / "run")
    (links / "oneroster").symlink_to("first")
    done = run(clone, "--help", start=str(links / "oneroster"))
    assert done.returncode == 0, done.stderr
    assert "./run test " in done.stdout


def test_links_that_are_text_files_are_named(clone: Path) -> None:
    """A clone on Windows without developer mode has small text files in place of the links."""
    link = clone / "tap-oneroster/src/tap_oneroster/_core"
    link.parent.mkdir(parents=True)
    link.write_text("../../../oneroster-core/src/oneroster_core")
    done = run(clone, "setup")
    assert done.returncode == 1
    assert "git clone -c core.symlinks=true" in done.stderr


def test_other_systems_start_the_same_program(clone: Path) -> None:
    """On Windows bootstrap.py is started by name: `./run` only looks for a Python."""
    start = [sys.executable, str(clone / "tools" / "bootstrap.py"), "--help"]
    done = subprocess.run(start, capture_output=True, text=True, cwd=clone.parent)
    assert done.stdout == run(clone, "--help").stdout
    assert len((ROOT / "run").read_text(encoding="utf-8").splitlines()) <= 40


def test_pip_settings_are_handed_to_uv(clone: Path, tmp_path: Path) -> None:
    """Index, certificates and folders, from pip's file and from the environment, which wins; what uv has been told stays."""
    here = tmp_path / "wheels"
    here.mkdir()
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://one.example.org/simple\ntimeout = 7\n"
        f"extra-index-url =\n    https://two.example.org/a\n    https://two.example.org/b\nfind-links = {here} /not/there\n"
    )
    code = (
        "import os; from tools.environment import use_pip_settings; use_pip_settings(); "
        "print(*(os.environ.get(n) for n in "
        "('UV_DEFAULT_INDEX', 'UV_INDEX', 'UV_HTTP_TIMEOUT', 'UV_FIND_LINKS', 'UV_INDEX_STRATEGY')), sep='\\n')"
    )
    mine = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PIP_"))}
    mine |= {"PIP_CONFIG_FILE": str(config), "PIP_INDEX_URL": "https://env.example.org/simple", "UV_HTTP_TIMEOUT": "99"}
    done = subprocess.run([sys.executable, "-c", code], cwd=clone, env=mine, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "https://env.example.org/simple",
        "https://two.example.org/a https://two.example.org/b",
        "99",
        str(here),
        "unsafe-best-match",
    ], done.stderr


def test_a_lock_is_made_from_pips_main_index_alone(clone: Path, tmp_path: Path) -> None:
    """Other indexes may hold one file of a version, for this machine."""
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://one.example.org/simple\nextra-index-url = https://two.example.org/a\n"
        f"find-links = {tmp_path}\n"
    )
    code = (
        "import os; from tools.environment import use_pip_settings; use_pip_settings(others=False); "
        "print(*(os.environ.get(n) for n in ('UV_DEFAULT_INDEX', 'UV_INDEX', 'UV_FIND_LINKS')))"
    )
    mine = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PIP_"))} | {"PIP_CONFIG_FILE": str(config)}
    done = subprocess.run([sys.executable, "-c", code], cwd=clone, env=mine, capture_output=True, text=True)
    assert done.stdout.split() == ["https://one.example.org/simple", "None", "None"], done.stderr


def test_what_the_quick_start_prints_needs_no_more_than_it_installed() -> None:
    """The summary's commands, and those of README after it, are in the quick start's half of the lock."""
    for command in ("meltano", "tap-oneroster", "target-oneroster-csv", "oneroster-sample", "source-oneroster"):
        assert bootstrap.QUICK.fullmatch(command)
    shown = (ROOT / "tools/quickstart/summary.py").read_text(encoding="utf-8")
    assert {line.split()[1] for line in re.findall(r"\./run [a-z-]+", shown)} == {"query"}


@pytest.fixture
def quick_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """`./run` without what it installs and starts; the programs that it would start."""
    started: list[str] = []

    def ran(*command: str | Path, **_: object) -> subprocess.CompletedProcess[str]:
        started.append(" ".join(map(str, command)))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "ran", ran)
    for name in ("set_up", "set_up_plugins"):
        monkeypatch.setattr(bootstrap, name, lambda *_: None)
    monkeypatch.setattr(bootstrap, "program", str)
    return started


def test_the_quick_start_ends_with_two_pages(
    quick_start: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """That of the audit and that of the marts, a line each; the marts' environment is the small one."""
    monkeypatch.setattr(bootstrap, "set_up_marts", Path)
    bootstrap.quick_start()
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "run: is tonight safe? Open output/roster.html",
        "run: how is a district doing? Open output/marts/site/index.html",
    ]
    assert quick_start[-1] == "quickstart/bin/python -m tools.quickstart.marts"


def test_marts_that_cannot_be_installed_are_skipped(
    quick_start: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says so, why, and which command makes the page; the quick start ends well without it."""

    def fails(_: str) -> Path:
        environment.fail("packages: the package index did not deliver. Details: .uv/setup.log")

    monkeypatch.setattr(bootstrap, "set_up_marts", fails)
    bootstrap.quick_start()
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "run: is tonight safe? Open output/roster.html",
        (
            "run: the marts' pages are skipped, and ./run marts makes them: "
            "packages: the package index did not deliver. Details: .uv/setup.log"
        ),
    ]
    assert not any("quickstart.marts" in command for command in quick_start)


@pytest.mark.usefixtures("quick_start")
def test_marts_that_cannot_be_built_are_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Skipped is only what is not installed."""
    monkeypatch.setattr(bootstrap, "set_up_marts", lambda _: Path(".marts"))

    def ran(*command: str | Path, **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, int("tools.quickstart.marts" in command))

    monkeypatch.setattr(bootstrap, "ran", ran)
    with pytest.raises(SystemExit) as ended:
        bootstrap.quick_start()
    assert ended.value.code == 1
    assert "output/marts/site" not in capsys.readouterr().err


def test_the_environment_of_the_marts_is_enough_for_what_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The quick start's third is made once; the tests ask for all of it, and then nothing is made anew."""
    made: list[str] = []
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "MADE", tmp_path / ".uv")
    for name in ("use_pip_settings", "get_uv", "projects"):
        monkeypatch.setattr(environment, name, lambda **_: [])
    monkeypatch.setattr(environment, "fingerprint", lambda **_: "content")
    monkeypatch.setattr(environment, "APART_LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(environment, "from_index", lambda what, *command: made.append(" ".join(map(str, command))))
    monkeypatch.setattr(environment, "make_environment", lambda _, place, *rest: place.mkdir(exist_ok=True))
    for half, installs in (("quickstart", 2), ("quickstart", 2), ("all", 4), ("all", 4), ("quickstart", 4)):
        environment.set_up_marts(half)
        assert len(made) == installs
    assert "--constraint" in made[0]
    assert "--extra duckdb" in made[0]
    assert "--require-hashes" in made[2]


def test_programs_may_keep_what_python_compiled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Container images often forbid it, and then each start of Meltano compiles thousands of modules again."""
    monkeypatch.setattr(os, "environ", {"PYTHONDONTWRITEBYTECODE": "1", "PATH": "/bin"})
    environment.enter(tmp_path)
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ
