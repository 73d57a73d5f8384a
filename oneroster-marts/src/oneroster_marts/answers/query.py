"""Answers a question in metrics: a metric, dimensions by which, values that are asked for, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from ..settings import nearest
from .asked import LIMIT, Asked, CannotSay
from .metrics import DEMOGRAPHICS, DIMENSIONS, Metric, metrics
from .rows import Cells
from .said import sentence, value_of

if TYPE_CHECKING:
    from ..reader import Reader

CAPPED = 40
"""Rates of fewer persons are cut at 95 and 5 percent."""


@dataclass
class _Sum:
    """What is added up for a row of an answer."""

    value: float = 0
    weight: float = 0
    n: float = 0
    shown: int = 0
    hidden: int = 0


class Answers:
    """The marts of schema `shared`, and what of them may be told."""

    def __init__(self, reader: Reader, small: int) -> None:
        self._reader = reader
        self.small = small
        self.today = reader.today()
        self.names: dict[str, dict[str, str]] = {}
        spans: dict[str, tuple[date | None, date | None]] = {}
        for row in reader.rows(f"select * from {reader.table('shared.label')}"):
            self.names.setdefault(row["dimension"], {})[row["id"]] = row["name"]
            if row["dimension"] == "term":
                spans[row["id"]] = (row["begin_date"], row["end_date"])
        self._cells = Cells(reader, small, self.today, spans)

    def values(self, dimension: str) -> dict[str, str]:
        """Return the values of a dimension: names by id.

        Raises:
            CannotSay: There is no such dimension.
        """
        if dimension not in DIMENSIONS:
            raise CannotSay(f"There is no dimension {dimension}{nearest(dimension, DIMENSIONS)}.")
        if dimension in self.names:
            return self.names[dimension]
        mart, column = {
            "grade": ("enrollment_count", "grade"),
            "week": ("school_cockpit", "week"),
            "sex": ("demographic_results", "value"),
            "race_ethnicity": ("demographic_results", "value"),
            "product": ("activity_gap", "vendor || ' ' || product"),
        }.get(dimension, ("", ""))
        if not mart:
            return {}
        where = f" where demographic = '{dimension}'" if dimension in DEMOGRAPHICS else ""
        sources = [f"{self._reader.table(f'shared.{mart}')}{where}"]
        if dimension == "product":
            sources.append(self._reader.table("shared.licence_gap"))
        query = " union ".join(f"select {column} as its from {source}" for source in sources)
        found = sorted({str(row["its"]) for row in self._reader.rows(query)} - {"None", "all"})
        return dict(zip(found, found, strict=True))

    def metric(self, name: str) -> Metric:
        """Return a metric.

        Raises:
            CannotSay: There is none of that name.
        """
        if name not in metrics():
            raise CannotSay(f"There is no metric {name}{nearest(name, metrics())}.")
        return metrics()[name]

    def query(self, asked: Asked) -> dict[str, Any]:
        """Answer a question.

        Returns:
            `rows` with a value of each dimension that was asked for, value, n and hidden; `sentence`, `n`, `load` (the day of the
            build), `definition`, and `hidden`, the number of cells that were left out. n is rounded down to tens where the value does
            not count persons.

        Raises:
            CannotSay: The metric, a dimension, a value or the time is not known.
        """
        metric = self.metric(asked.metric)
        where = self._checked(metric, asked)
        sums: defaultdict[tuple[str, ...], _Sum] = defaultdict(_Sum)
        for key, cell in self._cells.of(metric, asked, where):
            its = sums[tuple(key[name] for name in asked.by)]
            if cell is None:
                its.hidden += 1
                continue
            value, weight, n = cell
            its.value += value
            its.weight += weight
            its.n += n
            its.shown += 1
        rows = [
            {**dict(zip(asked.by, key, strict=True)), **self._row(metric, its)} for key, its in sorted(sums.items())
        ]
        if asked.order:
            rows = _ordered(rows, asked.order)
        left_out = sum(its.hidden for its in sums.values())
        total = sum(row["n"] or 0 for row in rows)
        answer = {
            "rows": rows[: max(1, min(asked.limit, LIMIT))],
            "sentence": "",
            "n": total or None,
            "load": self.today.isoformat(),
            "definition": metric.definition,
            "hidden": left_out,
            "unit": metric.unit,
            "names": {name: {str(row[name]): self.name(name, str(row[name])) for row in rows} for name in asked.by},
        }
        answer["sentence"] = sentence(metric, asked, answer, self)
        return answer

    def compare(self, name: str, dimension: str, a: str, b: str) -> dict[str, Any]:
        """Compare two values of a dimension."""
        answer = self.query(Asked(name, (dimension,), {dimension: (a, b)}))
        one, other = (self._value(dimension, its) for its in (a, b))
        found = {row[dimension]: row for row in answer["rows"]}
        values = [found.get(its, {}).get("value") for its in (one, other)]
        names = [self.name(dimension, its) for its in (one, other)]
        if None in values:
            answer["difference"] = None
            answer["sentence"] = f"{names[0]} and {names[1]} cannot be compared: a number is hidden, or not known."
        else:
            answer["difference"] = round(values[0] - values[1], 1)
            unit = answer["unit"]
            said = [value_of(value, unit) for value in values]
            answer["sentence"] = f"{self.metric(name).label}: {names[0]} {said[0]}, {names[1]} {said[1]}."
        return answer

    def name(self, dimension: str, key: str) -> str:
        """Return the name of a value; the value where it has none."""
        return self.names.get(dimension, {}).get(key, key)

    def _value(self, dimension: str, given: str) -> str:
        """Return the id of a value that is given by id or by name.

        Raises:
            CannotSay: It is not known.
        """
        known = self.values(dimension)
        if given in known:
            return given
        same = [key for key, name in known.items() if name.casefold() == given.casefold()]
        if len(same) == 1:
            return same[0]
        if same:
            raise CannotSay(f"Several of dimension {dimension} have the name {given}: name one by its id.")
        raise CannotSay(f"There is no {dimension} {given}{nearest(given, known.values())}.")

    def _checked(self, metric: Metric, asked: Asked) -> dict[str, set[str]]:
        for name in (*asked.by, *asked.where):
            if name not in metric.dimensions:
                if name not in DIMENSIONS:
                    raise CannotSay(f"There is no dimension {name}{nearest(name, DIMENSIONS)}.")
                known = ", ".join(metric.dimensions) or "the district as a whole"
                raise CannotSay(f"{metric.label} is not known by {name.replace('_', ' ')}; it is by {known}.")
        if len(asked.by) > 2 or len(set(asked.by)) < len(asked.by):
            raise CannotSay("Ask by two different dimensions at most.")
        if set(DEMOGRAPHICS) <= {*asked.by, *asked.where}:
            raise CannotSay("Ask for one demographic at a time, so that no small group is told.")
        if asked.since:
            try:
                date.fromisoformat(asked.since)
            except ValueError:
                raise CannotSay("since: must be a date such as 2026-10-05.") from None
            if not metric.has_since:
                raise CannotSay(f"{metric.label} is known for today only.")
        elif metric.how == "change":
            raise CannotSay("Since when? Name a date such as 2026-10-05.")
        return {name: {self._value(name, str(its)) for its in values} for name, values in asked.where.items()}

    def _row(self, metric: Metric, its: _Sum) -> dict[str, Any]:
        is_hidden = not its.shown or its.n < self.small
        value: float | None = None
        if not is_hidden:
            value = its.value if metric.how in ("sum", "change") else its.value / its.weight if its.weight else None
        if value is not None and metric.how == "change" and 0 < abs(value) < self.small:
            value, is_hidden = None, True
        if value is not None:
            value = 100 - value if metric.from_hundred else value
            if metric.unit == "percent" and its.n < CAPPED:
                value = min(95, max(5, value))
            value = round(value, 1)
            value = int(value) if value == int(value) and metric.how in ("sum", "change") else value
        n = None if is_hidden else int(its.n) if metric.persons else int(its.n // 10 * 10)
        return {"value": value, "n": n, "hidden": is_hidden}


def _ordered(rows: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    """Return the rows with the highest or the lowest value first, and those without one last."""
    shown = [row for row in rows if row["value"] is not None]
    shown.sort(key=lambda row: row["value"], reverse=order == "highest")
    return shown + [row for row in rows if row["value"] is None]


def asked_from(metric: str, by: Sequence[str] = (), where: Any = None, since: str = "", limit: int = LIMIT) -> Asked:
    """Return a question of what a program sent: a value of `where` is a text, or a list of them.

    Raises:
        CannotSay: It has another form.
    """
    if where is not None and not isinstance(where, dict):
        raise CannotSay("where: must be an object of dimensions and values.")
    values: dict[str, tuple[str, ...]] = {}
    for name, its in (where or {}).items():
        values[name] = tuple(map(str, its)) if isinstance(its, list | tuple) else (str(its),)
    return Asked(metric, tuple(by), values, since or "", limit)
