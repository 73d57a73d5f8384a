"""A store with the functions that bundles need: find paths, tell files from folders, read bytes."""

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

_UNKNOWN = datetime.max.replace(tzinfo=UTC)
_MAGIC = re.compile(r"[*?\[]")


class Store:
    """A file system, reduced to the functions that bundles need. Links are followed."""

    def __init__(self, fs: AbstractFileSystem, *, sftp: bool = False) -> None:
        self._fs = fs
        protocols = {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
        self.local = "file" in protocols
        self._web = not WEB.isdisjoint(protocols)
        self._sftp = sftp

    def find(self, pattern: str) -> list[str]:
        """Return the paths that match a pattern; for a plain path, the path itself if it exists."""
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
        """Yield paths below a folder that match the parts of a pattern.

        `above` holds the real paths of folders that ``**`` has entered.
        """
        part, *rest = parts
        if part == "**":
            real = self._real(folder)
            if real in above:  # a link back to a parent folder
                return
            above |= {real}
            yield from self._expand(folder, rest or ["*"], above)
        for path in self._matches(folder, part):
            if part != "**" and not rest:
                yield path
            elif self._kind(path) == "directory":
                yield from self._expand(path, parts if part == "**" else rest, above)

    def _matches(self, folder: str, part: str) -> Iterator[str]:
        """Yield paths in a folder that match one part of a pattern; as in a shell, wildcards do not match hidden names."""
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
        """Return the kind at a path, with links followed: file, directory or another word; empty if nothing is there."""
        try:
            return str(self._fs.info(path)["type"])
        except FileNotFoundError:
            return "link" if self.local and Path(path).is_symlink() else ""
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            return "link"

    def check_kind(self, path: str) -> None:
        """Raise FatalSourceError if a path is neither a file nor a folder, so that it is never opened."""
        if problem := _problem(self._kind(path)):
            raise FatalSourceError(f"{self.name(path)}: {problem}")

    def is_folder(self, path: str) -> bool:
        """True if the path is a folder."""
        return bool(self._fs.isdir(path))

    def files(self, folder: str) -> Iterator[Member]:
        """Yield the entries of a folder; an entry that is not a file has a `problem`."""
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
        """Return the store's current information about a file."""
        self._fs.invalidate_cache()
        return cast("Mapping[str, Any]", self._fs.info(path))

    def modified(self, path: str) -> datetime:
        """Return when a path was last written, even if it is not a bundle; the latest possible time if it is unknown."""
        try:
            info = self._fs.info(path)
            when = when_modified(info)
            if info["type"] == "directory":
                when = max([when, *(when_modified(each) for each in self._fs.ls(path, detail=True))])
        except Exception:  # the path may not be readable
            return _UNKNOWN
        return when if when.timestamp() else _UNKNOWN

    def mark(self, path: str) -> str:
        """Return a text that changes when the file does; empty if the file is gone."""
        try:
            return _mark(self.info(path))
        except FileNotFoundError:
            return ""

    def open(self, path: str) -> IO[bytes]:
        """Open a file for reading."""
        stream = cast("IO[bytes]", self._fs.open(path, "rb"))
        if self._web:
            try:
                stream.seek(-1, 2)
                stream.read(1)
                stream.seek(0)
            except (OSError, ValueError):  # this server sends whole files only, but a zip is read from its end
                return self._copy(path)
        return stream

    def _copy(self, path: str) -> IO[bytes]:
        copy = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115
        with self._fs.open(path, "rb", block_size=0) as stream:
            shutil.copyfileobj(stream, copy, 2**20)
        copy.seek(0)
        return copy

    def name(self, path: str) -> str:
        """Return the name of a file or folder, without the query of a web address, which often contains a key."""
        return PurePosixPath(path.partition("?")[0] if self._web else path).name or path


def _problem(kind: str) -> str:
    """Return why an entry cannot be read; empty if it can, or if nothing is there."""
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
    """Return the store of `csv_path` and the path in it; raise FatalSourceError if the store cannot be opened."""
    try:
        fs, path = open_store(url, options, setting="csv_storage_options", package="tap-oneroster")
    except StoreError as error:
        problem = FatalSourceError(f"csv_path: {error}")
        problem.exit_code = error.exit_code
        raise problem from None
    return Store(fs, sftp=protocol_of(url) in SFTP), path
