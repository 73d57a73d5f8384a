"""The forms of a fleet file as text: where each key stands. One YAML or JSON file, a folder of them, CSV, a table."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.lined_file import LinedFile
from ..errors import Misconfigured
from ..secrets import resolve_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FIRST_DISTRICT_LINE = 2
"""A generated file has one district on each line, from this line on."""


@dataclass(frozen=True, slots=True)
class Source:
    """A mapping of a file, and the lines of its keys."""

    file: str
    values: dict[str, Any]
    lines: dict[tuple[str | int, ...], int]
    prefix: tuple[str | int, ...] = ()
    default_line: int = 1

    def line(self, *path: str | int) -> int:
        """Return the line of a key, or of the nearest one above it."""
        whole = (*self.prefix, *path)
        while whole and whole not in self.lines:
            whole = whole[:-1]
        return self.lines.get(whole, self.default_line) if whole else self.default_line

    def inner(self, *path: str | int) -> Source:
        """Return the mapping at a path."""
        values: Any = self.values
        for name in path:
            values = values[name]
        return Source(self.file, values, self.lines, (*self.prefix, *path), self.line(*path))


def read_yaml(path: Path) -> Source:
    """Read one file of YAML, or one that `oneroster-fleet dag` generated (JSON)."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Misconfigured(
            f"{path.name}: no such file; name one, or set ONEROSTER_FLEET_FILE. docs/fleet.md begins with one"
        ) from None
    except (OSError, UnicodeDecodeError):
        raise Misconfigured(f"{path.name}: cannot be read") from None
    if path.suffix == ".json":
        return _read_json(path.name, text)
    file = LinedFile(path.name, text, Misconfigured)
    if not isinstance(file.content, dict):
        raise Misconfigured(f"{path.name}:1: a fleet file is a list of keys and values")
    return Source(path.name, file.content, file.lines)


def _read_json(name: str, text: str) -> Source:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise Misconfigured(f"{name}:1: not JSON") from None
    if not isinstance(values, dict):
        raise Misconfigured(f"{name}:1: a fleet file is a list of keys and values")
    districts = values.get("districts")
    count = len(districts) if isinstance(districts, list) else 0
    return Source(name, values, {("districts", n): n + FIRST_DISTRICT_LINE for n in range(count)})


def csv_entries(path: Path) -> Iterator[Source]:
    """Yield the districts of a CSV file; names of columns with dots are nested."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            _refuse_twice(f"{path.name}:1", rows.fieldnames or ())
            for row in rows:
                if None in row or None in row.values():
                    raise Misconfigured(f"{path.name}:{rows.line_num}: a row has more or fewer cells than the header")
                cells = {str(key): value for key, value in row.items() if value.strip()}
                if cells:
                    yield Source(path.name, nested(path.name, rows.line_num, cells), {}, default_line=rows.line_num)
    except FileNotFoundError:
        raise Misconfigured(f"{path.name}: no such file; `districts: {{csv: …}}` names it") from None
    except (OSError, UnicodeDecodeError, csv.Error):
        raise Misconfigured(f"{path.name}: cannot be read as CSV in UTF-8") from None


def _refuse_twice(place: str, names: Sequence[str]) -> None:
    """Raise Misconfigured if two columns have one name: one of them would be passed over."""
    known: set[str] = set()
    for name in (name.strip() for name in names):
        if name in known:
            raise Misconfigured(f"{place}: two columns are called {' '.join(name.split())[:60]}")
        known.add(name)


def nested(file: str, line: int, cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its dotted names as mappings; texts become what they mean."""
    found: dict[str, Any] = {}
    for name, value in cells.items():
        *outer, last = name.strip().split(".")
        place = found
        for part in outer:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise Misconfigured(f"{file}:{line}: column {name} and column {part} do not go together")
        place[last] = _value(name, value)
    return found


def _value(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if name == "retries" and text.isdigit():
        return int(text)
    if name in ("hold.until", "secrets_expire"):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    if name in ("select", "blackout", "pass_to_loader") and not text.startswith("["):
        return [word.strip() for word in text.split(",") if word.strip()]
    if text[:1] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def table_entries(url: str, query: str, environment: Mapping[str, str]) -> Iterator[Source]:
    """Yield the districts of a table, which a query of its database returns. Lines are rows, from 1 on."""
    address = resolve_text("districts.table", url, environment)
    for number, row in enumerate(_rows(address, query), 1):
        cells = {k: v for k, v in row.items() if v is not None and v != ""}
        yield Source("table", nested("table", number, cells), {}, default_line=number)


def _rows(address: str, query: str) -> list[dict[str, Any]]:
    if not address.startswith(("postgresql://", "postgres://")):
        raise Misconfigured("districts.table: must be postgresql://… or env:NAME")
    from ..stores.connect import connect

    with connect(address, "districts.table") as connection:
        try:
            cursor = connection.execute(query)
            names = [column.name for column in cursor.description or ()]
            _refuse_twice("districts.query", names)
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except Misconfigured:
            raise
        except Exception as error:  # the database's words may hold values
            raise Misconfigured(f"districts.query: the database refused it ({type(error).__name__})") from None
