"""What a Parquet file of a batch holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from .._core.sql import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_MOMENT = "TIMESTAMP WITH TIME ZONE"


class ParquetBatch:
    """Inspects Parquet files, with a database of its own."""

    def __init__(self, left_out: Collection[str] = ()) -> None:
        """Records are read without the columns `left_out`."""
        self._left_out = frozenset(left_out)
        self._connection = duckdb.connect(
            config={"threads": 1, "preserve_insertion_order": True, "enable_external_file_cache": False}
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query and return its rows."""
        return self._connection.execute(sql).fetchall()

    def columns(self, path: Path) -> dict[str, str]:
        """Return the columns of a file and their types."""
        found = self._connection.execute(f"DESCRIBE SELECT * FROM {read_parquet(path)}").fetchall()
        return {row[0]: row[1] for row in found}

    def size(self, path: Path) -> int:
        """Return the number of rows of a file."""
        return int(self._connection.execute(f"SELECT count(*) FROM {read_parquet(path)}").fetchall()[0][0])

    def rows(self, path: Path) -> Iterator[dict[str, Any]]:
        """Yield the rows of a file as records."""
        # As text, because for a datetime with a zone DuckDB needs pytz, which is not a dependency.
        moments = ", ".join(
            f"strftime({name} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ') AS {name}"
            for name in (quoted(column) for column, kind in self.columns(path).items() if kind == _MOMENT)
        )
        columns = f"* REPLACE ({moments})" if moments else "*"
        answer = self._connection.execute(f"SELECT {columns} FROM {read_parquet(path)}")
        names = [column[0] for column in answer.description or []]
        while rows := answer.fetchmany(1000):
            for row in rows:
                yield {name: value for name, value in zip(names, row, strict=True) if name not in self._left_out}

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


def read_parquet(path: Path, *, numbered: bool = False) -> str:
    """Return a FROM clause of a Parquet file; with `numbered`, each row has its number, from 0, as `file_row_number`."""
    return f"read_parquet({literal(str(path))}{', file_row_number = true' if numbered else ''})"
