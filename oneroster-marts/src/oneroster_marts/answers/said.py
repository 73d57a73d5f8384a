"""The sentence of an answer, and numbers with their unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .asked import Asked
    from .metrics import Metric
    from .query import Answers


def value_of(value: float | None, unit: str) -> str:
    """Return a number with its unit, as it stands in a sentence."""
    if value is None:
        return "not known"
    if unit.endswith("percent"):
        return f"{value:.1f} %"
    if unit == "money":
        return f"{value:,.2f}"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def sentence(metric: Metric, asked: Asked, answer: dict[str, Any], answers: Answers) -> str:
    """Return what an answer says: the number, or the first row and how many there are."""
    rows = answer["rows"]
    hidden = answer["hidden"]
    cells = f" {hidden:,} {'cell is' if hidden == 1 else 'cells are'} hidden or left out." if hidden else ""
    where = "".join(
        f" {name.replace('_', ' ')} {', '.join(answers.name(name, value) for value in values[:3])}{' and more' if len(values) > 3 else ''};"
        for name, values in asked.where.items()
    )
    scope = f"For{where.rstrip(';')}: " if where else ""
    since = f" Since {asked.since}." if asked.since else ""
    shown = [row for row in rows if row["value"] is not None]
    if not rows:
        return f"{scope}There is no number for this.{cells}"
    if not shown:
        return f"{scope}The number is hidden, because it is of fewer than {answers.small} persons or would tell such a number, or there is none."
    if not asked.by:
        least = "At least: " if hidden and metric.how == "sum" else ""
        return f"{scope}{least}{metric.sentence.format(value=value_of(shown[0]['value'], metric.unit))}{since}{cells}"
    first = shown[0]
    names = ", ".join(answers.name(name, str(first[name])) for name in asked.by)
    which = {"highest": "The highest", "lowest": "The lowest"}.get(asked.order, "The first")
    count = f"{len(rows):,} rows. " if len(rows) > 1 else ""
    return f"{scope}{metric.label} by {' and '.join(its.replace('_', ' ') for its in asked.by)}: {count}{which} is {names} with {value_of(first['value'], metric.unit)}.{since}{cells}"
