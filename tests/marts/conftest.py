"""Warehouses with the sample district, and marts built from them once a run: `./run test-marts`."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .warehouses import Desk, Server

TOWN = {"test_answers.py", "test_browser.py", "test_mcp.py", "test_pages.py", "test_push.py"}
DESKS = {
    "test_docs_of_marts.py",
    "test_enrollment.py",
    "test_grants.py",
    "test_manifest.py",
    "test_marts.py",
    "test_questions.py",
    "test_results.py",
    "test_suppression.py",
    "test_worklist.py",
}
"""Files that share the town, or the two desks, which take long to build: one worker runs them."""

# dbt is in an environment of its own.
collect_ignore_glob = [] if find_spec("dbt") else ["test_*.py"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests here, and let dbt and what it brings along warn."""
    for item in items:
        if item.path.parent.name == "marts":
            item.add_marker("marts")
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute files, and those that share something as one, where the tests here are run by themselves: ./run test-marts."""
    from xdist.scheduler import LoadScopeScheduling

    scheduling: Any = LoadScopeScheduling(config, log)
    scheduling._split_scope = scope_of
    return scheduling


def scope_of(id_: str) -> str:
    """What a worker runs as one: a single district of the ten, else a file with those that share something with it."""
    place = Path(id_.partition("::")[0]).name
    if "of_ten_districts" in id_:
        return id_
    return "town" if place in TOWN else "desks" if place in DESKS else place


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The DuckDB file of target-oneroster-duckdb with a small district, read by the tap from a bundle. Do not write to it."""
    from .warehouses import load_sample

    return load_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def usage(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The inputs that go with the sample, as CSV files: what other systems know of it."""
    from .warehouses import write_inputs

    return write_inputs(tmp_path_factory.mktemp("usage"))


@pytest.fixture(scope="session")
def duckdb_desk(sample: Path, usage: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The marts of the sample on DuckDB, built once. Do not write to them."""
    from .warehouses import TODAY, duckdb_desk

    desk = duckdb_desk(tmp_path_factory.mktemp("desk"), sample, today=TODAY, inputs=usage)
    assert desk("build") == 0, desk.err
    # That of later commands lacks the SQL of what they did not select.
    shutil.copy(desk.folder / "target" / "manifest.json", desk.folder)
    return desk


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server that ends with the tests."""
    from .warehouses import Server

    made = Server()
    yield made
    made.close()


@pytest.fixture(scope="session")
def postgres_desk(
    sample: Path, usage: dict[str, str], server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Desk:
    """The marts of the same sample on PostgreSQL, with the tables as target-postgres makes them; built once."""
    from .warehouses import TODAY, postgres_desk

    desk = postgres_desk(tmp_path_factory.mktemp("postgres"), server, sample, today=TODAY, inputs=usage)
    assert desk("build") == 0, desk.err
    return desk


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The marts of a larger district on DuckDB, for pages and answers; built once. Do not write to them."""
    from .town import make_town

    return make_town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="session")
def site(town: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages that anybody may read."""
    folder = tmp_path_factory.mktemp("site")
    assert town("pages", "--out", str(folder)) == 0, town.err
    return folder


@pytest.fixture(scope="session")
def restricted_site(town: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with what is about single students, by their names."""
    folder = tmp_path_factory.mktemp("restricted")
    assert town("pages", "--out", str(folder), "--restricted", "--names") == 0, town.err
    return folder
