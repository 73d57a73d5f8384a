"""Texts that hold a single value: true or false, numbers, years."""

from __future__ import annotations

import math
import re
from typing import Any, TypeAlias

Reading: TypeAlias = tuple[Any, str | None]
"""A value, and the rule that the source broke when it wrote the value, if any."""

NULL = "NULL"
NULL_RULE = "the text NULL"
NUL_RULE = "text with a NUL character"
BLANKS = "blanks for nothing"
BLANKS_AROUND = "blanks around an id"
NO_ID = "reference without sourcedId"

_LOSSES = ("unreadable ", "date whose ", "element that ")
_BIGGEST = 2**63
_TRUE_FALSE: dict[str, bool] = {"true": True, "false": False}
_OTHER_TRUE_FALSE: dict[str, bool] = {
    **dict.fromkeys(("1", "yes", "y", "t"), True),
    **dict.fromkeys(("0", "no", "n", "f"), False),
}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d{1,2}", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)
_YEARS = re.compile(r"\d{4}\s*[-/\u2013]\s*(\d{4}|\d{2})", re.ASCII)


def is_loss(rule: str) -> bool:
    """True if the rule means that the source held a value that could not be read."""
    return rule.rpartition(": ")[2].startswith(_LOSSES)


def read_true_false(value: str | bool) -> Reading:
    """Return a boolean, also if it is written in other words."""
    if isinstance(value, bool):
        return value, None
    if value in _TRUE_FALSE:
        return _TRUE_FALSE[value], None
    word = value.strip().lower()
    found = _TRUE_FALSE.get(word, _OTHER_TRUE_FALSE.get(word))
    return found, "unreadable true or false" if found is None else "true or false in other words"


def read_number(value: str | float) -> Reading:
    """Return a finite number."""
    rule = None
    if isinstance(value, str):
        value = value.strip()
        if _DECIMAL_COMMA.fullmatch(value):
            # A comma followed by one or two digits cannot be a thousands separator.
            value, rule = value.replace(",", "."), "decimal comma"
        if not _NUMBER.fullmatch(value):
            return None, "unreadable number"
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    return (found, rule) if math.isfinite(found) else (None, "unreadable number")


def read_integer(value: str | float) -> Reading:
    """Return a whole number of 64 bits."""
    found, rule = read_number(value)
    if found is None or not found.is_integer():
        return None, "unreadable integer"
    try:
        exact = int(value)
    except ValueError:  # has a fraction or an exponent
        exact = int(found)
    return (exact, rule) if -_BIGGEST <= exact < _BIGGEST else (None, "unreadable integer")


def read_year(text: str) -> Reading:
    """Return a year as text; a range of years passes unchanged."""
    year = text.strip()
    if _YEAR.fullmatch(year):
        return year, None
    return text, "range of years" if _YEARS.fullmatch(year) else "unreadable year"


def number_text(value: float) -> str:
    """Return the decimal text of a number: with a dot, without exponent or trailing zeros."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return repr(value)
    if value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    text = repr(value)
    return text if "e" not in text else f"{value:.20f}".rstrip("0").rstrip(".")
