"""From a rule to SQL: which rows of a load break it (pure). Rows of the file are called `x`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._core.copies.tables import strongest
from .._core.model import Kind
from .._core.model import file as file_named
from .._core.sql import literal, quoted
from ..checks.columns import is_blank
from ..warehouse import sql
from .kinds import (
    CountBetween,
    Files,
    Forbids,
    Length,
    OneOf,
    Pattern,
    References,
    Required,
    Unique,
    UniqueAcross,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .kinds import Rule

GIVEN = sql("consumers/given.sql").replace("$strongest", strongest("word"))
"""Makes the macro of users with their role and orgs."""


class Test(NamedTuple):
    """How the rows that break a rule are found: by a condition on a row of a file, or by a query of ids."""

    file: str
    condition: str = ""
    query: str = ""
    counted: str = ""
    """A query of their number, where it is cheaper than counting the rows of `query`."""


def file_of(rule: Rule) -> str:
    """Return the file whose rows a rule is about; empty if it is about several."""
    return getattr(rule, "file", "")


def column_of(rule: Rule) -> str:
    """Return the columns that a rule is about; empty if it is about whole rows."""
    columns: list[str] = getattr(rule, "columns", [])
    return str(getattr(rule, "column", "")) or (columns[0] if len(columns) == 1 else "")


def counts_rows(rule: Rule) -> bool:
    """True if rows are behind a broken rule: not where files are missing or not allowed, or where a percentage counts."""
    return not (
        isinstance(rule, Files)
        or (isinstance(rule, CountBetween) and rule.change)
        or (isinstance(rule, Forbids) and rule.files)
    )


def source(file: str) -> str:
    """Return the FROM clause of a file at $load."""
    return f"{quoted('users_given' if file == 'users' else file + '_at')}($load)"


def test_of(rule: Rule) -> Test:
    """Return how the rows that break a rule are found; only for rules with rows behind them."""
    match rule:
        case Required():
            return Test(rule.file, f"{_of_roles(rule.roles)}{_blank(rule.file, rule.column)}")
        case Pattern():
            return Test(rule.file, _any(rule, lambda v: f"NOT regexp_full_match({v}, {literal(rule.matches)})"))
        case OneOf():
            words = ", ".join(literal(word.lower() if rule.ignore_case else word) for word in rule.words)
            return Test(rule.file, _any(rule, lambda v: f"{f'lower({v})' if rule.ignore_case else v} NOT IN ({words})"))
        case Length():
            return Test(rule.file, _any(rule, lambda v: f"length({v}) NOT BETWEEN {rule.least} AND {rule.most}"))
        case Forbids():
            found = [
                _any_value(rule.file, column, lambda v: f"regexp_matches({v}, {literal(rule.matches)})")
                for column in rule.columns
            ]
            return Test(rule.file, f"({' OR '.join(found)})")
        case Unique():
            return _unique(rule)
        case UniqueAcross():
            return _unique_across(rule)
        case References():
            return _references(rule)
        case CountBetween():
            return _count_between(rule)
    raise TypeError(rule)


def ids_query(test: Test) -> str:
    """Return a query of the ids, in a column `id`, of the rows at $load that break a rule."""
    return test.query or f'SELECT x."sourcedId" AS id FROM {source(test.file)} x WHERE {test.condition}'


def _blank(file: str, column: str) -> str:
    field = file_named(file).field(column)
    return is_blank(field)


def _of_roles(roles: Iterable[str]) -> str:
    words = ", ".join(map(literal, roles))
    return f'coalesce(x."role" IN ({words}), false) AND ' if words else ""


def _any(rule: Pattern | OneOf | Length, bad: Callable[[str], str]) -> str:
    return _any_value(rule.file, rule.column, bad)


def _any_value(file: str, column: str, bad: Callable[[str], str]) -> str:
    """Return the condition that a value of a column, or one of its list, is bad; an empty value is not."""
    field = file_named(file).field(column)
    name = f"x.{quoted(column)}"
    if field.kind.is_list and field.kind not in (Kind.USER_IDS, Kind.SCALE_VALUES):
        return f"coalesce(len(list_filter({name}, lambda v: v <> '' AND {bad('v')})) > 0, false)"
    text = f"CAST({name} AS VARCHAR)"
    return f"coalesce({text} <> '' AND {bad(text)}, false)"


def _unique(rule: Unique) -> Test:
    """Groups are found by a digest first, so that memory follows the copies and not the rows."""
    keys = [f"x.{quoted(column)}" for column in rule.columns]
    filled = " AND ".join(f"NOT ({_blank(rule.file, column)})" for column in rule.columns)
    digest = f"hash({', '.join(keys)})"
    rows = f"{source(rule.file)} x"
    several = f"SELECT {digest} FROM {rows} WHERE {filled} GROUP BY 1 HAVING count(*) > 1"
    near = f"{rows} WHERE {filled} AND {digest} IN ({several})"
    query = (
        f'SELECT unnest(ids) AS id FROM (SELECT list(x."sourcedId") AS ids FROM {near} '
        f"GROUP BY {', '.join(keys)} HAVING count(*) > 1)"
    )
    counted = f"SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {near} GROUP BY {', '.join(keys)} HAVING count(*) > 1)"
    return Test(rule.file, query=query, counted=counted)


def _unique_across(rule: UniqueAcross) -> Test:
    every = " UNION ALL ".join(f'SELECT "sourcedId" AS id FROM {quoted(f + "_at")}($load)' for f in rule.files)
    several = f"SELECT hash(id) FROM ({every}) GROUP BY 1 HAVING count(*) > 1"
    return Test(
        "", query=f"SELECT id FROM ({every}) WHERE hash(id) IN ({several}) GROUP BY 1 HAVING count(*) > 1 ORDER BY 1"
    )


def _references(rule: References) -> Test:
    field = file_named(rule.file).field(rule.column)
    value = f"unnest(x.{quoted(field.name)})" if field.kind == Kind.REFS else f"x.{quoted(field.name)}"
    query = (
        f'SELECT DISTINCT id FROM (SELECT x."sourcedId" AS id, {value} AS ref FROM {source(rule.file)} x) '
        f"WHERE ref <> '' AND NOT EXISTS (SELECT 1 FROM {quoted(f'{field.refers_to}_at')}($load) t WHERE t.\"sourcedId\" = ref)"
    )
    return Test(rule.file, query=query)


def _count_between(rule: CountBetween) -> Test:
    roles = ", ".join(map(literal, rule.of_roles))
    child = source(rule.of)
    counted = f"count(DISTINCT c.{quoted(rule.distinct)})" if rule.distinct else "count(*)"
    where = f'c."role" IN ({roles})' if roles else "true"
    if rule.through:
        key = quoted(rule.through)
        where = f"c.{key} IN (SELECT {key} FROM {child} WHERE {where.replace('c.', '', 1)})"
    numbers = f"SELECT c.{quoted(rule.by)} AS k, {counted} AS n FROM {child} c WHERE {where} GROUP BY 1"
    limits = [f"coalesce(n.n, 0) < {rule.least}"] if rule.least else []
    limits += [f"n.n > {rule.most}"] if rule.most is not None else []
    query = (
        f'SELECT x."sourcedId" AS id FROM {source(rule.file)} x LEFT JOIN ({numbers}) n ON n.k = x."sourcedId" '
        f"WHERE {_of_roles(rule.roles)}({' OR '.join(limits) or 'false'})"
    )
    if rule.through:  # who has no rows at all is found by another rule
        query += f' AND x."sourcedId" IN (SELECT {quoted(rule.by)} FROM {child})'
    return Test(rule.file, query=query)
