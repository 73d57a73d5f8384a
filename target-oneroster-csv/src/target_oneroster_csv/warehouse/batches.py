"""BATCH: files that a message names instead of records, JSON lines or Parquet, local or by any fsspec URL."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import duckdb

from ..engine import literal
from ..errors import BundleError
from .schema import ADDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["BatchFile", "Parquet", "batch_files", "json_blocks"]

_BLOCK = 1 << 20
_FORMATS = {("jsonl", "none"), ("jsonl", "gzip")}


class BatchFile:
    """One file of a batch."""

    def __init__(self, url: str, stream: str) -> None:
        # Imported here: as a rule records come as lines.
        from fsspec.core import url_to_fs

        self._stream = stream
        try:
            self._fs, self._path = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise self._fault(type(error).__name__) from None
        self.is_local = "file" in (self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,))

    def local(self, folder: Path) -> Path:
        """Its path, or that of a copy in the folder."""
        if self.is_local:
            return Path(self._path)
        copy = folder / Path(self._path).name
        try:
            self._fs.get_file(self._path, str(copy))
        except Exception as error:  # whatever the store calls it
            raise self._fault(type(error).__name__) from None
        return copy

    def open(self) -> IO[bytes]:
        """Its bytes."""
        try:
            return cast("IO[bytes]", self._fs.open(self._path, "rb"))
        except Exception as error:  # whatever the store calls it
            raise self._fault(getattr(error, "strerror", None) or type(error).__name__) from None

    def remove(self) -> None:
        """Delete it: its rows are in place. What cannot be deleted stays."""
        with suppress(Exception):
            self._fs.rm_file(self._path)

    def _fault(self, reason: str) -> BundleError:
        return BundleError(f"A file of a batch of {self._stream} cannot be read ({reason}). Nothing was loaded.")


def batch_files(message: Mapping[str, Any]) -> tuple[str, str, list[BatchFile]]:
    """Format, compression and files of a message."""
    encoding, files = message["encoding"], message["manifest"]
    if not isinstance(encoding, dict) or not isinstance(files, list) or not all(isinstance(f, str) for f in files):
        raise BundleError("A BATCH message does not say what its files are. Nothing was loaded.")
    kind, compression = str(encoding.get("format")), encoding.get("compression") or "none"
    if kind != "parquet" and (kind, compression) not in _FORMATS:
        raise BundleError(
            "Batches must be Parquet, or JSON lines without compression or with gzip. Nothing was loaded."
        )
    return kind, str(compression), [BatchFile(url, message["stream"]) for url in files]


def json_blocks(file: BatchFile, compression: str) -> Iterator[bytes]:
    """Whole lines of a file, a megabyte or so at a time."""
    with file.open() as raw, gzip.open(raw) if compression == "gzip" else raw as lines:
        rest = b""
        while piece := lines.read(_BLOCK):
            whole, end, rest = (rest + piece).rpartition(b"\n")
            if end:
                yield whole + end
        if rest:
            yield rest + b"\n"


class Parquet:
    """Looks into Parquet files, by a database of its own: the loader's thread has the other one."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1})

    def columns(self, path: Path) -> dict[str, str]:
        """Columns of a file and their types."""
        found = self._connection.execute(f"DESCRIBE SELECT * FROM {_read(path)}").fetchall()  # noqa: S608
        return {row[0]: row[1] for row in found}

    def size(self, path: Path) -> int:
        """Number of rows of a file."""
        return int(self._connection.execute(f"SELECT count(*) FROM {_read(path)}").fetchall()[0][0])  # noqa: S608

    def rows(self, path: Path) -> Iterator[dict[str, Any]]:
        """Rows of a file as records, without the columns that loaders add."""
        answer = self._connection.execute(f"SELECT * FROM {_read(path)}")  # noqa: S608
        names = [column[0] for column in answer.description or []]
        while rows := answer.fetchmany(1000):
            for row in rows:
                yield {name: value for name, value in zip(names, row, strict=True) if name not in ADDED}

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()


def _read(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"
