"""How numbers, grades and days are written on a page, and the words for what is hidden or was not given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
FEWER = "fewer than {}"
_GRADES = {
    "all": "All grades", "KG": "Kindergarten", "PK": "Prekindergarten", "TK": "Transitional kindergarten", "PR": "Preschool",
    "IT": "Infants and toddlers", "UG": "Ungraded", "PS": "After grade 12", "not stated": "Grade not stated",
}  # fmt: skip
_BEFORE = ("IT", "PR", "PK", "TK", "KG")
INPUTS = {
    "attendance": ("No attendance was given", "so nothing is said of who stays away"),
    "calendar_days": ("No calendar of school days was given", "so the weekdays of the terms are taken"),
    "final_grades": (
        "No final grades were given",
        "so pass rates come from line items of final categories, if there are any",
    ),
    "licences": ("No licences were given", "so nothing is said of seats that are paid for"),
    "lms_memberships": (
        "No memberships of a learning platform were given",
        "so nothing is said of classes that are out of step",
    ),
    "staff_fte": ("No full-time equivalents of staff were given", "so the loads of teachers are not set against them"),
    "vendor_activity": ("No activity of vendors was given", "so nothing is said of who uses what"),
}
"""What is said where an input is not given, and what follows."""


def fewer(small: int) -> str:
    """Return the words that stand in place of a hidden number."""
    return FEWER.format(small)


def file_of(school: str) -> str:
    """Return the name of a school's file: its id, with what a file system or an address may not have written in hex."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else f"~{ord(c):x}~" for c in school) + ".html"


def grade(code: str) -> str:
    """Return the words for a grade of CEDS."""
    return _GRADES.get(code) or (f"Grade {int(code)}" if code.isdigit() else f"Grade {code}")


def grade_order(code: str) -> tuple[int, int, str]:
    """Return by what grades are ordered: those before school, 1 to 13, others, not stated."""
    if code in _BEFORE:
        return (0, _BEFORE.index(code), code)
    return (1, int(code), code) if code.isdigit() else (3 if code == "not stated" else 2, 0, code)


def count(value: Any) -> str:
    """Return a whole number; a dash for none."""
    return NONE if value is None else f"{value:,.0f}"


def percent(value: float | None, n: float | None = None, digits: int = 0) -> str:
    """Return a percent; of fewer than `n` = 40, 95 and 5 stand for more and less. Rates in `shared` are whole."""
    if value is None:
        return NONE
    if n is not None and n < 40 and value in (95, 5):
        return f"{value:.0f} % or {'more' if value == 95 else 'less'}"
    return f"{value:.{0 if value == int(value) else digits}f} %"


def points(value: float | None) -> str:
    """Return a difference of percents in points, with its sign."""
    return NONE if value is None else f"{_sign(value)}{abs(value):.1f} points"


def moved(now: float | None, before: float | None, *, is_rate: bool) -> str:
    """Return how a number moved since last week; empty where one of the two is not known."""
    if now is None or before is None:
        return ""
    change = now - before
    if abs(change) < (0.05 if is_rate else 0.5):
        return "as last week"
    return f"{points(change) if is_rate else _sign(change) + count(abs(change))} since last week"


def _sign(value: float) -> str:
    return "+" if value > 0 else MINUS if value < 0 else "\N{PLUS-MINUS SIGN}"


def day(value: date | None) -> str:
    """Return a day as 16 November 2026; a dash for none."""
    return NONE if value is None else f"{value.day} {value:%B %Y}"


def group(word: str) -> str:
    """Return a demographic or a value of it in words."""
    return {"race_ethnicity": "Race and ethnicity", "sex": "Sex"}.get(word, word.replace("_", " "))


def not_given(name: str) -> str:
    """Return the sentence for an input that is not given."""
    what, follows = INPUTS.get(name, (f"No {name.replace('_', ' ')} was given", "so nothing is said of it"))
    return f"{what}, {follows}."


def plural(value: float, one: str, many: str) -> str:
    """Return a number with its noun."""
    return f"{count(value)} {one if value == 1 else many}"
