"""The log of a run: what tap and target said, as they said it (no values of records, as they promise)."""

from __future__ import annotations

import os
from threading import Lock
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

__all__ = ["RunLog"]


class RunLog:
    """Writes lines into a file, and hands each to `echo`."""

    def __init__(self, path: Path, echo: Callable[[str], None]) -> None:
        self._path, self._echo, self._lock = path, echo, Lock()
        self._file: IO[str] | None = None

    def __enter__(self) -> RunLog:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._file = os.fdopen(descriptor, "a", encoding="utf-8", buffering=1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def __call__(self, line: str) -> None:
        """Write one line."""
        with self._lock:
            if self._file and not self._file.closed:
                self._file.write(f"{line}\n")
            self._echo(line)
