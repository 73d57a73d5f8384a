"""What several suites need: a sample district as bundles, made once a run; and how the tests are spread over workers."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path


@pytest.fixture(scope="session")
def district() -> District:
    """A small district: two schools, everything in it that the standard knows."""
    return District(seed=7, schools=2, students_per_school=40)


@pytest.fixture(scope="session")
def bundle(district: District, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The district as a zipped bulk bundle of a version; made once."""
    made: dict[str, Path] = {}

    def make(version: str) -> Path:
        if version not in made:
            made[version] = tmp_path_factory.mktemp("bundle") / f"district-{version}.zip"
            write_bundle(district, made[version], version=version)
        return made[version]

    return make


TOGETHER = {
    "tests/audit/test_axe.py": "site",
    "tests/fleet/test_board.py::test_in_a_browser": "site",
    "tests/examples/": "sis",
    "tests/marts/test_transfers.py": "moves",
    "tests/marts/": "marts",
    "tests/projects/test_bundle_nights.py": "project",
    "tests/projects/test_docs.py::test_the_blocks_of_the_pages": "clone",
    "tests/projects/test_project.py": "project",
    "tests/projects/test_readme.py": "clone",
    "tests/repository/test_packages.py": "packages",
    "tests/repository/test_site": "site",
}
"""Tests by the beginning of their ids that share something that takes long to make: one worker runs them.

pytest-xdist 3.8 does not see its own marker `xdist_group` with pytest 9.2.
"""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Collect tests without garbage collection, which would find nothing."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Let garbage collection leave out the tests themselves, and run less often; it took a seventh of the tests' CPU time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_unconfigure() -> None:
    """Give back what garbage collection left out: libraries warn of objects that are still there at the end."""
    gc.unfreeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute single tests, and those of TOGETHER as one."""
    from xdist.scheduler import LoadScopeScheduling

    scheduling: Any = LoadScopeScheduling(config, log)
    scheduling._split_scope = lambda id_: next(
        (group for start, group in TOGETHER.items() if id_.startswith(start)), id_
    )
    return scheduling


class NamesFailures:
    """Names a failure as it happens, in a line; the end of the run has the details."""

    def __init__(self, config: pytest.Config) -> None:
        self._plugins = config.pluginmanager

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the line."""
        terminal: Any = self._plugins.get_plugin("terminalreporter")
        if report.failed and terminal:
            crash = getattr(report.longrepr, "reprcrash", None)
            reason = (crash.message.splitlines() or [""])[0] if crash else ""
            terminal.ensure_newline()
            terminal.write_line(f"failed in {report.when}: {report.nodeid}  {reason}"[:300], red=True)


def pytest_configure(config: pytest.Config) -> None:
    """Let the process that prints name failures; with xdist, not the workers."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(NamesFailures(config), "names-failures")
