"""The cells of a mart that a question is about, each with what may be told of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from .asked import Asked, CannotSay
from .cells import Hidden, hidden_of, with_another
from .metrics import DEMOGRAPHICS, Metric, metrics

if TYPE_CHECKING:
    from ..reader import Reader, Row

Cell = tuple[float, float, float]
"""Value, weight, and n."""


class Cells:
    """Reads cells of the marts of schema `shared`, as of a day."""

    def __init__(
        self, reader: Reader, small: int, today: date, spans: dict[str, tuple[date | None, date | None]]
    ) -> None:
        self._reader = reader
        self._small = small
        self._today = today
        self._spans = spans
        self._hidden: dict[date, Hidden] = {}

    def hidden(self, day: date) -> Hidden:
        """Return what of the roster of a day may not be told."""
        if day not in self._hidden:
            table = self._reader.table("shared.enrollment_count")
            query = f"select school_id, grade, students from {table} where class_type = 'all' and grade <> 'all' and day = ?"
            cells = ((row["school_id"], row["grade"], row["students"]) for row in self._reader.rows(query, day))
            self._hidden[day] = hidden_of(cells, self._small)
        return self._hidden[day]

    def of(
        self, metric: Metric, asked: Asked, where: dict[str, set[str]], day: date | None = None
    ) -> Iterator[tuple[dict[str, str], Cell | None]]:
        """Yield each cell: its dimensions, and value, weight and n, or none if it may not be told."""
        day = day or self._today
        if metric.how == "change":
            yield from self._changes(metric, asked, where)
            return
        rows = self._rows(metric, asked, day)
        if metric.mart == "class_load":
            rows = iter(self._by_course(rows))
        for row in rows:
            key = {name: _value(row, column) for name, column in metric.dimensions.items()}
            if any(key[name] not in values for name, values in where.items()):
                continue
            state = self._state(metric, row)
            if state == "none":
                continue
            if state == "hidden":
                yield from self._instead(metric, row, key)
                continue
            value, n = row[metric.value], row[metric.n] or 0
            weight = row[metric.weight] or 0 if metric.weight else 1
            if metric.how == "mean":
                yield key, (value * weight, weight, n)
            elif metric.how == "share":
                yield key, (100 * value, weight, n)
            else:
                yield key, (value, 1, n)

    def _state(self, metric: Metric, row: Row) -> str:
        """Return whether a row may be told: shown, hidden, or none where there is no number."""
        school, grade = row.get("school_id"), row.get("grade")
        if row.get("suppressed") or row.get("is_hidden"):
            return "hidden"
        if row[metric.value] is None:  # a share of the worklist is empty only where it would tell few
            return "hidden" if metric.persons or metric.mart == "worklist_equity" else "none"
        if (row[metric.n] or 0) < self._small or (metric.persons and row[metric.value] < self._small):
            return "hidden"
        hidden = self.hidden(row["day"] if metric.now == "day" else self._today)
        if hidden.holds(school, grade):
            return "hidden"
        if metric.mart == "enrollment_count" and grade == "all" and school in hidden.schools:
            return "hidden"
        return "shown"

    def _instead(self, metric: Metric, row: Row, key: dict[str, str]) -> Iterator[tuple[dict[str, str], Cell | None]]:
        """Yield a hidden cell; in place of a school's students that would tell a grade, the grades that may be told."""
        if metric.name == "students" and row["grade"] == "all" and (row["students"] or 0) >= self._small:
            whole = Asked("students", ("school", "grade"), {"school": (str(row["school_id"]),)})
            for _, cell in self.of(metric, whole, {"school": {str(row["school_id"])}}, row["day"]):
                yield key, cell
            return
        yield key, None

    def _rows(self, metric: Metric, asked: Asked, day: date) -> Iterator[Row]:
        """Yield the rows of the mart that the question is about."""
        name = f"shared.{metric.mart}"
        table = self._reader.table(name, *metric.columns)
        columns = list(metric.columns)
        columns += [
            more for more in ("suppressed", "school_id") if more not in columns and self._reader.has(name, more)
        ]
        texts, values = _conditions(metric, asked, day)
        found = self._reader.rows(f"select {', '.join(columns)} from {table} where {' and '.join(texts)}", *values)
        if "term" in metric.dimensions and "term" not in {*asked.by, *asked.where}:
            found = iter(self._now(metric, list(found)))
        return found

    def _now(self, metric: Metric, rows: list[Row]) -> list[Row]:
        """Return the rows of terms that go on, or of the last ones that are over."""
        terms = {row["term_id"] for row in rows}
        now = {term for term in terms if self._is_current(term)}
        if not now:
            ends = {
                term: end for term in terms if (end := self._spans.get(term, (None, None))[1]) and end <= self._today
            }
            now = {term for term, end in ends.items() if end == max(ends.values())}
        rows = [row for row in rows if row["term_id"] in now]
        if metric.one_term:
            sizes: defaultdict[tuple[str, str], float] = defaultdict(float)
            for row in rows:
                sizes[row["school_id"], row["term_id"]] += row[metric.n] or 0
            best: dict[str, tuple[float, str]] = {}
            for (school, term), size in sizes.items():
                best[school] = max(best.get(school, (-1.0, "")), (size, term))
            rows = [row for row in rows if best[row["school_id"]][1] == row["term_id"]]
        return rows

    def _is_current(self, term: str) -> bool:
        begin, end = self._spans.get(term, (None, None))
        return (begin is None or begin <= self._today) and (end is None or self._today < end)

    def _by_course(self, rows: Iterator[Row]) -> list[Row]:
        """Return a row a school, course and term of rows of classes; no course of a school and term is hidden alone."""
        sums: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
        for row in rows:
            sums[str(row["school_id"]), str(row["course_id"]), str(row["term_id"])].append(row["students"])
        sizes: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        for (school, course, term), students in sums.items():
            sizes[school, term][course] = sum(students)
        hidden = {key: with_another(its, self._small) for key, its in sizes.items()}
        return [
            {
                "school_id": school, "course_id": course, "term_id": term, "students": sum(students) / len(students),
                "size": sum(students), "is_hidden": course in hidden[school, term],
            }
            for (school, course, term), students in sums.items()
        ]  # fmt: skip

    def _changes(
        self, metric: Metric, asked: Asked, where: dict[str, set[str]]
    ) -> Iterator[tuple[dict[str, str], Cell | None]]:
        """Yield the change of each cell since a day; both days' numbers may be told."""
        table = self._reader.table("shared.enrollment_count")
        days = sorted(row["day"] for row in self._reader.rows(f"select distinct day from {table}"))
        since = date.fromisoformat(asked.since)
        before = max((day for day in days if day <= since), default=days[0])
        if before >= self._today:
            raise CannotSay(
                f"The first count of students is of {days[0].isoformat()}; there is nothing to compare it with."
            )
        students = metrics()["students"]
        cells: list[dict[tuple[str, ...], Cell | None]] = []
        for day in (before, self._today):
            asks = Asked("students", asked.by, asked.where)
            found: dict[tuple[str, ...], Cell | None] = {}
            for key, cell in self.of(students, asks, where, day):
                its = tuple(key[name] for name in students.dimensions)
                known = found.get(its)
                added = cell if known is None or cell is None else (known[0] + cell[0], 1, known[2] + cell[2])
                found[its] = added if its not in found or cell is not None else known
            cells.append(found)
        for place in sorted({*cells[0], *cells[1]}):
            named = dict(zip(metric.dimensions, place, strict=True))
            old, new = cells[0].get(place), cells[1].get(place)
            if old is None or new is None:
                yield named, None
            else:
                yield named, (new[0] - old[0], 1, min(new[2], old[2]))


