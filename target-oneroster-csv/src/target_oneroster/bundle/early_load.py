"""Loads rows of Parquet files when the files come, so that they are read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from .._core.sql import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._core.sql import Engine
    from .staging import FileStage

LOADED_AT_ONCE = 4_000_000
"""Number of records of all files that the memory of an engine holds, including spilled data."""
_ODD = "a row for the way of records"


class EarlyLoad:
    """Fills the tables of stages. The files of one stage are one transaction: many small ones would copy rows twice."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        """`engine` opens the engine at the first call."""
        self._engine = engine
        self._stage: FileStage | None = None

    def insert(self, stage: FileStage, row_id: str, cells: list[str], odd: str, source: str) -> int | None:
        """Add the rows of a FROM clause to the table of a stage and return their number.

        If a row is `odd`, add none and return None; the table then lacks rows that it had. `row_id` and `cells` are SQL.
        """
        engine = self._engine()
        if self._stage is not stage:
            self.end()
            engine.run("BEGIN")
            self._stage = stage
        table = quoted(stage.file.name)
        into = f"INSERT INTO {table}" if stage.loaded else f"CREATE OR REPLACE TABLE {table} AS"
        first = f'CASE WHEN {odd} THEN error({literal(_ODD)}) ELSE {row_id} END AS "sourcedId"'
        try:
            return engine.one(f"{into} SELECT {', '.join([first, *cells])} FROM {source}")
        except duckdb.InvalidInputException as error:
            if _ODD not in str(error):
                raise
            self._stage = None
            engine.run("ROLLBACK")
            return None

    def end(self) -> None:
        """Complete the last table."""
        if self._stage:
            self._stage = None
            self._engine().run("COMMIT")
