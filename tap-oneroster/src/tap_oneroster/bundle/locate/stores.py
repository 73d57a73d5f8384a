"""Where bundles lie: the local disk, or any store that fsspec knows, opened safely."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any, cast

from ...source import FatalSourceError
from .entries import Member, when_modified

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsspec import AbstractFileSystem

__all__ = ["Store", "extra_of", "is_in_the_clear", "is_pattern", "open_store"]

_EXTRAS = {
    **dict.fromkeys(("sftp", "ssh"), "sftp"),
    **dict.fromkeys(("s3", "s3a"), "s3"),
    **dict.fromkeys(("gs", "gcs"), "gcs"),
    **dict.fromkeys(("abfs", "abfss", "az"), "azure"),
}
_WEB = {"http", "https"}
_IN_THE_CLEAR = re.compile(r"(?i)(?<![a-z])(http|ftp)://(?!(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/]|\Z))")


class Store:
    """A file system, reduced to what bundles need."""

    def __init__(self, fs: AbstractFileSystem) -> None:
        self._fs = fs
        protocols = fs.protocol if isinstance(fs.protocol, tuple) else (fs.protocol,)
        self.local = "file" in protocols
        self._web = not _WEB.isdisjoint(protocols)

    def find(self, pattern: str) -> list[str]:
        """Paths that a pattern names; without one, the path itself if something is there."""
        if is_pattern(pattern):
            return sorted(map(str, self._fs.glob(pattern)))
        try:
            self._fs.info(pattern)
        except FileNotFoundError:
            return []
        return [pattern]

    def is_folder(self, path: str) -> bool:
        """Whether files lie below the path."""
        return bool(self._fs.isdir(path))

    def files(self, folder: str) -> Iterator[Member]:
        """Files directly in a folder."""
        self._fs.invalidate_cache()
        for info in self._fs.ls(folder, detail=True):
            if info["type"] == "file":
                yield Member(info["name"], info["size"] or 0, _mark(info), when_modified(info))

    def info(self, path: str) -> Mapping[str, Any]:
        """What the store says about a file, now."""
        self._fs.invalidate_cache()
        return cast("Mapping[str, Any]", self._fs.info(path))

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


def _mark(info: Mapping[str, Any]) -> str:
    return f"{info.get('size')} {when_modified(info).isoformat()} {info.get('ETag', '')}"


def is_pattern(path: str) -> bool:
    """Whether a path names several files."""
    if path.lower().startswith(tuple(f"{scheme}://" for scheme in _WEB)):
        path = path.partition("?")[0]
    return any(c in path for c in "*?[")


def extra_of(protocol: str) -> str | None:
    """The extra of this package that brings what a store needs."""
    return _EXTRAS.get(protocol)


def is_in_the_clear(url: str, options: Mapping[str, Any]) -> bool:
    """Whether a store, by its URL or its options, would be spoken to without encryption."""
    return any(_IN_THE_CLEAR.search(text) for text in (url, *_texts(options)))


def open_store(url: str, options: Mapping[str, Any]) -> tuple[Store, str]:
    """The store of a URL, and the path in it; FatalSourceError, without the URL, where it cannot be had."""
    # Imported here: most commands (--about, --version) never touch a store.
    import fsspec

    protocol = url.partition("://")[0].lower() if "://" in url else ""
    if is_in_the_clear(url, options):
        raise FatalSourceError("csv_path: http:// and ftp:// show pupils' data to the network; use https:// or sftp://")
    try:
        if protocol in {"sftp", "ssh"}:
            from .sftp import open_sftp

            fs, root = open_sftp(url, options)
        else:
            fs, root = fsspec.url_to_fs(url, **options)
    except ImportError:
        extra = extra_of(protocol)
        advice = f"install tap-oneroster[{extra}]" if extra else "install the package that fsspec asks for"
        raise FatalSourceError(f"csv_path: {protocol}:// is not installed; {advice}") from None
    except FatalSourceError:
        raise
    except Exception as error:
        raise FatalSourceError(
            f"csv_path: the store cannot be opened ({type(error).__name__}); check the path and csv_storage_options"
        ) from None
    return Store(fs), root


def _texts(options: Any) -> Iterator[str]:
    """All texts in nested options."""
    if isinstance(options, str):
        yield options
    elif isinstance(options, dict):
        for value in options.values():
            yield from _texts(value)
