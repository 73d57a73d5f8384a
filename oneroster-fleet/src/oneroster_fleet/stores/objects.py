"""An object store, by fsspec. Its locks are objects that only one can create, and that are refreshed while a run lives."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from ..clock import moment, written
from ..errors import Busy, FleetError, StateMoved, StoreDown
from .base import LOCK, Lock, Store, record_of, version_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from fsspec import AbstractFileSystem

    from .base import Records

REFRESH_SECONDS = 30.0
STALE = timedelta(minutes=3)
SETTLE_SECONDS = 1.0


class _Held(Lock):
    """A lock that a thread refreshes."""

    def __init__(self, fs: AbstractFileSystem, path: str, content: Mapping[str, Any]) -> None:
        self._fs, self._path, self._content = fs, path, dict(content)
        self._end = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._refresh, daemon=True)
        self._thread.start()

    def check(self) -> None:
        if self._lost or _run_of(self._fs, self._path) != self._content["run"]:
            raise FleetError("the lock was taken over by another run, because it had not been refreshed for 3 minutes")

    def _refresh(self) -> None:
        while not self._end.wait(REFRESH_SECONDS):
            with suppress(Exception):  # the next one may succeed; check() says whether it was lost
                if _run_of(self._fs, self._path) != self._content["run"]:
                    self._lost = True
                    return
                self._fs.pipe_file(self._path, _dated(self._content))

    def release(self) -> None:
        self._end.set()
        self._thread.join()
        with suppress(Exception):  # another run takes it over after 3 minutes
            if not self._lost and _run_of(self._fs, self._path) == self._content["run"]:
                self._fs.rm_file(self._path)


class Objects(Store):
    """States under `<prefix>/<id>/state.json`, records under `<prefix>/.fleet/<id>/`."""

    def __init__(self, fs: AbstractFileSystem, prefix: str) -> None:
        self._fs, self._prefix = fs, prefix.rstrip("/")
        self._fs.use_listings_cache = False

    def _state(self, district: str) -> str:
        return f"{self._prefix}/{district}/state.json"

    def _record(self, district: str, name: str) -> str:
        return f"{self._prefix}/.fleet/{district}/{name}"

    @override
    def read(self, district: str) -> bytes | None:
        with _reaching():
            return self._content(self._state(district))

    def _content(self, path: str) -> bytes | None:
        self._fs.invalidate_cache()
        try:
            found: bytes = self._fs.cat_file(path)
        except FileNotFoundError:
            return None
        return found

    @override
    def write(self, district: str, document: bytes, version: str) -> None:
        with _reaching():
            if version_of(self._content(self._state(district))) != version:
                raise StateMoved("the stored state is not the one that this run began with; it was left as it is")
            self._fs.pipe_file(self._state(district), document)

    @override
    def clear(self, district: str) -> None:
        self._remove(self._state(district))

    @override
    def states(self) -> list[str]:
        with _reaching():
            self._fs.invalidate_cache()
            found = self._fs.glob(f"{self._prefix}/*/state.json")
            return sorted(name for path in found if not (name := str(path).split("/")[-2]).startswith("."))

    @override
    def records(self, name: str, districts: Collection[str]) -> Records:
        with _reaching():
            self._fs.invalidate_cache()
            paths = {self._record(district, name): district for district in districts}
            present = self._fs.cat(list(paths), on_error="omit") if paths else {}
            if isinstance(present, bytes):
                present = {next(iter(paths)): present}
            by_name = {path.strip("/"): district for path, district in paths.items()}
            return {by_name[str(path).strip("/")]: record_of(content) for path, content in present.items()}

    @override
    def put(self, district: str, name: str, content: Mapping[str, Any]) -> None:
        with _reaching():
            self._fs.pipe_file(self._record(district, name), json.dumps(content).encode())

    @override
    def remove(self, district: str, name: str) -> None:
        self._remove(self._record(district, name))

    def _remove(self, path: str) -> None:
        with _reaching(), suppress(FileNotFoundError):
            self._fs.rm_file(path)

    @override
    @contextmanager
    def lock(self, district: str, content: Mapping[str, Any]) -> Iterator[Lock]:
        path = self._record(district, LOCK)
        with _reaching():
            self._take(path, content)
        held = _Held(self._fs, path, content)
        try:
            yield held
        finally:
            held.release()

    def _take(self, path: str, content: Mapping[str, Any]) -> None:
        try:
            self._fs.pipe_file(path, _dated(content), mode="create")
        except (FileExistsError, OSError) as error:
            if not isinstance(error, FileExistsError) and self._content(path) is None:
                raise
        else:
            return
        found = record_of(self._content(path) or b"")
        if found and not _is_stale(found):
            raise Busy("another run of this district is alive")
        # Two may take over at once: the last one to write has it, and both look after a moment.
        self._fs.pipe_file(path, _dated(content))
        time.sleep(SETTLE_SECONDS)
        if _run_of(self._fs, path) != content["run"]:
            raise Busy("another run of this district is alive")

    @override
    def running(self, districts: Collection[str]) -> Records:
        return {district: its for district, its in self.records(LOCK, districts).items() if not _is_stale(its)}


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except FleetError:
        raise
    except Exception as error:  # libraries' words may hold addresses and keys
        raise StoreDown(f"state: the store cannot be reached ({type(error).__name__})") from None


def _dated(content: Mapping[str, Any]) -> bytes:
    return json.dumps({**content, "refreshed": written(datetime.now(UTC))}).encode()


def _is_stale(found: Mapping[str, Any]) -> bool:
    at = moment(found.get("refreshed"))
    return at is None or datetime.now(UTC) - at > STALE


def _run_of(fs: AbstractFileSystem, path: str) -> object:
    fs.invalidate_cache()
    try:
        return record_of(fs.cat_file(path)).get("run")
    except FileNotFoundError:
        return None
