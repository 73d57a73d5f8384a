"""The private folder of a run. It is beside the output, so that publishing is a rename, and is deleted after the run."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["REPLACED", "WorkDir", "is_own", "keep_mode"]

_LOCK = "lock"
REPLACED = "replaced"
"""Name of the folder that holds the old bundle while the new one takes its place."""


def keep_mode(new: Path, *old: Path) -> None:
    """Give a file the mode of the first of the `old` files that exists and is not a link; otherwise change nothing."""
    for path in old:
        if path.is_file() and not path.is_symlink():
            new.chmod(stat.S_IMODE(path.stat().st_mode))
            return


class WorkDir:
    """A folder that only its owner can read; the next run deletes the folder of a killed run."""

    def __init__(self, parent: Path, output: Path) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        self._prefix = f".{output.name}.oneroster-"
        _sweep(parent, self._prefix, output)
        self.path = Path(tempfile.mkdtemp(prefix=self._prefix, dir=parent))
        self._lock = (self.path / _LOCK).open("wb")
        if fcntl:
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def folder(self, name: str) -> Path:
        """Create a new folder inside."""
        path = self.path / name
        path.mkdir()
        return path

    def remove(self) -> None:
        """Delete the folder and its content."""
        self._lock.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> WorkDir:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def _sweep(parent: Path, prefix: str, output: Path) -> None:
    """Remove the folders of killed runs, and restore a bundle that one of them was about to replace.

    Folders of other users are left alone. A bundle is restored only from a private folder with a name from `tempfile`,
    so that no other user with write access here can choose the output.
    """
    for stray in parent.iterdir():
        if (
            not stray.name.startswith(prefix)
            or stray.is_symlink()
            or not stray.is_dir()
            or not is_own(stray)
            or _alive(stray)
        ):
            continue
        old = stray / REPLACED
        if os.path.lexists(old):
            exact = re.fullmatch(r"[a-z0-9_]{8}", stray.name.removeprefix(prefix))
            private = os.name == "nt" or stat.S_IMODE(stray.stat().st_mode) == 0o700
            if not exact or not private or old.is_symlink():
                continue
            if not output.exists():
                old.replace(output)
        shutil.rmtree(stray, ignore_errors=True)


def is_own(path: Path) -> bool:
    """True if a path, or the link itself if it is a link, belongs to this user."""
    return os.name == "nt" or path.lstat().st_uid == os.geteuid()


def _alive(folder: Path) -> bool:
    """True if the run that created the folder still holds its lock."""
    try:
        if not fcntl:  # Windows cannot delete a file that another process has open
            (folder / _LOCK).unlink()
            return False
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
