"""The last step: a finished bundle replaces the old one, completely or not at all."""

from __future__ import annotations

import ctypes
import os
import signal
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .._core.stores.work_folder import REPLACED, keep_mode
from ..errors import Misconfigured
from .dialects import WRITTEN_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def check_output(output: Path) -> None:
    """Reject an output path that holds something other than a bundle, because publishing would destroy it."""
    as_zip = output.suffix.lower() == ".zip"
    if output.is_dir():
        if as_zip:
            raise Misconfigured(f"output_path: {output.name} is a folder. Remove it, or name a file.")
        if foreign := sum(path.name not in WRITTEN_FILES for path in output.iterdir()):
            raise Misconfigured(
                f"output_path: the folder {output.name} is not a bundle, it holds {foreign} other entries. "
                "Name a folder of its own."
            )
    elif output.exists() and not as_zip:
        raise Misconfigured(f"output_path: {output.name} is a file. Name a folder, or a file that ends in .zip.")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Block signals during two renames that belong together."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _to_disk(path: Path) -> None:
    """Write a file or folder to disk (fsync)."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() or os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish_file(new: Path, output: Path) -> None:
    """Publish one file (a zip, a report)."""
    keep_mode(new, output)
    _to_disk(new)
    new.replace(output)
    _to_disk(output.parent)


def publish_folder(new: Path, output: Path, work: Path) -> None:
    """Publish a folder. The old one is moved into `work`, which the caller removes."""
    for path in sorted(new.iterdir()):
        keep_mode(path, output / path.name, output / "manifest.csv")
        _to_disk(path)
    _to_disk(new)
    with _undisturbed():
        if not output.exists():
            new.replace(output)
        else:
            new.chmod(stat.S_IMODE(output.stat().st_mode))
            if not _exchange(new, output):
                _swap(new, output, work / REPLACED)
    _to_disk(output.parent)


def _exchange(new: Path, output: Path) -> bool:
    """Exchange two folders in one step if the system supports it (Linux); return True on success."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(output), _RENAME_EXCHANGE) == 0)


def _swap(new: Path, output: Path, old: Path) -> None:
    """Replace a folder by two renames. If a run is killed between them, the next run repairs it at its start."""
    output.replace(old)
    try:
        new.replace(output)
    except OSError:
        old.replace(output)
        raise
