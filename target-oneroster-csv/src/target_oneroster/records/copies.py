"""Records that came more than once under one id, for both targets: which of them counts, and whether anything says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.model.schema import TENANT
from .._core.sql import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .._core.model import File

__all__ = ["CONFLICT", "IDENTICAL", "NEWEST", "UNITED", "copies", "strongest", "united"]

IDENTICAL, NEWEST, UNITED, CONFLICT = (
    "identical copies of a row left out",
    "older copies of a row left out",
    "rows of one person that differ in org or role, united",
    "one id for different rows, and no newer dateLastModified says which of them counts",
)
"""What can be said of the rows of one id."""

_BY_ORG = {"role", "orgSourcedIds"}
"""Columns of `users` in which the rows of one person may differ."""
_STRONGEST_FIRST = ("administrator", "teacher", "proctor", "aide", "student", "guardian", "parent", "relative")


def strongest(word: str) -> str:
    """SQL for the rank of a role's word: where one place holds one word, that of the role that may do most stays."""
    rank = " ".join(f"WHEN {literal(name)} THEN {number}" for number, name in enumerate(_STRONGEST_FIRST))
    return f"CASE {word} {rank} ELSE 99 END"


def copies(file: File, rows: str, columns: Collection[str], *, modified: str, number: str) -> str:
    """Return SQL for the ids that came more than once: one row each, with the `verdict` and the row that is `kept`.

    `rows` is a FROM clause, `modified` SQL for the time of a row's last change (null if unknown), and
    `number` the column of a row's number. Identical rows are one. Of rows with different times the
    newest counts. Rows of one person that differ in org or role only are united. Anything else is a conflict.
    """
    keys = ", ".join(_keys(columns))
    content = [name for name in columns if name not in {"sourcedId", TENANT, "dateLastModified"}]
    person = [name for name in content if file.name == "users" and name not in _BY_ORG]
    same_person = (
        "min(person) = max(person) AND min(coalesce(modified::VARCHAR, '')) = max(coalesce(modified::VARCHAR, ''))"
    )
    return (
        f"WITH r AS (SELECT {keys}, {number} AS n, {modified} AS modified, {_digest(content)} AS body, "
        f"{_digest(person) if person else literal('')} AS person FROM {rows}), "
        "g AS (SELECT "
        f"{keys}, count(*) AS copies, max(modified) AS newest, min(body) = max(body) AS alike, "
        "count(modified) < count(*) AS undated, min(modified) IS NOT DISTINCT FROM max(modified) AS as_old "
        f"FROM r GROUP BY {keys} HAVING count(*) > 1) "
        f"SELECT {keys}, any_value(copies) AS copies, CASE WHEN min(body) = max(body) THEN "
        f"CASE WHEN bool_and(alike AND as_old) THEN {literal(IDENTICAL)} ELSE {literal(NEWEST)} END "
        f"WHEN {'true' if person else 'false'} AND {same_person} THEN {literal(UNITED)} ELSE {literal(CONFLICT)} END "
        f"AS verdict, CASE WHEN verdict = {literal(UNITED)} THEN min(n) ELSE max(n) END AS kept, "
        "any_value(newest) AS newest "
        f"FROM r JOIN g USING ({keys}) WHERE (undated AND NOT alike) OR modified IS NOT DISTINCT FROM newest "
        f"GROUP BY {keys}"
    )


def united(rows: str, verdicts: str, columns: Collection[str], *, modified: str, number: str, orgs: str) -> str:
    """Return SQL for the roles of united users: id, `role`, `org` and their `place` among those of the user.

    `orgs` is SQL for the list of a row's orgs.
    """
    keys = ", ".join(_keys(columns))
    return (
        f"SELECT {keys}, role, org, min(place) AS place FROM (SELECT {keys}, "
        f's."role" AS role, unnest({orgs}) AS org, {number} AS place FROM {rows} s JOIN {verdicts} v USING ({keys}) '
        f"WHERE v.verdict = {literal(UNITED)} AND {modified} IS NOT DISTINCT FROM v.newest) GROUP BY {keys}, role, org"
    )


def _keys(columns: Collection[str]) -> Sequence[str]:
    return [quoted("sourcedId"), *([quoted(TENANT)] if TENANT in columns else [])]


def _digest(columns: Sequence[str]) -> str:
    return f"md5(CAST(json_array({', '.join(map(quoted, columns))}) AS VARCHAR))"
