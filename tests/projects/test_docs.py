"""The shell blocks of docs/ and of the plugins' READMEs run as they stand, in their order, in the clone of README's reader.

A block that cannot run there is named in `ELSEWHERE`, with the reason and with the test that runs it or what checks it.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import click
import pytest
import yaml
from meltano.cli.cli import cli

from tests.support.benchmarks import options_of

from .conftest import ROOT, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Clone

posix = pytest.mark.skipif(sys.platform == "win32", reason="blocks for a POSIX shell")
PAGES = sorted(
    str(path.relative_to(ROOT)) for pattern in ("docs/**/*.md", "*-*/README.md") for path in ROOT.glob(pattern)
)

# Why a block does not run here, by a pattern of it, and the test that runs it instead.
ELSEWHERE = {
    r"^pip install .*<URL of this": ("the address is a placeholder", "tests/repository/test_packages.py", "git+"),
    r"^source-oneroster ": ("part of the tap's extra `airbyte`", "tests/airbyte/test_commands.py", '"discover"'),
    r"sis-postgres/try\.py": ("starts a PostgreSQL", "tests/examples/test_sis_postgres.py", "def test_"),
    r"^  psql .*copy": ("needs a PostgreSQL", "tests/examples/test_sis_page.py", r'snippet\("sh", "copy"\)'),
    r"\| psql ": ("needs a PostgreSQL", "tests/loaders/test_pages.py", "views_command.main"),
    r"\| target-jsonl ": ("needs the loader's environment", "tests/loaders/test_nights.py", "Jsonl|STORES"),
    r"--from-ref \.\./oneroster": (
        "needs a project beside the clone",
        "tests/projects/conftest.py",
        r'blocks\("docs/meltano',
    ),
    r"^(pip install 'meltano\[s3\]'|export MELTANO_STATE)": (
        "a store",
        "tests/projects/test_project.py",
        "_state_in_s3",
    ),
    r"^meltano (test|invoke) ": (
        "needs a project",
        "tests/projects/test_project.py",
        'project\\("test", "tap-oneroster"',
    ),
    r"sis\.example\.org|^\./run meltano invoke tap-oneroster": (
        "a service",
        "tests/projects/test_readme.py",
        "page_cap",
    ),
    r"/drop/district\.zip|^\./run$|output/district\.duckdb": (
        "README has it",
        "tests/projects/test_readme.py",
        "csv.duckdb",
    ),
    r"^\./run python -m benchmarks": ("takes minutes", "tests/projects/test_docs.py", "def test_the_benchmarks_exist"),
    r"^oneroster-audit ": (
        "needs a warehouse with two nights",
        "tests/audit/test_approve.py",
        'desk\\("approve"',
    ),
    r"^oneroster-marts ": (
        "needs dbt",
        "tests/marts/test_commands.py",
        'desk\\("doctor"',
    ),
    r"^(/opt/fleet/bin/|pip install )?oneroster-(fleet|sample fleet)|/opt/fleet": (
        "needs services, secrets or Airflow",
        "tests/fleet/test_acceptance.py",
        'desk\\.run\\("--all", "--jobs"',
    ),
    r"^[\d*/ ]+ cd ": ("a line of a crontab", "tests/projects/test_docs.py", "def test_meltano_understands"),
}
MELTANO = re.compile(r"^(?:export \S+=.*|meltano .*)$")
CONFIGS = {
    "tap.json": {"mode": "csv", "csv_path": "district.zip"},
    "config.json": {"mode": "csv", "csv_path": "district.zip"},
    "target.json": {"output_path": "out.zip", "filepath": "warehouse.duckdb"},
    "warehouse.json": {"filepath": "warehouse.duckdb"},
    "state.json": {},
}


def elsewhere(block: str) -> tuple[str, str, str] | None:
    """Why a block does not run here."""
    return next((why for pattern, why in ELSEWHERE.items() if re.search(pattern, block, re.MULTILINE)), None)


def of_meltano(block: str) -> bool:
    """Whether a block consists of Meltano's commands only: `test_meltano_understands` reads these."""
    return all(MELTANO.match(line) for line in block.splitlines())


def here() -> Iterator[tuple[str, str]]:
    """The blocks that run here, with their page."""
    for page in PAGES:
        for block in blocks(page):
            if not elsewhere(block) and not of_meltano(block):
                yield page, block


