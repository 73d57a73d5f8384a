"""Rows of one key that came more than once in a run: which of them the warehouse takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model import RECEIPTS
from .._core.sql import literal, quoted
from ..records.copies import CONFLICT, NEWEST, UNITED, copies, strongest, united

if TYPE_CHECKING:
    import duckdb

    from .schema import Table

__all__ = ["SEVERAL_ROLES", "UNITED_USERS", "left_out", "settle", "verdicts"]

SEVERAL_ROLES = "one person with several roles in several rows, and no stream roles that would hold them"
UNITED_USERS = '"users united"'
"""Table of the users who came in several rows: keys, `role` and `orgs`."""


def verdicts(name: str) -> str:
    """Name of the table that says which row is `kept` of each key that came more than once."""
    return quoted(f"{name} copies")


def left_out(name: str) -> str:
    """Name of the table of the numbers (`row`) of rows that do not count."""
    return quoted(f"{name} left out")


def settle(connection: duckdb.DuckDBPyConnection, table: Table, rows: str) -> dict[str, int]:
    """Decide which rows count, and make the tables named above; return the number of rows by rule.

    `rows` is a FROM clause of all rows with their number, `row`. For a conflict the number is that of the keys.
    """
    keys = ", ".join(map(quoted, table.keys))
    again = (
        f"(SELECT * FROM {rows} SEMI JOIN (SELECT {keys} FROM {rows} GROUP BY ALL HAVING count(*) > 1) USING ({keys}))"
    )
    if table.file == RECEIPTS:  # the last one counts
        chosen = f"SELECT {keys}, count(*) AS copies, {literal(NEWEST)} AS verdict, max(row) AS kept FROM {again} GROUP BY {keys}"
    else:
        chosen = copies(table.file, again, list(table.content), modified='"dateLastModified"', number="row")
    there = verdicts(table.name)
    connection.execute(f"CREATE TEMP TABLE {there} AS {chosen}")
    connection.execute(
        f"CREATE TEMP TABLE {left_out(table.name)} AS SELECT row FROM {again} WHERE row NOT IN (SELECT kept FROM {there})"
    )
    found: dict[str, int] = {
        rule: ids if rule == CONFLICT else rows_left
        for rule, rows_left, ids in connection.execute(
            f"SELECT verdict, sum(copies - 1)::BIGINT, count(*) FROM {there} GROUP BY 1 ORDER BY 1"
        ).fetchall()
    }
    if UNITED in found:
        roles = united(
            again, there, list(table.content), modified='s."dateLastModified"', number="row", orgs='s."orgSourcedIds"'
        )
        connection.execute(
            f"CREATE TEMP TABLE {UNITED_USERS} AS SELECT {keys}, arg_min(role, {strongest('role')}) AS role, "
            "list(org ORDER BY place, org) AS orgs, max(several) AS several FROM "
            f"(SELECT {keys}, org, arg_min(role, {strongest('role')}) AS role, min(place) AS place, "
            f"bool_or(differ) AS several FROM (SELECT *, min(role) OVER one <> max(role) OVER one AS differ "
            f"FROM ({roles}) WINDOW one AS (PARTITION BY {keys})) GROUP BY {keys}, org) GROUP BY {keys}"
        )
        several = connection.execute(f"SELECT count(*) FROM {UNITED_USERS} WHERE several").fetchall()[0][0]
        if several:
            found[SEVERAL_ROLES] = several
    return found
