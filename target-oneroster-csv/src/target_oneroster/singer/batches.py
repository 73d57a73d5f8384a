"""BATCH: what a message says of its files, where they may lie, and JSON lines files read as record lines."""

from __future__ import annotations

import gzip
import re
import zlib
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import msgspec

from .._core.errors import StoreError
from .._core.stores.addresses import BATCH_PROTOCOLS, protocol_of
from .._core.stores.open import open_store
from ..errors import TargetError
from .reader import blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)
"""What gzip raises for a file that is not whole."""

# `_sdc_` columns that taps add for warehouses; they are at the end of a row, after all its values.
_NOTES = re.compile(rb'(?:,"_sdc_[a-z_]+":(?:"[^"\\]*"|-?\d+|null))+\}$', re.MULTILINE)


class BatchFile:
    """One file of a batch, local or in an object store; every method but `remove` raises TargetError."""

    def __init__(self, url: str, number: int, stream: str, nothing_done: str) -> None:
        """Raise TargetError for a place where no batch may lie, and for a store that cannot be opened.

        `number` is the file's place in its message, from 1.
        """
        self._name = f"File {number} of a batch of {stream}"
        self._nothing_done = nothing_done
        if protocol_of(url) not in BATCH_PROTOCOLS or ("://" not in url and not url.startswith("/")):
            raise TargetError("The files of a batch must lie in a local folder, or in s3://, gs:// or abfs://.")
        try:
            self._fs, self._path = open_store(url, {}, setting="the environment", package="target-oneroster-csv")
        except StoreError as error:
            raise self.fault(str(error)) from None
        self.is_local = "file" in (self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,))

    def lines(self, compression: str) -> Iterator[bytes]:
        """Yield the whole lines of the file in blocks of about a megabyte; `compression` is gzip or none."""
        with self._reading(), self._open() as source, gzip.open(source) if compression == "gzip" else source as lines:
            yield from blocks(lines)

    def _open(self) -> IO[bytes]:
        return cast("IO[bytes]", self._fs.open(self._path, "rb"))

    def local(self, folder: Path) -> Path:
        """Return the file's path, or the path of a copy in `folder`."""
        if self.is_local:
            return Path(self._path)
        copy = folder / Path(self._path).name
        with self._reading():
            self._fs.get_file(self._path, str(copy))
        return copy

    def remove(self) -> None:
        """Delete the file after its rows are in place; ignore errors."""
        with suppress(Exception):
            self._fs.rm_file(self._path)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except TargetError:  # a line is too long
            raise
        except _DAMAGED:
            raise self.fault("it is damaged or cut off") from None
        except Exception as error:  # the exception types depend on the store
            raise self.fault(getattr(error, "strerror", None) or type(error).__name__) from None

    def fault(self, reason: str) -> TargetError:
        """Return the error for a file that cannot be read."""
        return TargetError(f"{self._name} cannot be read ({reason}). {self._nothing_done}")


def encoding_of(message: Mapping[str, Any], nothing_done: str) -> tuple[str, str]:
    """Return format and compression of a message's files; raise TargetError if the message does not define them."""
    encoding, files = message["encoding"], message["manifest"]
    if not isinstance(encoding, dict) or not isinstance(files, list) or not all(isinstance(f, str) for f in files):
        raise TargetError(f"A BATCH message does not say what its files are. {nothing_done}")
    return str(encoding.get("format")), str(encoding.get("compression") or "none")


def record_lines(message: Mapping[str, Any], files: Iterable[BatchFile], nothing_done: str) -> Iterator[bytes]:
    """Yield the record lines of a BATCH message in blocks of about a megabyte; `nothing_done` is used in errors."""
    _, compression = encoding_of(message, nothing_done)
    if compression not in {"gzip", "none"}:
        raise TargetError(f"Files of JSON lines may be compressed with gzip only. {nothing_done}")
    head = b'{"type":"RECORD","stream":%b,"record":' % msgspec.json.encode(message["stream"])
    version = message.get("version")
    tail = b',"version":%d}\n' % version if isinstance(version, int) else b"}\n"
    for block in chain.from_iterable(file.lines(compression) for file in files):
        yield head + _without_notes(block)[:-1].replace(b"\n", tail + head) + tail


def _without_notes(block: bytes) -> bytes:
    """Return lines without `_sdc_` columns. Many rows share the same text, and replacing it is faster than a search."""
    for line in (block[: block.find(b"\n")], block[block.rfind(b"\n", 0, -1) + 1 : -1]):
        if notes := _NOTES.search(line):
            block = block.replace(notes[0] + b"\n", b"}\n")
    return _NOTES.sub(b"}", block) if b',"_sdc_' in block else block