def test_what_does_not_run_here_runs_elsewhere() -> None:
    """Each reason is of a block that exists, and the test that it names has what it promises."""
    everything = "\n".join(block for page in PAGES for block in blocks(page))
    for pattern, (reason, test, word) in ELSEWHERE.items():
        assert reason
        assert re.search(pattern, everything, re.MULTILINE), pattern
        assert re.search(word, (ROOT / test).read_text(encoding="utf-8")), (pattern, test)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@posix
def test_the_blocks_of_the_pages(clone: Clone, after_readme, bundle, tmp_path: Path) -> None:
    """Each page in a folder of its own, with the files that it speaks of."""
    assert after_readme.returncode == 0
    scripts: dict[str, list[str]] = {}
    for page, block in here():
        scripts.setdefault(page, []).append(block)
    assert len(scripts) > 5
    write = []
    for number, (page, found) in enumerate(scripts.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "district.zip").symlink_to(bundle("1.1"))
        if "receipts" in page:
            shutil.copy(clone.folder / "output" / "rest.duckdb", folder / "warehouse.duckdb")
        if "twin" in page:
            shutil.copy(clone.folder / "examples" / "twin" / "reading-app.yml", folder)
        for name, config in CONFIGS.items():
            only = {"filepath" if "duckdb" in page else "output_path"} if name == "target.json" else set(config)
            (folder / name).write_text(json.dumps({k: v for k, v in config.items() if k in only}))
        for title, query in re.findall(
            r'^```sql title="(\w+)"\n(.*?)^```$', (ROOT / page).read_text(), re.MULTILINE | re.DOTALL
        ):
            (folder / f"{title}.sql").write_text(query)
        write += [f"cd {folder}", "echo", *found]
    text = "export ONEROSTER_TODAY=2026-10-01\ntarget-anything() { cat; }\n" + "\n".join(write)
    done = clone.terminal(f"export PATH=$PWD/.venv/bin:$PATH\n{text}")
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]


def names(page: str) -> dict[str, str]:
    """Kind of each plugin, and of each job, that is there when the page's pieces stand in the meltano.yml of this repository."""
    base = "examples/sis-postgres/meltano.yml" if "sis-database" in page else "meltano.yml"
    text = (ROOT / page).read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for piece in (
        (ROOT / base).read_text(encoding="utf-8"),
        *re.findall(r"^```yaml[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL),
    ):
        content = yaml.safe_load(piece)
        found |= {plugin["name"]: kind for kind, plugins in content.get("plugins", {}).items() for plugin in plugins}
        found |= {job["name"]: "jobs" for job in content.get("jobs", ())}
    return found


def parsed(command: str) -> dict[str, Any]:
    """What Meltano makes of the arguments of a command; it fails as the command would."""
    context: click.Context | None = None
    here: click.Command | None = cli
    rest = shlex.split(command)
    while True:
        name, *rest = rest
        assert here
        context = here.make_context(name, rest, parent=context, obj={"project": MagicMock()})
        if not isinstance(here, click.Group):
            return context.params
        rest = [*context._protected_args, *context.args]
        _, here, _ = here.resolve_command(context, list(rest))


def commands(page: str) -> list[str]:
    """Meltano's commands on a page; of a line that starts several, each."""
    lines = [line for block in blocks(page) for line in block.splitlines()]
    return [found.strip() for line in lines for found in re.findall(r"(?<![\w'/-])meltano [^&|#>]+", line)]


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_meltano_understands(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command has arguments that Meltano takes; each `meltano run` names jobs, or pairs of plugins and a utility, that are there."""
    monkeypatch.setattr("sys.stdin", io.StringIO())  # `meltano state` looks whether anything is piped in
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    known = names(page)
    for command in commands(page):
        if "--from-ref" in command:
            continue  # it reads the file: tests/projects/conftest.py runs it
        params = parsed(command)
        if command.startswith("meltano run "):
            kinds = [known[name.partition(":")[0]] for name in params["blocks"]]
            pair = ["extractors", "loaders"]
            assert kinds in (pair, [*pair, "utilities"], ["jobs"]), command


@pytest.mark.parametrize(
    "line",
    sorted(
        {line for page in PAGES for block in blocks(page) for line in block.splitlines() if "-m benchmarks." in line}
    ),
)
def test_the_benchmarks_exist(line: str) -> None:
    """What takes minutes does not run here; its module takes the options that the page names."""
    _, _, module, *options = shlex.split(line.removeprefix("./run "))
    assert {option for option in options if option.startswith("--")} <= options_of(module)
