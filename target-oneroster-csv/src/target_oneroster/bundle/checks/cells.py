"""Rules for the text of one cell, from the model: required, type, vocabulary; SQL conditions that are true if broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._core.model import Field, File, Kind, Version, Vocabulary
from ..._core.sql import literal, quoted
from .findings import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

EMPTY = "a required cell is empty"

Rule = tuple[Severity, str, str, str]
"""Severity, field, rule, and the SQL condition of a row that breaks it."""

_GUID = r"[0-9A-Za-z./@_-]{1,255}"
_NO_ID = "is not an id (1 to 255 of letters, digits and . - _ / @)"
_EXTENSION = r"ext:[A-Za-z0-9._-]+"
_UTC_MILLISECONDS = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z"
_PAIR = r"\{[^{},:]+:[^{},]*\}"


def _is(pattern: str, column: str = "{0}") -> str:
    return f"regexp_full_match({column}, {literal(pattern)})"


# The valid form of a cell that is not blank: in words, and as SQL for the column {0}. The engine may look at blank cells,
# too, and a cast that fails is slow: it casts NULL instead.
_TYPES: dict[Kind, tuple[str, str]] = {
    Kind.GUID: (_NO_ID, _is(_GUID)),
    Kind.REF: (_NO_ID, _is(_GUID)),
    Kind.REFS: ("holds an element that is not an id", _is(f"{_GUID}(,{_GUID})*")),
    Kind.TRUE_FALSE: ("is not true or false", "{0} IN ('true', 'false')"),
    Kind.DATE: ("is not a date (YYYY-MM-DD)", "(length({0}) = 10 AND try_cast(nullif({0}, '') AS DATE) IS NOT NULL)"),
    Kind.DATETIME: (
        "is not a date and time (YYYY-MM-DDTHH:MM:SS.sssZ)",
        f"({_is(_UTC_MILLISECONDS)} AND try_cast(nullif({{0}}, '') AS TIMESTAMP) IS NOT NULL)",
    ),
    Kind.YEAR: ("is not a year (YYYY)", _is("[0-9]{4}")),
    Kind.INTEGER: ("is not a whole number", _is("-?(0|[1-9][0-9]*)")),
    Kind.NUMBER: ("is not a decimal number", _is("-?[0-9]+([.][0-9]+)?")),
    Kind.USER_IDS: ("holds an element that is not {type:identifier}", _is(f"{_PAIR}(,{_PAIR})*")),
    Kind.SCALE_VALUES: ("holds an element that is not {left:right}", _is(f"{_PAIR}(,{_PAIR})*")),
}


def _word(words: Vocabulary, version: Version, column: str) -> str:
    legal = ", ".join(literal(word) for word in words.of(version))
    extension = words.extensible and version == Version.V1_2
    if extension:  # CASE searches only the other words for the extension
        return f"CASE WHEN {column} IN ({legal}) THEN true ELSE {_is(_EXTENSION, column)} END"
    return f"({column} IN ({legal}))"


def _valid(field: Field, version: Version, *, looked_up: bool) -> tuple[str, str] | None:
    """Return the valid form of a cell that is not blank, in words and as SQL; None if any text is valid.

    The text of a reference is not checked if the reference is `looked_up`.
    """
    column, kind = quoted(field.name), field.csv_kind or field.kind
    if field.words and kind == Kind.WORDS:
        each = _word(field.words, version, "word")
        legal = f"len(list_filter(string_split({column}, ','), lambda word: NOT {each})) = 0"
        return "holds a word that is not of the vocabulary", legal
    if field.words:
        return "is not a word of the vocabulary", _word(field.words, version, column)
    if kind not in _TYPES or (field.refers_to and looked_up):
        return None
    text, condition = _TYPES[kind]
    return text, condition.replace("{0}", column)


def cell_rules(file: File, version: Version, *, bulk: Collection[str]) -> Iterator[Rule]:
    """Yield the rules for all columns of a file; a bad required cell removes the row, an optional one only the value."""
    in_bulk = file.name in bulk
    for field in file.columns(version):
        if field.blank_in_bulk and in_bulk:
            continue
        column = quoted(field.name)
        required = version in field.required or field.blank_in_bulk
        if required:
            yield Severity.ROW, field.name, EMPTY, f"{column} = ''"
        if valid := _valid(field, version, looked_up=in_bulk and field.refers_to in bulk):
            rule, condition = valid
            severity = Severity.ROW if required else Severity.VALUE
            yield severity, field.name, rule, f"{column} <> '' AND NOT {condition}"
