"""Runs dbt in this process, and says in our words what it did."""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from . import project
from .errors import Failed, Wrong
from .inputs import tables
from .profile import SECRET, profile, variables
from .settings import SECRET_SETTINGS, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Outcome:
    """What a command of dbt did."""

    models: int = 0
    tests: int = 0
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def run_dbt(settings: Settings, command: str, *arguments: str) -> Outcome:
    """Run a command of dbt.

    Raises:
        Failed: dbt did not come to run anything.
        Wrong: The settings name something that is not there.
    """
    target = Path(settings.target_path).absolute()
    with _private_umask():
        _write_profile(settings, target)
        if settings.warehouse == "duckdb":
            _make_files(settings)
        given = tables(settings)
    said: list[str] = []

    def hear(event: Any) -> None:
        if event.info.name == "JinjaLogInfo" and (ours := _OURS.search(event.info.msg)):
            said.append(ours[1].strip())

    with _quiet_environment(settings):
        try:
            from dbt.cli.main import dbtRunner
        except ImportError:
            raise Failed("dbt is not installed here; install oneroster-marts with its dependencies") from None

        options = {
            "--project-dir": project.folder(),
            "--profiles-dir": target / "profile",
            "--target-path": target,
            "--log-path": target / "logs",
            "--vars": json.dumps(variables(settings, given)),
            "--log-level": "none",
            "--log-level-file": "none",
        }
        words = [str(word) for option in options.items() for word in option]
        try:
            with _private_umask():
                result = dbtRunner(callbacks=[hear]).invoke([command, *words, "--quiet", *arguments])
        finally:
            _close(settings)
    if result.exception is not None:
        raise Failed(_one_line(str(result.exception)))
    outcome = _outcome(result.result)
    outcome.said = said
    if not result.success and not outcome.failures:
        outcome.failures.append(f"dbt {command} did not succeed")
    return outcome


def _outcome(result: Any) -> Outcome:
    outcome = Outcome()
    for each in getattr(result, "results", ()) or ():
        if not hasattr(each, "node"):  # a macro
            continue
        kind, name, status = each.node.resource_type, each.node.name, str(each.status)
        if kind in {"test", "unit_test"}:
            outcome.tests += status != "skipped"
        else:
            outcome.models += status == "success"
        if status in {"error", "fail", "runtime error"}:
            if status == "fail":
                text = f"{each.failures} rows" if kind == "test" else "the rows are not those that it expects"
            else:
                text = _one_line(each.message or status)
            is_named = text.startswith(("input ", "table ", "schema "))
            outcome.failures.append(text if is_named else f"{kind} {name}: {text}")
        elif status == "warn":
            outcome.warnings.append(f"{kind} {name}: {each.failures} rows")
    return outcome


_OURS = re.compile(r"oneroster_marts: (.+)")


def _one_line(message: str) -> str:
    """Return what a message of dbt or of the warehouse says, without the values that it quotes."""
    if ours := _OURS.search(message):
        return ours[1].strip()
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    kinds = r"(Runtime|Database|Compilation|Parsing|Dependency) Error|Encountered an error"
    lines = [line for line in lines if not re.match(kinds, line)] or lines
    return re.sub(r"'[^']*'", "'…'", lines[0])[:300] if lines else "no reason given"


def _write_profile(settings: Settings, target: Path) -> None:
    folder = target / "profile"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "profiles.yml").write_text(yaml.safe_dump(profile(settings)), encoding="utf-8")
    except OSError as error:
        raise Wrong(f"target_path: {error.strerror or 'cannot be written'}") from None


def _make_files(settings: Settings) -> None:
    """Check the warehouse's file, and make the two others with their modes, before dbt attaches them."""
    import duckdb

    from ._core.sql import when_free

    if not Path(settings.filepath).is_file():
        raise Wrong("filepath: no such file; load the district with target-oneroster-duckdb first")
    paths = [Path(getattr(settings, name)).resolve() for name in ("filepath", "marts_path", "restricted_path")]
    if len(set(paths)) < len(paths):
        raise Wrong("filepath, marts_path and restricted_path: must be three files")
    for name, path, mode in (
        ("filepath", paths[0], None),
        ("marts_path", paths[1], 0o666),
        ("restricted_path", paths[2], 0o600),
    ):
        is_new = not path.exists()
        when_free(
            path,
            lambda path=path, mode=mode: duckdb.connect(str(path), read_only=mode is None),  # type: ignore[misc]
            lambda words, name=name: Failed(f"{name}: {_one_line(words)}"),  # type: ignore[misc]
        ).close()
        if mode == 0o600:
            path.chmod(mode)
        elif is_new and mode:
            path.chmod(mode & ~_umask())


def _close(settings: Settings) -> None:
    """Let go of the warehouse: dbt keeps its connections for as long as the process lives."""
    from dbt.adapters.factory import cleanup_connections

    cleanup_connections()
    if settings.warehouse == "duckdb":
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        DuckDBConnectionManager.close_all_connections()


def _umask() -> int:
    """Return the umask with which the process began."""
    return _BEFORE[0] if _BEFORE else 0o022


_BEFORE: list[int] = []


@contextmanager
def _private_umask() -> Iterator[None]:
    """Let nobody else read the files that are made meanwhile."""
    before = os.umask(0o077)
    _BEFORE.append(before)
    try:
        yield
    finally:
        _BEFORE.pop()
        os.umask(before)


@contextmanager
def _quiet_environment(settings: Settings) -> Iterator[None]:
    """Give dbt its secrets and no reason to call home; leave the environment as it was."""
    mine = {f"{SECRET}{name.upper()}": getattr(settings, name) for name in SECRET_SETTINGS}
    mine |= {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1", "DBT_VERSION_CHECK": "false"}
    before = {name: os.environ.get(name) for name in mine}
    os.environ.update(mine)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
