"""Loaders in the environments that Meltano gives them, and a PostgreSQL of the tests' own."""

from __future__ import annotations

import fcntl
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from .pipe import ROOT
from .postgres import Server
from .stores import STORES, Postgres, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def loader() -> Callable[[str], Path]:
    """Where a loader's executable is; Meltano installs it when meltano.yml names another one than is there."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    known = {plugin["name"]: plugin for plugin in project["plugins"]["loaders"]}

    def find(name: str) -> Path:
        place = ROOT / ".meltano" / "loaders" / name
        executable: Path = place / "venv" / "bin" / known[name]["executable"]
        mark = place / "installed"
        wanted = known[name]["pip_url"]
        place.mkdir(parents=True, exist_ok=True)
        with (place / "busy").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may want it, too
            if not executable.exists() or not mark.exists() or mark.read_text() != wanted:
                done = subprocess.run([ROOT / "run", "meltano", "install", name], capture_output=True, text=True)
                if done.returncode and not os.environ.get("CI"):
                    pytest.skip(f"{name} could not be installed: {done.stderr[-300:]}")
                assert done.returncode == 0, done.stderr[-2000:]
                mark.write_text(wanted)
        return executable

    return find


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


@pytest.fixture
def make_store(request: pytest.FixtureRequest, loader: Any, tmp_path: Path) -> Callable[..., Store]:
    """An empty store of that kind, with the settings of meltano.yml and those that are given."""

    def make(name: str, **settings: Any) -> Store:
        kind = STORES[name]
        place: Any = tmp_path / "store"
        if kind is Postgres:
            place = request.getfixturevalue("postgres").database()
        return kind(loader(name), place, settings)

    return make
