"""A folder of this machine, or of a network disk with locks: one file for each state and record, flock for locks."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from ..errors import Busy, StateMoved, StoreDown
from .base import LOCK, Lock, Store, record_of, version_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from .base import Records

WAIT_SECONDS, STEP_SECONDS = 0.6, 0.02


class _Held(Lock):
    def __init__(self, descriptor: int) -> None:
        self.inherited = descriptor


class Folder(Store):
    """States under `<folder>/<id>/state.json`, records under `<folder>/.fleet/<id>/`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _state(self, district: str) -> Path:
        return self._path / district / "state.json"

    def _record(self, district: str, name: str) -> Path:
        return self._path / ".fleet" / district / name

    @override
    def read(self, district: str) -> bytes | None:
        return _content(self._state(district))

    @override
    def write(self, district: str, document: bytes, version: str) -> None:
        path = self._state(district)
        if version_of(_content(path)) != version:
            raise StateMoved("the stored state is not the one that this run began with; it was left as it is")
        _put(path, document)

    @override
    def clear(self, district: str) -> None:
        _remove(self._state(district))

    @override
    def states(self) -> list[str]:
        with _reaching():
            return sorted(path.parent.name for path in self._path.glob("[!.]*/state.json"))

    @override
    def records(self, name: str, districts: Collection[str]) -> Records:
        found = {}
        for district in districts:
            content = _content(self._record(district, name))
            if content is not None:
                found[district] = record_of(content)
        return found

    @override
    def put(self, district: str, name: str, content: Mapping[str, Any]) -> None:
        _put(self._record(district, name), json.dumps(content).encode())

    @override
    def remove(self, district: str, name: str) -> None:
        _remove(self._record(district, name))

    @override
    @contextmanager
    def lock(self, district: str, content: Mapping[str, Any]) -> Iterator[Lock]:
        import fcntl

        path = self._record(district, LOCK)
        with _reaching():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            # Somebody who asks whether the lock is held has it for an instant.
            until = time.monotonic() + WAIT_SECONDS
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= until:
                        raise Busy("another run of this district is alive") from None
                    time.sleep(STEP_SECONDS)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(content).encode(), 0)
            yield _Held(descriptor)
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    @override
    def running(self, districts: Collection[str]) -> Records:
        import fcntl

        found: Records = {}
        for district in districts:
            try:
                descriptor = os.open(self._record(district, LOCK), os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                content = os.pread(descriptor, 4096, 0)
                if content:  # an empty one was given back in order
                    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                found[district] = record_of(content)
            except OSError:
                continue
            finally:
                os.close(descriptor)
        return found


def _content(path: Path) -> bytes | None:
    with _reaching(), suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and onto the disk."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    with _reaching():
        path.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)


def _remove(path: Path) -> None:
    with _reaching():
        path.unlink(missing_ok=True)


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreDown(f"state: the store cannot be reached ({error.strerror or type(error).__name__})") from None
