"""Cells of the CSV binding, made from the values of a row."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ._core.model import Field, File, Kind, Version

if TYPE_CHECKING:
    from collections.abc import Callable

    from .rows import Row

_TEXTS = frozenset({Kind.GUID, Kind.REF, Kind.ID, Kind.STRING, Kind.WORD, Kind.DATE, Kind.DATETIME, Kind.YEAR})


def _true_false(value: bool | None) -> str:
    return "" if value is None else "true" if value else "false"


def _words(value: list[str] | None) -> str:
    return ",".join(value or ())


def _number(value: float | None) -> str:
    # Decimal text without exponent or trailing zeros.
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")


def _user_ids(value: list[dict[str, str]] | None) -> str:
    return ",".join(f"{{{item['type']}:{item['identifier']}}}" for item in value or ())


def _scale_values(value: list[dict[str, str]] | None) -> str:
    return ",".join(f"{{{item['itemValueLHS']}:{item['itemValueRHS']}}}" for item in value or ())


_CELLS: dict[Kind, Callable[[Any], str]] = {
    Kind.TRUE_FALSE: _true_false,
    Kind.REFS: _words,
    Kind.STRINGS: _words,
    Kind.WORDS: _words,
    Kind.INTEGER: _number,
    Kind.NUMBER: _number,
    Kind.USER_IDS: _user_ids,
    Kind.SCALE_VALUES: _scale_values,
}


def header(file: File, version: Version, metadata: tuple[str, ...]) -> list[str]:
    """Return the header row: the standard's columns, then those of metadata."""
    return [*file.header(version), *(f"metadata.{key}" for key in metadata)]


def row_writer(
    file: File, version: Version, metadata: tuple[str, ...], *, blank_stamps: bool
) -> Callable[[Row], list[Any]]:
    """Return a function that turns a row into the cells of its line.

    Texts are passed to the CSV writer unchanged, which writes None as an empty cell; other values are converted.
    """
    columns: tuple[Field, ...] = file.columns(version)
    get = itemgetter(*(column.name for column in columns))
    conversions = [(n, _CELLS[column.kind]) for n, column in enumerate(columns) if column.kind not in _TEXTS]
    stamps = [n for n, column in enumerate(columns) if column.blank_in_bulk] if blank_stamps else []

    def cells(row: Row) -> list[Any]:
        values = list(get(row))
        for n in stamps:
            values[n] = ""
        for n, convert in conversions:
            values[n] = convert(values[n])
        if metadata:
            own = row["metadata"] or {}
            values += [own.get(key, "") for key in metadata]
        return values

    return cells
