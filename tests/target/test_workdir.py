"""The private folder of a run, also where the system has no file locks to ask."""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from target_oneroster._core.stores import work_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def without_fcntl(monkeypatch):
    """The module as Windows has it."""
    with monkeypatch.context() as context:
        context.setitem(sys.modules, "fcntl", None)
        importlib.reload(work_folder)
        yield work_folder
    importlib.reload(work_folder)


@contextmanager
def working(module: Any, parent: Path, output: Path) -> Iterator[Any]:
    """The folder of a run that ends with the block."""
    work = module.WorkDir(parent, output)
    try:
        yield work
    finally:
        work.remove()


def test_it_works_without_fcntl(without_fcntl, tmp_path: Path) -> None:
    """A folder of its own, gone afterwards; what a killed run left goes as well."""
    output = tmp_path / "bundle"
    stray = tmp_path / ".bundle.oneroster-dead"
    stray.mkdir()
    (stray / "lock").touch()
    with working(without_fcntl, tmp_path, output) as work:
        assert [path.name for path in tmp_path.iterdir()] == [work.path.name]
    assert list(tmp_path.iterdir()) == []


def test_a_living_run_is_left_alone_without_fcntl(without_fcntl, tmp_path: Path, monkeypatch) -> None:
    """There an open file cannot be deleted, and that tells."""
    output = tmp_path / "bundle"
    with working(without_fcntl, tmp_path, output) as first:
        real = type(tmp_path).unlink

        def unlink(path: Path, missing_ok: bool = False) -> None:
            if path.parent == first.path and path.name == "lock":
                raise PermissionError(13, "in use")
            real(path, missing_ok)

        monkeypatch.setattr(type(tmp_path), "unlink", unlink)
        with working(without_fcntl, tmp_path, output):
            assert first.path.is_dir()
