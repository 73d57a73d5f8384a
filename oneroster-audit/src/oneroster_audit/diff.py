"""Where the rows of a file stood at a load, and what moved between two: SQL made from the model, for every file alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._core.history import ENDED_LOAD, FIRST_LOAD
from ._core.model import FILES
from ._core.sql import literal, quoted
from .cells import Dimensions, Move

if TYPE_CHECKING:
    from datetime import date

    from ._core.model import File
    from .cells import Places
    from .warehouse import Warehouse

_LEFT_OUT = {"sourcedId", "status", "dateLastModified", "metadata"}
_GRADE_ROSE = "grades+"
YEARLY = {_GRADE_ROSE, "schoolYearSourcedId"}
"""Changes that come to all rows at once with a new school year: the brake does not count them."""

_ORGS = """(SELECT "userSourcedId" AS id, list("orgSourcedId") AS orgs FROM "roles_at"({at})
    WHERE "orgSourcedId" IS NOT NULL GROUP BY 1)"""
_SORTED = "CASE WHEN len(t) > 0 THEN list_sort(list_distinct(t)) ELSE [''] END"


def dimensions(of: File) -> Dimensions:
    """Return which of school, role and term the cells of a file have."""
    return Dimensions(of.school is not None, of.role is not None, of.terms is not None)


def placed(of: File, at: str) -> tuple[str, str, str]:
    """Return a FROM clause of the rows `x` at a load, the parts that decide the place of a row, and its places.

    The places are an expression over the parts, `s`, `r` and `t`, so that rows can be grouped by the parts first.
    """
    rows = f"{quoted(of.name + '_at')}({at}) x"
    if of.name == "users":  # 1.2 keeps the schools of a user in roles, and the tap fills them for 1.1
        parts = f"""'' AS s, {_role(of)} AS r, coalesce(p.orgs, x."orgSourcedIds") AS t"""
        places = f"list_transform({_SORTED}, lambda o: [o, r, ''])"
        return f'{rows} LEFT JOIN {_ORGS.format(at=at)} p ON p.id = x."sourcedId"', parts, places
    school = f"coalesce(x.{quoted(of.school)}, '')" if of.school else "''"
    role = _role(of)
    terms = "NULL::VARCHAR[]"
    if of.terms and of.field(of.terms).kind.is_list:
        terms = f"x.{quoted(of.terms)}"
    elif of.terms:
        rows += f' LEFT JOIN "classes_at"({at}) c ON c."sourcedId" = x.{quoted(of.terms)}'
        terms = 'c."termSourcedIds"'
    places = f"list_transform({_SORTED}, lambda o: [s, r, o])"
    return rows, f"{school} AS s, {role} AS r, {terms} AS t", places


def _role(of: File) -> str:
    """Return the role of a row `x`; what is no word of the standard is `other`, since it may be anything."""
    if of.role is None:
        return "''"
    vocabulary = of.field(of.role).words
    words = ", ".join(map(literal, (*vocabulary.words, *vocabulary.added))) if vocabulary else "''"
    name = f"x.{quoted(of.role)}"
    return (
        f"CASE WHEN {name} IS NULL THEN '' WHEN {name} IN ({words}) OR {name} LIKE 'ext:%' THEN {name} ELSE 'other' END"
    )


def places_at(warehouse: Warehouse, of: File, load: int) -> list[tuple[Places, int]]:
    """Return how many rows of a file stood in each place."""
    rows, parts, places = placed(of, "$load")
    answer = warehouse.run(
        f"SELECT {places} AS p, sum(n)::BIGINT FROM (SELECT {parts}, count(*) AS n FROM {rows} GROUP BY ALL) GROUP BY p",
        load=load,
    )
    return [(_places(found), count) for found, count in answer]


def compared(warehouse: Warehouse, of: File) -> list[str]:
    """Return the columns whose changes count: the model's, without status, dateLastModified and metadata."""
    there = set(warehouse.columns(of.name))
    return [field.name for field in of.fields if field.name in there and field.name not in _LEFT_OUT]


