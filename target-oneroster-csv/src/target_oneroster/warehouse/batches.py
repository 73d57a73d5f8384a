"""BATCH with Parquet: files of rows, local or at a URL that fsspec supports, which are checked before they are loaded."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from .._core.errors import StoreError
from .._core.sql import literal, quoted
from .._core.stores.open import open_store
from ..errors import TargetError
from .schema import ADDED

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BatchFile", "ParquetBatch"]

_MOMENT = "TIMESTAMP WITH TIME ZONE"


class BatchFile:
    """One file of a batch."""

    def __init__(self, url: str, stream: str) -> None:
        self._stream = stream
        try:
            self._fs, self._path = open_store(url, {}, setting="the environment", package="target-oneroster-csv")
        except StoreError as error:
            raise self._fault(str(error)) from None
        self.is_local = "file" in (self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,))

    def local(self, folder: Path) -> Path:
        """Return the file's path, or the path of a copy in `folder`."""
        if self.is_local:
            return Path(self._path)
        copy = folder / Path(self._path).name
        try:
            self._fs.get_file(self._path, str(copy))
        except Exception as error:  # the exception types depend on the store
            raise self._fault(type(error).__name__) from None
        return copy

    def remove(self) -> None:
        """Delete the file after its rows are loaded; ignore errors."""
        with suppress(Exception):
            self._fs.rm_file(self._path)

    def _fault(self, reason: str) -> TargetError:
        return TargetError(f"A file of a batch of {self._stream} cannot be read ({reason}). Nothing was loaded.")


class ParquetBatch:
    """Inspects Parquet files with its own database, because the loader's thread uses the other one."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1})

    def columns(self, path: Path) -> dict[str, str]:
        """Return the columns of a file and their types."""
        found = self._connection.execute(f"DESCRIBE SELECT * FROM {_read(path)}").fetchall()
        return {row[0]: row[1] for row in found}

    def size(self, path: Path) -> int:
        """Return the number of rows of a file."""
        return int(self._connection.execute(f"SELECT count(*) FROM {_read(path)}").fetchall()[0][0])

    def rows(self, path: Path) -> Iterator[dict[str, Any]]:
        """Yield the rows of a file as records, without the columns that loaders add."""
        # As text, because for a datetime with a zone DuckDB needs pytz, which is not a dependency.
        moments = ", ".join(
            f"strftime({name} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ') AS {name}"
            for name in (quoted(column) for column, kind in self.columns(path).items() if kind == _MOMENT)
        )
        columns = f"* REPLACE ({moments})" if moments else "*"
        answer = self._connection.execute(f"SELECT {columns} FROM {_read(path)}")
        names = [column[0] for column in answer.description or []]
        while rows := answer.fetchmany(1000):
            for row in rows:
                yield {name: value for name, value in zip(names, row, strict=True) if name not in ADDED}

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


def _read(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"