def _value(row: Row, column: str) -> str:
    return f"{row['vendor']} {row['product']}" if column == "product" else str(row[column])


def _conditions(metric: Metric, asked: Asked, day: date) -> tuple[list[str], list[Any]]:
    """Return the conditions on rows of the mart, and their parameters."""
    texts: list[str] = ["1 = 1"]
    values: list[Any] = []
    for column, its in metric.where.items():
        texts.append(f"{column} = ?")
        values.append(its)
    for column, its in metric.where_not.items():
        texts.append(f"{column} <> ?")
        values.append(its)
    if metric.where_set:
        texts.append(f"{metric.where_set} is not null")
    asks = {*asked.by, *asked.where}
    for dimension, column in metric.dimensions.items():
        if column in metric.totals:
            texts.append(f"{column} {'<>' if dimension in asks else '='} ?")
            values.append(metric.totals[column])
    if set(DEMOGRAPHICS) & metric.dimensions.keys():
        texts.append("demographic = ?")
        values.append(next((its for its in DEMOGRAPHICS if its in asks), "all"))
    if metric.now == "day":
        texts.append("day = ?")
        values.append(day)
    if metric.now == "week" and not (asked.since or "week" in asks):
        texts.append("week = ?")
        values.append(day - timedelta(day.weekday()))
    if asked.since:
        texts.append("week >= ?")
        values.append(date.fromisoformat(asked.since))
    return texts, values
