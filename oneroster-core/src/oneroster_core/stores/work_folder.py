"""The private folder of a run, beside the output so that publishing is a rename, and gone after the run."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["WorkDir"]

_LOCK = "lock"
REPLACED = "replaced"
"""Where the old bundle waits while the new one takes its place."""


class WorkDir:
    """A folder only its owner can read; a killed run's folder goes with the next run's start."""

    def __init__(self, parent: Path, output: Path) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        self._prefix = f".{output.name}.oneroster-"
        _sweep(parent, self._prefix, output)
        self.path = Path(tempfile.mkdtemp(prefix=self._prefix, dir=parent))
        self._lock = (self.path / _LOCK).open("wb")
        if fcntl:
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def folder(self, name: str) -> Path:
        """A new folder inside."""
        path = self.path / name
        path.mkdir()
        return path

    def remove(self) -> None:
        """Delete the folder with all it holds."""
        self._lock.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> WorkDir:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def _sweep(parent: Path, prefix: str, output: Path) -> None:
    """Remove what killed runs have left, and give back a bundle that one of them was about to replace."""
    for stray in parent.iterdir():
        if not stray.name.startswith(prefix) or not stray.is_dir() or _alive(stray):
            continue
        old = stray / REPLACED
        if old.exists() and not output.exists():
            old.replace(output)
        shutil.rmtree(stray, ignore_errors=True)


def _alive(folder: Path) -> bool:
    """Whether the run that made the folder still holds its lock."""
    try:
        if not fcntl:  # what another process has open cannot be deleted
            (folder / _LOCK).unlink()
            return False
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
