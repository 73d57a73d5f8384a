"""Inputs as tables: those of the warehouse stay where they are, CSV files are loaded beside what holds persons."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from . import project
from .connection import Connection, connect
from .errors import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .settings import Settings


def tables(settings: Settings) -> dict[str, str]:
    """Return the table of each input that is given; load those that are CSV files, every cell as text.

    Raises:
        Failed: A file or a column of the contract is not there.
    """
    found = {}
    files = {}
    for name, where in settings.inputs.items():
        if where.lower().endswith(".csv"):
            files[name] = Path(where)
        else:
            found[name] = where
    if files:
        headers = {name: _header(name, path) for name, path in files.items()}
        with connect(settings) as connection:
            for name, path in files.items():
                found[name] = _load(connection, name, path, headers[name])
    return found


def _header(name: str, path: Path) -> list[str]:
    """Return the columns of a file, after a check that the contract's are there."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = [cell.strip() for cell in next(csv.reader(file), [])]
    except FileNotFoundError:
        raise Failed(f"input {name}: no file {path.name}") from None
    except (OSError, UnicodeDecodeError, csv.Error):
        raise Failed(f"input {name}: {path.name} cannot be read as CSV in UTF-8") from None
    known = {column.lower() for column in header}
    for column, its in project.inputs()[name].items():
        if column not in known and not its.get("config", {}).get("meta", {}).get("may_be_missing"):
            raise Failed(f"input {name} has no column {column}, which the marts need")
    return header


def _load(connection: Connection, name: str, path: Path, header: list[str]) -> str:
    """Load the columns of the contract, and return the table's name."""
    wanted = {column.lower(): index for index, column in enumerate(header) if column.lower() in project.inputs()[name]}

    def rows() -> Iterator[list[str]]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            next(lines)
            for number, line in enumerate(lines, 2):
                if not line:
                    continue
                if len(line) != len(header):
                    raise Failed(
                        f"input {name}: {path.name}, line {number}: {len(line)} cells in place of {len(header)}"
                    )
                yield [line[index] for index in wanted.values()]

    try:
        return connection.replace(f"csv_{name}", list(wanted), rows())
    except (UnicodeDecodeError, csv.Error):
        raise Failed(f"input {name}: {path.name} cannot be read as CSV in UTF-8") from None
