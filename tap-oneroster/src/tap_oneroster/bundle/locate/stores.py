"""A store as bundles need it: what lies at a path, what kind of entry it is, and its bytes."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from datetime import UTC, datetime
from fnmatch import translate
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, cast

from ..._core.errors import StoreError
from ..._core.stores.addresses import SFTP, WEB, protocol_of
from ..._core.stores.open import open_store
from ...source import FatalSourceError
from .entries import Member, when_modified

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsspec import AbstractFileSystem

__all__ = ["Store", "is_pattern", "store_at"]

_UNKNOWN = datetime.max.replace(tzinfo=UTC)
_MAGIC = re.compile(r"[*?\[]")


class Store:
    """A file system, reduced to what bundles need. Links are followed."""

    def __init__(self, fs: AbstractFileSystem, *, sftp: bool = False) -> None:
        self._fs = fs
        protocols = {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
        self.local = "file" in protocols
        self._web = not WEB.isdisjoint(protocols)
        self._sftp = sftp

    def find(self, pattern: str) -> list[str]:
        """Return the paths that a pattern names; without one, the path itself if something is there."""
        if not is_pattern(pattern):
            return [pattern] if self._kind(pattern) else []
        if not (self.local or self._sftp):
            return sorted(map(str, self._fs.glob(pattern)))
        start = _MAGIC.search(pattern)
        assert start  # noqa: S101
        folder, slash, _ = pattern[: start.start()].rpartition("/")
        parts = [part for part in pattern[len(folder + slash) :].split("/") if part]
        return sorted(set(self._expand(folder or slash or ".", parts, frozenset())))

    def _expand(self, folder: str, parts: list[str], above: frozenset[str]) -> Iterator[str]:
        """Paths below a folder that match the parts of a pattern; `above`: real paths of folders that ``**`` has entered."""
        part, *rest = parts
        if part == "**":
            real = self._real(folder)
            if real in above:  # a link back to where we came from
                return
            above |= {real}
            yield from self._expand(folder, rest or ["*"], above)
        for path in self._matches(folder, part):
            if part != "**" and not rest:
                yield path
            elif self._kind(path) == "directory":
                yield from self._expand(path, parts if part == "**" else rest, above)

    def _matches(self, folder: str, part: str) -> Iterator[str]:
        """Paths directly in a folder that match one part of a pattern; as in a shell, hidden names match no wildcard."""
        start = f"{folder.rstrip('/')}/"
        if not _MAGIC.search(part):
            if self._kind(start + part):
                yield start + part
        elif self._kind(folder) == "directory":
            matches = re.compile(translate("*" if part == "**" else part)).match
            for path in self._fs.ls(folder, detail=False):
                name = self.name(str(path))
                if matches(name) and (part.startswith(".") or not name.startswith(".")):
                    yield start + name

    def _real(self, folder: str) -> str:
        if self._sftp:
            from ..._core.stores.sftp import real_path

            return real_path(self._fs, folder)
        return os.path.realpath(folder)

    def _kind(self, path: str) -> str:
        """What lies at a path, links followed: file, directory, another word for what is neither; empty for nothing."""
        try:
            return str(self._fs.info(path)["type"])
        except FileNotFoundError:
            return "link" if self.local and Path(path).is_symlink() else ""
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            return "link"

    def check_kind(self, path: str) -> None:
        """Raise FatalSourceError where something lies at a path that is neither a file nor a folder, so that it is never opened."""
        if problem := _problem(self._kind(path)):
            raise FatalSourceError(f"{self.name(path)}: {problem}")

    def is_folder(self, path: str) -> bool:
        """True if files lie below the path."""
        return bool(self._fs.isdir(path))

    def files(self, folder: str) -> Iterator[Member]:
        """Yield what lies directly in a folder; what is no file, with the reason why it cannot be read."""
        self._fs.invalidate_cache()
        for listed in self._fs.ls(folder, detail=True):
            info, path = listed, str(listed["name"]).rstrip("/")
            kind = listed["type"]
            if kind != "file":
                try:
                    info = self._fs.info(path)
                    kind = info["type"]
                except FileNotFoundError:
                    kind = "link"
                except Exception as error:  # a loop of links, or no permission to follow one
                    kind = type(error).__name__
            problem = "is a folder" if kind == "directory" else _problem(kind)
            if problem:
                yield Member(path, 0, problem, problem=problem)
            else:
                yield Member(path, info["size"] or 0, _mark(info), when_modified(info))

    def info(self, path: str) -> Mapping[str, Any]:
        """What the store says about a file, now."""
        self._fs.invalidate_cache()
        return cast("Mapping[str, Any]", self._fs.info(path))

    def modified(self, path: str) -> datetime:
        """Return when something at a path was last written, also where it is no bundle; the end of time if nobody knows."""
        try:
            info = self._fs.info(path)
            when = when_modified(info)
            if info["type"] == "directory":
                when = max([when, *(when_modified(each) for each in self._fs.ls(path, detail=True))])
        except Exception:  # it may be what cannot be looked at
            return _UNKNOWN
        return when if when.timestamp() else _UNKNOWN

    def mark(self, path: str) -> str:
        """Tells whether a file is still the one it was; empty where it is gone."""
        try:
            return _mark(self.info(path))
        except FileNotFoundError:
            return ""

    def open(self, path: str) -> IO[bytes]:
        """The bytes of a file."""
        stream = cast("IO[bytes]", self._fs.open(path, "rb"))
        if self._web:
            try:
                stream.seek(-1, 2)
                stream.read(1)
                stream.seek(0)
            except (OSError, ValueError):  # this server sends whole files only; a zip is read from its end
                return self._copy(path)
        return stream

    def _copy(self, path: str) -> IO[bytes]:
        copy = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115
        with self._fs.open(path, "rb", block_size=0) as stream:
            shutil.copyfileobj(stream, copy, 2**20)
        copy.seek(0)
        return copy

    def name(self, path: str) -> str:
        """Name of a file or folder; what follows it in a web address is often a key."""
        return PurePosixPath(path.partition("?")[0] if self._web else path).name or path


def _problem(kind: str) -> str:
    """Why what lies there cannot be read; empty where it can, or where nothing is."""
    if kind in {"", "file", "directory"}:
        return ""
    if kind == "link":
        return "is a link to something that is not there"
    return "is neither a file nor a folder" if kind in {"other", "unknown"} else f"cannot be looked at ({kind})"


def _mark(info: Mapping[str, Any]) -> str:
    return f"{info.get('size')} {when_modified(info).isoformat()} {info.get('ETag', '')}"


def is_pattern(path: str) -> bool:
    """True if a path names several files."""
    if protocol_of(path) in WEB:
        path = path.partition("?")[0]
    return bool(_MAGIC.search(path))


def store_at(url: str, options: Mapping[str, Any]) -> tuple[Store, str]:
    """Return the store of `csv_path`, and the path in it; raise FatalSourceError where it cannot be had."""
    try:
        fs, path = open_store(url, options, setting="csv_storage_options", package="tap-oneroster")
    except StoreError as error:
        problem = FatalSourceError(f"csv_path: {error}")
        problem.exit_code = error.exit_code
        raise problem from None
    return Store(fs, sftp=protocol_of(url) in SFTP), path
