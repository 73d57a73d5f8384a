"""The query language of the standard: one or two conditions, a sort, a selection of fields."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ._core.model import File, Kind, Version, derived_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from .rows import Row

_CLAUSE = re.compile(r"([\w.]+)\s*(!=|>=|<=|=|>|<|~)\s*'((?:[^']|'')*)'")
_JOIN = re.compile(r" (AND|OR) ")


class FilterError(ValueError):
    """A filter that the grammar does not allow, or with a field that the collection does not have."""


@dataclass(frozen=True)
class Filter:
    """One condition, or two joined by AND or OR; each is a field, a predicate and a value."""

    clauses: tuple[tuple[str, str, str], ...]
    joined_by: str = "AND"

    def test(self, its: File, column: Callable[[str], list[Any]]) -> Callable[[int], bool]:
        """Return a function that tells whether the record at a position matches."""
        tests = [
            (column(path), _compare(_kind(its, path), predicate, value)) for path, predicate, value in self.clauses
        ]
        both = all if self.joined_by == "AND" else any
        return lambda n: both(matches(values[n]) for values, matches in tests)


def parse_filter(text: str, its: File, version: Version) -> Filter:
    """Parse a filter; raise `FilterError` if it is invalid or names an unknown field."""
    first = _CLAUSE.match(text)
    if not first:
        raise FilterError("The filter cannot be read")
    clauses, joined_by, rest = [first.groups()], "AND", text[first.end() :]
    if rest:
        join = _JOIN.match(rest)
        second = _CLAUSE.fullmatch(rest[join.end() :]) if join else None
        if not join or not second:
            raise FilterError("The filter cannot be read")
        clauses.append(second.groups())
        joined_by = join[1]
    for path, _, _ in clauses:
        if not known_field(its, path, version):
            raise FilterError("The filter names an unknown field")
    return Filter(tuple((path, predicate, value.replace("''", "'")) for path, predicate, value in clauses), joined_by)


def known_field(its: File, path: str, version: Version) -> bool:
    """True if records of the collection can have a field with that name (or dotted path)."""
    names = {name for field in its.fields if field.exists_in(version) for name in field.rest_names}
    names |= {child.derived.rest for child in derived_from(its.name) if child.derived and child.exists_in(version)}
    return path.partition(".")[0] in names


def _kind(its: File, path: str) -> Kind | None:
    for field in its.fields:
        if path in field.rest_names:
            return field.rest_kind or field.kind
    return None


def value_at(record: Any, path: str) -> Any:
    """Return the value at a dotted path; for a list of objects, the values of all of them."""
    value = record
    for part in path.split("."):
        if isinstance(value, list):
            value = [item.get(part) for item in value]
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value


def order(value: Any) -> tuple[int, Any]:
    """Return a sort key: missing values come first, then numbers, then text by code point."""
    if value is None:
        return 0, 0
    if isinstance(value, (int, float)):
        return 1, value
    return 2, ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _compare(kind: Kind | None, predicate: str, wanted: str) -> Callable[[Any], bool]:
    read = _moment if kind == Kind.DATETIME else str
    goal = read(wanted)

    def matches(value: Any) -> bool:
        if value is None:
            return predicate == "!="
        if isinstance(value, list):
            return _compare_list(predicate, [str(item) for item in value], wanted)
        if isinstance(value, (int, float)):
            with suppress(ValueError):
                return _holds(predicate, float(value), float(wanted))
        return _holds(predicate, read(str(value)), goal)

    return matches


def _compare_list(predicate: str, values: list[str], wanted: str) -> bool:
    """Compare lists: `=` means exactly the listed values, `~` any of them."""
    listed = set(wanted.split(","))
    if predicate == "=":
        return set(values) == listed
    if predicate == "!=":
        return set(values) != listed
    return predicate == "~" and bool(listed & set(values))


def _holds(predicate: str, value: Any, goal: Any) -> bool:
    match predicate:
        case "=":
            return bool(value == goal)
        case "!=":
            return bool(value != goal)
        case ">":
            return bool(value > goal)
        case ">=":
            return bool(value >= goal)
        case "<":
            return bool(value < goal)
        case "<=":
            return bool(value <= goal)
        case _:
            return str(goal) in str(value)


def _moment(text: str) -> str:
    """Return a date-time in a form that sorts as text; text that cannot be parsed stays unchanged."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")


def only_fields(record: Row, names: list[str]) -> Row:
    """Return a record with only the selected fields."""
    return {name: record[name] for name in names if name in record}
