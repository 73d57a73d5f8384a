"""What the marts of a made-up district have to hold, counted in Python from the generator's own rows, without the project's SQL."""

from __future__ import annotations

from typing import Any

from .moves import Moves
from .next_steps import NextSteps
from .roster import Roster
from .rows import Row, Rows
from .usage import Usage


class Truth(Roster, Moves, Usage, NextSteps):
    """The rows that each mart has to have: a method a mart."""


MARTS = sorted(
    name
    for part in (Roster, Moves, Usage, *NextSteps.__mro__[:2])
    for name in vars(part)
    if not name.startswith("_") and name not in {*vars(Rows), "flags"}
)


def rounded(value: Any) -> Any:
    """A value to six digits, with 3 for 3.0, so that warehouses can be compared."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    number = round(float(value), 6)
    return int(number) if number == int(number) else number


def differences(mart: str, rows: list[Row], expected: list[Row]) -> list[str]:
    """What only the mart has, and what only the truth has; columns and rows of which the truth says nothing are left out."""
    if mart == "worklist":
        found = [row for row in rows if row["status"] in ("new", "still")]
        rows = [row | {"flags": ",".join(sorted(set(row["flags"].split(","))))} for row in found]
    elif mart == "feed_health":
        rows = [row for row in rows if row["arrived"]]
    elif mart == "activity_gap":
        told = {(row["product"], row["school_id"]) for row in expected}
        rows = [
            row
            for row in rows
            if (row["product"], row["school_id"], row["grade"], row["class_id"])
            in {(*its, "all", "all") for its in told}
        ]
    columns = {frozenset(row) for row in expected}
    widest = max(columns, key=len, default=frozenset())
    if mart == "school_cockpit":  # the worklist of earlier weeks is not told
        today = max(row["week"] for row in expected)
        rows = [{key: row[key] for key in widest if key != "on_worklist" or row["week"] == today} for row in rows]
    ours = {_text(row, widest) for row in rows}
    theirs = {_text(row, widest) for row in expected}
    return [f"mart: {its}" for its in sorted(ours - theirs)] + [f"truth: {its}" for its in sorted(theirs - ours)]


def _text(row: Row, columns: frozenset[str]) -> str:
    return str({name: rounded(row[name]) for name in sorted(columns) if name in row})
