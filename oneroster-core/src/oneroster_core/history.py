"""How a warehouse keeps the versions of rows, and how those who read it open it: read-only, within a memory limit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import duckdb

from .sql import is_busy, literal, quoted, when_free

HISTORY = "_history"
"""Suffix of the table with the versions of a table's rows."""
FIRST_LOAD, ENDED_LOAD = "_sdc_first_load", "_sdc_ended_load"
"""Numbers of the loads in which a version began, and ended."""
STORE_VERSION = 2
"""Version of the audit's store, which the release reads."""

Fault = Literal["busy", "newer", "damaged"]


def reader(spill: str, memory: str) -> duckdb.DuckDBPyConnection:
    """Return a connection without a file of its own that spills to the folder `spill` beyond `memory`."""
    return duckdb.connect(
        config={
            "memory_limit": memory,
            "threads": 2,
            "temp_directory": spill,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )


def attach(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    name: str,
    fault: Callable[[Fault], Exception],
    *,
    read_only: bool = True,
) -> None:
    """Attach a file under a name; wait some seconds while it is open elsewhere. If that fails, raise what `fault` returns."""

    def kind(words: str) -> Exception:
        is_newer = "version number" in words or "newer version" in words
        return fault("busy" if is_busy(words) else "newer" if is_newer else "damaged")

    statement = f"ATTACH {literal(str(path))} AS {quoted(name)}{' (READ_ONLY)' if read_only else ''}"
    when_free(path, lambda: connection.execute(statement), kind)
