"""A picture of the marts and of the dimensions that their columns refer to, in SVG, from the YAML files of the dbt project.

Dimensions stand in the middle, each with a line down; marts stand at both sides, and a dot is where a column meets the line of
the dimension that it refers to. `python -m tools.derive` writes it to docs/assets/marts.svg.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import yaml

MODELS = Path(__file__).resolve().parents[1] / "oneroster-marts" / "models"
REFERS = {
    "school_id": ("dim_school", "school_id"),
    "from_school_id": ("dim_school", "school_id"),
    "to_school_id": ("dim_school", "school_id"),
    "course_id": ("dim_course", "course_id"),
    "class_id": ("dim_class", "class_id"),
    "term_id": ("dim_session", "session_id"),
    "teacher_id": ("dim_person", "user_id"),
    "student_id": ("dim_person", "person_id"),
}
"""Model and column that a column of a mart refers to."""
OWN = {"contract_id"}
"""Ids that no dimension has."""
DIMENSIONS = {
    "dim_school": "#1565c0",
    "dim_course": "#2e7d32",
    "dim_class": "#ad1457",
    "dim_session": "#bf5000",
    "dim_person": "#6a1b9a",
}
"""Dimensions from left to right, each with its colour."""
HEAD, LINE, PAD, GAP, BOX, LANE = 26, 18, 10, 16, 236, 120
TOP = 56
"""Where the marts begin, so that no line runs behind a dimension."""


@dataclass(frozen=True, slots=True)
class Mart:
    """A mart: its key, the columns that refer to a dimension, and how many others it has."""

    name: str
    key: tuple[str, ...]
    refers: tuple[str, ...]
    others: int
    is_shared: bool

    @property
    def rows(self) -> tuple[str, ...]:
        """The columns that are shown: the key, and then those that refer to a dimension."""
        return (*self.key, *(name for name in self.refers if name not in self.key))

    @property
    def height(self) -> int:
        """Height of the box, in pixels."""
        return HEAD + LINE * (len(self.rows) + (self.others > 0)) + 8


@cache
def marts() -> list[Mart]:
    """Return the marts by name."""
    found = []
    for path in sorted((MODELS / "marts").glob("*.sql")):
        described = yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))["models"]
        (model,) = [its for its in described if its["name"] == path.stem]
        columns = [column["name"] for column in model["columns"]]
        key = _key(model)
        refers = tuple(name for name in columns if name in REFERS)
        is_shared = (MODELS / "shared" / f"shared_{path.stem}.sql").exists()
        found.append(Mart(path.stem, key, refers, len(set(columns) - {*key, *refers}), is_shared))
    return found


def _key(model: dict[str, Any]) -> tuple[str, ...]:
    """Return the columns of which the project tests that no two rows have the same values."""
    for test in model.get("data_tests", ()):
        if isinstance(test, dict) and "unique_together" in test:
            return tuple(test["unique_together"]["arguments"]["columns"])
    return tuple(column["name"] for column in model["columns"] if "unique" in column.get("data_tests", ()))


def svg() -> str:
    """Return the picture."""
    sides: tuple[list[Mart], list[Mart]] = ([], [])
    for mart in marts():  # to the side that is shorter so far
        min(sides, key=_height).append(mart)
    lanes = {name: BOX + 30 + LANE * (number + 0.5) for number, name in enumerate(DIMENSIONS)}
    width = 2 * (BOX + 30) + LANE * len(DIMENSIONS)
    height = max(_height(side) for side in sides) + 10
    parts = [_line(f"M{x:.0f} 60V{height - 10}", DIMENSIONS[name], 3) for name, x in lanes.items()]
    for side, x in zip(sides, (10, width - BOX - 10), strict=True):
        y = TOP
        for mart in side:
            parts.append(_box(mart, x, y, lanes))
            y += mart.height + GAP
    parts += [_head(name, x) for name, x in lanes.items()]
    text = (
        "Each mart with its key and the columns by which it refers to schools, courses, classes, sessions and persons."
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
        f"<title>The marts</title>\n<desc>{text}</desc>\n<style>{STYLE}</style>\n"
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


STYLE = (
    "text{font:12px/1 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#222}"
    ".head{fill:#fff;font-weight:bold}.key{font-weight:bold}.more{font-style:italic;fill:#555}"
)


def _height(side: list[Mart]) -> int:
    return TOP + sum(mart.height + GAP for mart in side)


def _box(mart: Mart, x: int, y: int, lanes: dict[str, float]) -> str:
    """Return a mart, and a line from each column that refers to a dimension; what is restricted only has a broken border."""
    drawn = []
    row_y = {name: y + HEAD + LINE * (number + 0.5) + 3 for number, name in enumerate(mart.rows)}
    for name in mart.refers:
        dimension, column = REFERS[name]
        edge, lane = (x + BOX if x < lanes[dimension] else x), lanes[dimension]
        drawn.append(
            _line(
                f"M{edge} {row_y[name]:.0f}H{lane:.0f}",
                DIMENSIONS[dimension],
                1.5,
                f"{mart.name}.{name}: {dimension}.{column}",
            )
        )
        drawn.append(f'<circle cx="{lane:.0f}" cy="{row_y[name]:.0f}" r="4.5" fill="{DIMENSIONS[dimension]}"/>')
    border = "" if mart.is_shared else ' stroke-dasharray="5 3"'
    drawn.append(
        f'<rect x="{x}" y="{y}" width="{BOX}" height="{mart.height}" rx="4" fill="#fff" stroke="#455a64"{border}/>'
    )
    drawn.append(f'<rect x="{x}" y="{y}" width="{BOX}" height="{HEAD}" rx="4" fill="#455a64"/>')
    drawn.append(_text(mart.name, x + PAD, y + 17, "head"))
    for name, at in row_y.items():
        drawn.append(_text(name, x + PAD, at + 4, "key" if name in mart.key else "ref"))
    if mart.others:
        drawn.append(_text(f"and {mart.others} more", x + PAD, y + mart.height - 9, "more"))
    return "\n".join(drawn)


def _head(name: str, x: float) -> str:
    """Return a dimension with the columns that are referred to."""
    columns = sorted({column for model, column in REFERS.values() if model == name})
    left, width = x - LANE / 2 + 4, LANE - 8
    return "\n".join(
        [
            f'<rect x="{left:.0f}" y="10" width="{width}" height="{HEAD + LINE * 2 + 6}" rx="4" fill="#fff" stroke="{DIMENSIONS[name]}"/>',
            f'<rect x="{left:.0f}" y="10" width="{width}" height="{HEAD}" rx="4" fill="{DIMENSIONS[name]}"/>',
            _text(name, left + PAD, 27, "head"),
            *(_text(column, left + PAD, 10 + HEAD + LINE * (n + 0.5) + 7, "key") for n, column in enumerate(columns)),
        ]
    )


def _line(path: str, colour: str, width: float, title: str = "") -> str:
    inside = f"><title>{escape(title)}</title></path>" if title else "/>"
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{inside}'


def _text(text: str, x: float, y: float, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'