def _find_touched(warehouse: Warehouse, of: File, baseline: int, load: int) -> None:
    """Make a table `touched` of the ids of rows that may have moved between two loads.

    Each step is a table, since the engine then knows how many rows it has. Without that number the hash table of a
    join may be built over all rows of the file, which does not fit into the memory of the audit.
    """

    def versions(name: str, column: str) -> str:
        if not warehouse.has(name):
            return f"SELECT NULL::VARCHAR AS {quoted(column)} WHERE false"
        between = " OR ".join(f"({load} > $baseline AND {load} <= $load)" for load in (FIRST_LOAD, ENDED_LOAD))
        return f"SELECT {quoted(column)} FROM {warehouse.place(name + '_history')} WHERE {between}"

    def make(table: str, query: str) -> None:
        warehouse.run(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}", baseline=baseline, load=load)

    ids = versions(of.name, "sourcedId")
    if of.name == "users":
        ids += f" UNION {versions('roles', 'userSourcedId')}"
    elif of.terms and not of.field(of.terms).kind.is_list:
        sides = [
            f'(SELECT "sourcedId" AS id, "termSourcedIds" AS terms FROM "classes_at"({at}) WHERE "sourcedId" IN (SELECT * FROM versions))'
            for at in ("$baseline", "$load")
        ]
        make("versions", versions("classes", "sourcedId"))
        # A class that came or left counts as well: rows may have pointed at it before, or still do.
        make(
            "moved_classes",
            f"SELECT id FROM {sides[0]} o FULL JOIN {sides[1]} n USING (id) WHERE o.terms IS DISTINCT FROM n.terms",
        )
        for at in ("$baseline", "$load"):
            ids += (
                f' UNION SELECT "sourcedId" FROM {quoted(of.name + "_at")}({at}) '
                f"WHERE {quoted(of.terms)} IN (SELECT * FROM moved_classes)"
            )
    make("touched", ids)


def changes(warehouse: Warehouse, of: File, baseline: int, load: int) -> str:
    """Return a query of the rows that moved between two loads: id, places, columns. It names $baseline, $load and $today.

    What came and went in between is no move: what stood at the older load is compared with what stands at the newer.
    """
    _find_touched(warehouse, of, baseline, load)
    columns = compared(warehouse, of)
    names = "".join(f", x.{quoted(column)}" for column in columns)
    sides = []
    for at in ("$baseline", "$load"):
        rows, parts, places = placed(of, at)
        inner = f'SELECT x."sourcedId"{names}, {parts} FROM {rows} WHERE x."sourcedId" IN (SELECT * FROM touched)'
        sides.append(f"SELECT *, {places} AS places FROM ({inner})")
    differ = ", ".join(f"CASE WHEN {_differs(column)} THEN {_word(column)} END" for column in columns) or "NULL"
    ends = 'o."endDate" <= $today' if {"beginDate", "endDate"} <= set(columns) else "false AND $today IS NULL"
    return (
        f"WITH o AS ({sides[0]}), n AS ({sides[1]}) "
        'SELECT coalesce(o."sourcedId", n."sourcedId") AS id, o.places AS was, n.places AS is_now, '
        'CASE WHEN o."sourcedId" IS NULL OR n."sourcedId" IS NULL THEN [] '
        f"ELSE list_filter([{differ}], lambda c: c IS NOT NULL) END AS columns, "
        f'coalesce(n."sourcedId" IS NULL AND {ends}, false) AS is_expected '
        'FROM o FULL JOIN n ON o."sourcedId" = n."sourcedId"'
    )


def moves(warehouse: Warehouse, of: File, baseline: int, load: int, today: date) -> list[Move]:
    """Return what moved between two loads, with the number of rows that did the same."""
    answer = warehouse.run(
        f"SELECT was, is_now, columns, is_expected, count(*) FROM ({changes(warehouse, of, baseline, load)}) "
        "WHERE was IS DISTINCT FROM is_now OR len(columns) > 0 GROUP BY ALL",
        baseline=baseline,
        load=load,
        today=today,
    )
    return [
        Move(_places(was) if was else None, _places(now) if now else None, frozenset(columns), expected, rows)
        for was, now, columns, expected, rows in answer
    ]


def kept(warehouse: Warehouse) -> list[File]:
    """Return the files whose versions the warehouse keeps, in the order of the model."""
    return [of for of in FILES if warehouse.has(of.name)]


def _places(found: list[list[str]]) -> Places:
    return tuple((school, role, term) for school, role, term in found)


def _differs(column: str) -> str:
    return f"o.{quoted(column)} IS DISTINCT FROM n.{quoted(column)}"


def _word(column: str) -> str:
    if column != "grades":
        return literal(column)
    return f"CASE WHEN grade_rank(n.grades[1]) > grade_rank(o.grades[1]) THEN {literal(_GRADE_ROSE)} ELSE 'grades' END"


GRADE_RANK = (
    "CREATE OR REPLACE TEMP MACRO grade_rank(grade) AS CASE WHEN upper(grade) IN ('PK', 'PR', 'TK', 'IT') THEN -1 "
    "WHEN upper(grade) IN ('K', 'KG') THEN 0 ELSE try_cast(grade AS INTEGER) END"
)
