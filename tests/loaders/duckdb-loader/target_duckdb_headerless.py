"""target-duckdb 0.8.0, told that its batches have no header row.

It hands every batch to DuckDB as a CSV file and leaves the dialect to be guessed. From DuckDB 1.1 on, the guess takes
the first row for a header now and then, and that row is lost without a word. Upstream has mended it and not released
it yet; DuckDB 1.0.0, which guesses better, has no builds for Python 3.13 and newer. When a release has the change,
this folder goes, and meltano.yml names that release.
"""

from __future__ import annotations

from typing import Any

import target_duckdb

GUESSED = r"WITH (new_line '\r\n')"
TOLD = r"""WITH (auto_detect false, header false, delimiter ',', quote '"', escape '"', new_line '\r\n')"""


class Connection:
    """A connection to DuckDB that reads batches in the dialect in which they were written."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, query: str, *arguments: Any) -> Any:
        """Run a statement, a COPY in the dialect that is known."""
        if query.startswith("COPY "):
            if not query.endswith(GUESSED):
                raise RuntimeError("this is not the target-duckdb that the change was made for")
            query = query.removesuffix(GUESSED) + TOLD
        return self._connection.execute(query, *arguments)


def main() -> None:
    """Run target-duckdb over such connections."""
    connect = target_duckdb.duckdb_connect
    target_duckdb.duckdb_connect = lambda config: Connection(connect(config))
    target_duckdb.main()
