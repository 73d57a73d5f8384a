"""Loaders in the environments that Meltano gives them, and a PostgreSQL of the tests' own."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.loaders import executable_of, install

from . import snowflake as stand_in
from .pipe import ROOT
from .postgres import Server
from .stores import STORES, Postgres, Snowflake, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs Snowflake's stand-in: it has an environment and a job of its own, `./run test -m snowflake`."""
    for item in items:
        if item.path.parent.name == "loaders" and "snowflake" in item.name:
            item.add_marker("snowflake")


@pytest.fixture(scope="session")
def loader() -> Callable[[str], Path]:
    """Where a loader's executable is."""
    return executable_of


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server that ends with the tests."""
    try:
        server = Server()
    except Exception as problem:  # whatever keeps it from starting is no fault of the loaders
        if os.environ.get("CI"):
            raise
        pytest.skip(f"PostgreSQL does not start here: {problem}")
    yield server
    server.close()


@pytest.fixture(scope="session")
def snowflake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stand_in.Server]:
    """A stand-in for Snowflake that ends with the tests."""
    project = ROOT / ".meltano" / "fakesnow"
    python = project / ".meltano" / "utilities" / "fakesnow" / "venv" / "bin" / "python"
    project.mkdir(parents=True, exist_ok=True)
    (project / "meltano.yml").write_text(stand_in.PROJECT, encoding="utf-8")
    install(project, "fakesnow", project / "installed", stand_in.PROJECT, python)
    server = stand_in.Server(python, tmp_path_factory.mktemp("snowflake") / "log")
    yield server
    server.close()


@pytest.fixture
def make_store(request: pytest.FixtureRequest, loader: Any, tmp_path: Path) -> Callable[..., Store]:
    """An empty store of that kind, with the settings of meltano.yml and those that are given."""
    numbers = count(1)

    def make(name: str, **settings: Any) -> Store:
        kind = STORES[name]
        executable = loader(name)
        place: Any = tmp_path / f"store-{next(numbers)}"
        if kind is Postgres:
            place = request.getfixturevalue("postgres").database()
        if kind is Snowflake:
            place = request.getfixturevalue("snowflake").database()
            executable = place.reached_by(executable, tmp_path)
        return kind(executable, place, settings)

    return make
