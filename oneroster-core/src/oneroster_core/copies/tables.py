"""Decide which of the staged rows of one id counts, for both targets, or that it is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..model.schema import TENANT, key_properties
from ..sql import literal, quoted
from . import CONFLICT, IDENTICAL, NEWEST, PLACES, UNITED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from ..model import File

SEVERAL_ROLES = (
    "one person with several roles in several rows; users.role holds the one with most rights, the stream roles would"
    " hold all"
)
UNITED_ROLES, UNITED_USERS = "united roles", "united users"
"""Tables of persons with several rows: id, `role`, `org` and `place`; id, `role` and the list `orgs`."""

_STRONGEST_FIRST = ("administrator", "teacher", "proctor", "aide", "student", "guardian", "parent", "relative")


def strongest(word: str) -> str:
    """Return SQL for the rank of a role's word: if only one word can be kept, it is the role with most rights."""
    rank = " ".join(f"WHEN {literal(name)} THEN {number}" for number, name in enumerate(_STRONGEST_FIRST))
    return f"CASE {word} {rank} ELSE 99 END"


def copies_of(name: str) -> str:
    """Return the name of the table of a file's repeated ids: `verdict`, `kept`, `newest`."""
    return quoted(f"{name} copies")


def left_out(name: str) -> str:
    """Return the name of the table with the numbers (`number`) of a file's rows that do not count."""
    return quoted(f"{name} left out")


def settle(
    run: Callable[[str], list[Any]],
    file: File,
    rows: str,
    columns: Collection[str],
    *,
    number: str,
    orgs: str,
    modified: str = '"dateLastModified"',
    in_passes: bool = False,
) -> dict[str, int]:
    """Decide which rows of each repeated id count; return counts by rule.

    `rows` is a FROM clause of the rows of these ids, `number` the column of a row's number, `modified` SQL for the time
    of its last change (null if unknown), and `orgs` SQL for the list of a user's orgs. The counts are numbers of rows
    that do not count; for conflicts and for several roles they are numbers of ids. Creates the tables named above, and
    UNITED_ROLES and UNITED_USERS for persons with several rows. `in_passes`: each pass of one run brought an id once,
    so the last row counts.
    """
    keys = ", ".join([quoted("sourcedId"), *([quoted(TENANT)] if TENANT in columns else [])])
    verdicts = copies_of(file.name)
    dated = "dateLastModified" in columns
    if dated and not in_passes:
        chosen = _verdicts(file, rows, columns, keys, modified, number)
    else:  # receipts, too: the last one counts
        keys = ", ".join(map(quoted, key_properties(file, tenant=TENANT in columns)))
        newest = f"last({modified} ORDER BY {number})" if dated else "NULL"
        what = f"{keys}, count(*) AS copies, {literal(NEWEST)} AS verdict, max({number}) AS kept, {newest} AS newest"
        chosen = f"SELECT {what} FROM {rows} GROUP BY {keys}"
    run(f"CREATE TEMP TABLE {verdicts} AS {chosen}")
    run(
        f"CREATE TEMP TABLE {left_out(file.name)} AS SELECT {number} AS number FROM {rows} "
        f"WHERE {number} NOT IN (SELECT kept FROM {verdicts})"
    )
    counts = run(f"SELECT verdict, sum(copies - 1)::BIGINT, count(*) FROM {verdicts} GROUP BY 1 ORDER BY 1")
    found: dict[str, int] = {rule: ids if rule == CONFLICT else left for rule, left, ids in counts}
    if UNITED in found:
        run(
            f"CREATE TEMP TABLE {quoted(UNITED_ROLES)} AS SELECT {keys}, role, org, min(place) AS place FROM (SELECT {keys}, "
            f'"role" AS role, unnest({orgs}) AS org, {number} AS place FROM {rows} JOIN '
            f"(SELECT {keys}, newest FROM {verdicts} WHERE verdict = {literal(UNITED)}) USING ({keys}) "
            f"WHERE {modified} IS NOT DISTINCT FROM newest) GROUP BY {keys}, role, org"
        )
        run(
            f"CREATE TEMP TABLE {quoted(UNITED_USERS)} AS SELECT {keys}, arg_min(role, {strongest('role')}) AS role, "
            f"list(org ORDER BY place, org) AS orgs FROM (SELECT {keys}, org, arg_min(role, {strongest('role')}) AS role, "
            f"min(place) AS place FROM {quoted(UNITED_ROLES)} GROUP BY {keys}, org) GROUP BY {keys}"
        )
        several = f"SELECT 1 FROM {quoted(UNITED_ROLES)} GROUP BY {keys} HAVING min(role) <> max(role)"
        if count := run(f"SELECT count(*) FROM ({several})")[0][0]:
            found[SEVERAL_ROLES] = count
    return found


def _verdicts(file: File, rows: str, columns: Collection[str], keys: str, modified: str, number: str) -> str:
    """Return SQL for one row per id. If the times of rows differ, the newest are compared; without times, all of them."""
    content = [name for name in columns if name not in {"sourcedId", TENANT, "dateLastModified"}]
    person = (
        [name for name in content if name not in PLACES] if file.name == "users" else ["sourcedId", number.strip('"')]
    )
    return (
        f"WITH r AS (SELECT {keys}, {number} AS n, {modified} AS modified, {_digest(content)} AS body, "
        f"{_digest(person)} AS person FROM {rows}), "
        f"g AS (SELECT {keys}, count(*) AS copies, max(modified) AS newest, min(body) = max(body) AS alike, "
        "count(modified) < count(*) AS undated, min(modified) IS NOT DISTINCT FROM max(modified) AS as_old "
        f"FROM r GROUP BY {keys}) "
        f"SELECT {keys}, any_value(copies) AS copies, CASE WHEN min(body) = max(body) THEN "
        f"CASE WHEN bool_and(alike AND as_old) THEN {literal(IDENTICAL)} ELSE {literal(NEWEST)} END "
        "WHEN min(person) = max(person) AND count(modified) IN (0, count(*)) "
        f"THEN {literal(UNITED)} ELSE {literal(CONFLICT)} END AS verdict, "
        f"CASE WHEN verdict = {literal(UNITED)} THEN min(n) ELSE max(n) END AS kept, any_value(newest) AS newest "
        f"FROM r JOIN g USING ({keys}) WHERE (undated AND NOT alike) OR modified IS NOT DISTINCT FROM newest "
        f"GROUP BY {keys}"
    )


def _digest(columns: Sequence[str]) -> str:
    return f"md5(CAST(json_array({', '.join(map(quoted, columns))}) AS VARCHAR))"
