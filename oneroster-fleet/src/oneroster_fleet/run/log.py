"""The log of a run: what tap and target said, as they said it (no values of records, as they promise)."""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Lock
from typing import IO, TYPE_CHECKING

from ..errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class RunLog:
    """Writes lines into a file, and hands each to `echo`."""

    def __init__(self, path: Path, echo: Callable[[str], None]) -> None:
        self._path, self._echo, self._lock = path, echo, Lock()
        self._file: IO[str] | None = None

    def __enter__(self) -> RunLog:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise FleetError(f"log_dir: a log cannot be written there ({error.strerror})") from None
        self._file = os.fdopen(descriptor, "a", encoding="utf-8", buffering=1)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            with suppress(OSError):  # a full disk, again
                self._file.close()

    def __call__(self, line: str) -> None:
        """Write one line. Where the disk is full the run goes on without a log: who reads a pipe must not stop."""
        with self._lock:
            if self._file and not self._file.closed:
                try:
                    self._file.write(f"{line}\n")
                except OSError as error:
                    self._echo(f"fleet: log_dir: the log ends here ({error.strerror})")
                    with suppress(OSError):
                        self._file.close()
            self._echo(line)
