"""What `oneroster-marts ask` prints: what was understood, the answer in a sentence, and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .ask import Unclear, understand
from .asked import Asked, CannotSay
from .said import value_of

if TYPE_CHECKING:
    from .query import Answers

ROWS = 30


def answer_of(question: str, answers: Answers) -> dict[str, Any]:
    """Return the answer to a question: that of a query with `understood` and `answered`, or a sentence why there is none.

    Where nothing in the marts is of what was understood, the query has no rows, and the question is not answered.
    """
    asked = None
    try:
        asked = understand(question, answers)
        found = answers.query(asked)
    except CannotSay as reason:
        between = reason.between if isinstance(reason, Unclear) else []
        its = _understood(asked) if asked else None
        return {"answered": False, "understood": its, "sentence": str(reason), "between": between, "rows": []}
    return {**found, "answered": bool(found["rows"]), "understood": _understood(asked)}


def _understood(asked: Asked) -> dict[str, Any]:
    where = {name: list(values) for name, values in asked.where.items()}
    return {"metric": asked.metric, "by": list(asked.by), "where": where, "since": asked.since, "order": asked.order}


def text_of(answer: dict[str, Any], answers: Answers) -> str:
    """Return the lines that are printed."""
    if "definition" not in answer:
        return str(answer["sentence"])
    its = answer["understood"]
    label = answers.metric(its["metric"]).label
    parts = [label]
    parts += [f"by {name.replace('_', ' ')}" for name in its["by"]]
    for name, values in its["where"].items():
        names = [answers.name(name, value) for value in values]
        parts.append(
            f"{name.replace('_', ' ')}: {', '.join(names[:3])}"
            + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        )
    parts += [f"since {its['since']}"] if its["since"] else []
    parts += [f"{its['order']} first"] if its["order"] else []
    lines = [f"understood: {'; '.join(parts)}", "", answer["sentence"]]
    if its["by"] and answer["rows"]:
        lines += ["", *_table(answer, its["by"])]
    lines += ["", f"{answer['definition']} As of the load of {answer['load']}."]
    return "\n".join(lines)


def _table(answer: dict[str, Any], by: list[str]) -> list[str]:
    rows = answer["rows"][:ROWS]
    cells = [
        [
            *(answer["names"][name].get(str(row[name]), str(row[name])) for name in by),
            "hidden" if row["hidden"] else value_of(row["value"], answer["unit"]),
        ]
        for row in rows
    ]
    widths = [max(len(cell[n]) for cell in cells) for n in range(len(by) + 1)]
    lines = [
        "  ".join(
            [*(text.ljust(width) for text, width in zip(cell[:-1], widths, strict=False)), cell[-1].rjust(widths[-1])]
        )
        for cell in cells
    ]
    left = len(answer["rows"]) - len(rows)
    return [*lines, f"and {left:,} more"] if left > 0 else lines
