"""`rows`: the ids behind a finding, written to a file that only its owner can read. Never to the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._core.model import file as file_named
from ._core.sql import quoted
from .cells import Counts, Move, tally
from .checks import columns, keys, sanity
from .consumers.judge import rows_behind
from .diff import GRADE_RANK, YEARLY, changes, dimensions
from .errors import Unknown, Wrong
from .families import family_rows
from .loss import slow_starts
from .private import write_csv
from .words import ALL, Cell

if TYPE_CHECKING:
    from pathlib import Path

    from .policy import Policy
    from .report.contents import Row
    from .store import Store
    from .warehouse import Warehouse

Ids = list[tuple[str]]


def find(store: Store, finding_id: str) -> Row:
    """Return the newest finding of that id; raise Wrong if there is none, or no row is behind it."""
    found = store.rows("findings", "id = $id", "load DESC LIMIT 1", id=finding_id)
    if not found:
        raise Wrong(f"no finding {finding_id}: oneroster-audit show lists them")
    if not found[0]["count"]:
        raise Wrong(f"no rows are behind finding {finding_id}")
    return found[0]


def write_rows(store: Store, warehouse: Warehouse, policy: Policy, finding: Row, out: Path, *, names: bool) -> int:
    """Write file and id of each row, and with `names` whose it is; return how many."""
    ids = [i for (i,) in _ids(store, warehouse, policy, finding)]
    load, name = finding["load"], finding["file"]
    people: dict[str, tuple[str, str, str]] = {}
    if names:
        people = _people(warehouse, name, ids, _baseline(store, finding["school_id"], load) or load, load)
    header = ["file", "id", *(["user", "givenName", "familyName"] if names else [])]
    lines = ([name, i, *(people.get(i, ("", "", "")) if names else ())] for i in sorted(ids))
    return write_csv(out, header, lines)


def _ids(store: Store, warehouse: Warehouse, policy: Policy, finding: Row) -> Ids:
    check, load = finding["check_id"], finding["load"]
    cell = Cell(finding["file"], finding["school_id"], finding["role"], finding["term_id"])
    if check.startswith("consumer."):
        return rows_behind(warehouse, policy, check, load)
    if check.startswith("brake."):
        return _moved(store, warehouse, policy, finding, cell)
    if check.startswith(("churn.", "schedule.", "rollover.")) or check == "keys.two-ids":
        day = warehouse.loads()[load].loaded_at.astimezone(policy.zone).date()
        return family_rows(warehouse, check, cell, _baseline(store, cell.school, load), load, day)
    if check.startswith("sanity."):
        query = f"SELECT id FROM ({sanity.sanity_rows()}) WHERE check_id = $check AND school = $school"
        return warehouse.run(query, check=check, school=cell.school, load=load)
    of = file_named(cell.file)
    if check == "columns.blank":
        return _blank(warehouse, cell, finding["column_name"], load)
    if check == "keys.reused":
        baseline = store.load(load)["baseline"]
        query = f"SELECT DISTINCT id FROM ({keys.reused_rows(cell.file)}) WHERE school = $school"
        return warehouse.run(query, school=cell.school, load=load, baseline=baseline)
    rows = keys.missing_rows if check == "keys.missing" else keys.orphan_rows
    query = f"SELECT id FROM ({rows(of, of.field(finding['column_name']))}) WHERE school = $school"
    return warehouse.run(query, school=cell.school, load=load)


def _blank(warehouse: Warehouse, cell: Cell, column: str, load: int) -> Ids:
    of = file_named(cell.file)
    where, school = columns.is_blank(of.field(column)), f"coalesce(x.{quoted(of.school)}, '')" if of.school else "''"
    if of.name == "users":
        mine = """EXISTS (SELECT 1 FROM "roles_at"($load) r WHERE r."userSourcedId" = x."sourcedId" AND r."orgSourcedId" = $school)"""
    else:
        mine = f"{school} = $school"
    mine = "$school = $school" if cell.school == ALL else mine
    return warehouse.run(
        f'SELECT x."sourcedId" FROM {quoted(of.name + "_at")}($load) x WHERE ({where}) AND {mine}',
        load=load,
        school=cell.school,
    )


def _moved(store: Store, warehouse: Warehouse, policy: Policy, finding: Row, cell: Cell) -> Ids:
    """Return the rows that left, entered or changed in the cell since its baseline."""
    load, check = finding["load"], finding["check_id"]
    loads = warehouse.loads()
    baseline = _baseline(store, cell.school, load)
    if check == "brake.slow":
        approved = {a["school_id"]: a["load"] for a in store.rows("approvals", "load < $load", "load", load=load)}
        schools = [s["school_id"] for s in store.rows("schools", "load = $load", load=load)]
        starts = slow_starts(loads, loads[load], policy.lookback_days, approved, schools)
        baseline = starts.get(cell.school, starts[ALL])
    if baseline is None or baseline not in loads or load not in loads:
        raise Unknown(f"the warehouse does not keep what finding {finding['id']} compared")
    of, day = file_named(cell.file), loads[load].loaded_at.astimezone(policy.zone).date()
    blank = store.rows(
        "findings", "load = $load AND check_id = 'columns.blank' AND file = $file", load=load, file=of.name
    )
    quiet = {*YEARLY, *(f["column_name"] for f in blank)}
    warehouse.run(GRADE_RANK)
    rows = warehouse.run(
        f"SELECT id, was, is_now, columns, is_expected FROM ({changes(warehouse, of, baseline, load)})",
        baseline=baseline,
        load=load,
        today=day,
    )
    found = []
    for row_id, was, now, changed, expected in rows:
        move = Move(_tuples(was), _tuples(now), frozenset(changed), expected, 1)
        counts = tally(of.name, dimensions(of), [], [], [move], is_quiet=quiet.issuperset).get(cell)
        if counts and _is_behind(check, counts):
            found.append((row_id,))
    return found


def _is_behind(check: str, count: Counts) -> bool:
    """True if a row with these counts is one of those that the check counted."""
    match check:
        case "brake.added":
            return count.added > 0
        case "brake.changed":
            return count.changed > count.quiet
        case "brake.empty-school":
            return count.removed > 0
    return count.removed > count.expected


def _tuples(places: Any) -> Any:
    return tuple(map(tuple, places)) if places else None


def _baseline(store: Store, school: str, load: int) -> int | None:
    """Return what a school was compared with in a load."""
    found: int | None
    if school == ALL:
        found = store.load(load)["baseline"]
        return found
    good = "load IN (SELECT load FROM loads WHERE verdict <> 'unknown')"
    rows = store.rows(
        "schools",
        f"school_id = $school AND load < $load AND NOT held AND {good}",
        "load DESC LIMIT 1",
        school=school,
        load=load,
    )
    if not rows:
        rows = store.rows("loads", "load < $load AND verdict IN ('passed', 'noted')", "load DESC LIMIT 1", load=load)
    found = rows[0]["load"] if rows else store.load(load)["baseline"]
    return found


def _people(warehouse: Warehouse, name: str, ids: list[str], *loads: int) -> dict[str, tuple[str, str, str]]:
    """Return for each row its user and the user's names, as of the newest load that has them."""
    if not name:  # rows of several files
        return {}
    of = file_named(name)
    column = "sourcedId" if name == "users" else next((f.name for f in of.fields if f.refers_to == "users"), None)
    found: dict[str, tuple[str, str, str]] = {}
    for load in loads if column else ():
        found |= {
            row_id: (user, given or "", family or "")
            for row_id, user, given, family in warehouse.run(
                f'SELECT x."sourcedId", u."sourcedId", u."givenName", u."familyName" FROM {quoted(name + "_at")}($load) x '
                f'JOIN "users_at"($load) u ON u."sourcedId" = x.{quoted(column or "")} WHERE list_contains($ids, x."sourcedId")',
                load=load,
                ids=ids,
            )
        }
    return found
