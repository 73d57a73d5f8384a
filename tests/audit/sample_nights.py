"""Nights of the sample in a warehouse that SQL makes, with their truth; and what the audit found, beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
from oneroster_sample._core.model import FILES, Version, file
from oneroster_sample.district import District as SampleDistrict
from oneroster_sample.events import parse_events
from oneroster_sample.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.audit.nights import District, House

Pairs = set[tuple[str, str]]
_KEYS = ("identifier", "userMasterIdentifier", "email", "username")


def sample_nights(
    house: House, between: Callable[[], Any], events: list[str], seed: int, version: str, *, schools: int, students: int
) -> tuple[District, dict[str, Any]]:
    """Load the night before and the night, with `between` after the first; return the rows of the first and the truth."""
    made = SampleDistrict(
        seed=seed, schools=schools, students_per_school=students, events=parse_events(events)
    ).changed(2)
    truth = Truth(made, 1, Version(version))
    files = [f.name for f in FILES if f.csv and f.exists_in(Version(version))]
    before = made.changed(-1)
    old = {name: as_csv(name, before.active(name, version)) for name in files}
    house.load(old)
    between()
    house.load({name: as_csv(name, truth.follow(name)) for name in files})
    return old, truth.result()


def as_csv(name: str, rows: Any) -> dict[str, dict[str, Any]]:
    """Rows by id, without what CSV does not carry."""
    kept = [f.name for f in file(name).fields if f.csv]
    return {row["sourcedId"]: {column: row[column] for column in kept} for row in rows}


def told_pairs(truth: dict[str, Any], name: str, school: str = "") -> Pairs:
    """Pairs of old and new ids that the truth tells, of all events or of those of one school."""
    events = [e for e in truth["events"] if not school or e["school"] == school]
    return {(old, new) for e in events for old, new in e.get("new_ids", {}).get(name, [])}


def proposed(folder: Path, name: str, verdict: str = "proposed") -> Pairs:
    """Pairs of a file in the crosswalk of load 2."""
    with duckdb.connect(str(folder / "audit.restricted.duckdb"), read_only=True) as database:
        rows = database.execute(
            "SELECT old_id, new_id FROM crosswalk WHERE load = 2 AND file = ? AND verdict = ?", [name, verdict]
        ).fetchall()
    return set(rows)


def recognisable(old: District, new: District, pairs: Pairs) -> Pairs:
    """Those of whom a strong key survived: the same on both nights, and held by nobody else on either."""
    holders: list[dict[tuple[str, str], int]] = []
    for night in (old, new):
        count: dict[tuple[str, str], int] = {}
        for row in night["users"].values():
            for key in _keys_of(row):
                count[key] = count.get(key, 0) + 1
        holders.append(count)
    return {
        (one, other)
        for one, other in pairs
        if any(
            holders[0][key] == holders[1].get(key) == 1
            for key in _keys_of(old["users"][one]) & _keys_of(new["users"][other])
        )
    }


def _keys_of(row: dict[str, Any]) -> set[tuple[str, str]]:
    keys = {(name, row[name]) for name in _KEYS if row.get(name)}
    return keys | {("userIds", f"{i['type']}:{i['identifier']}") for i in row.get("userIds") or []}


def overlaps(old: District, new: District, pairs: Pairs, persons: Pairs) -> dict[tuple[str, str], float]:
    """How far the rosters of each pair of classes overlap, when persons with new ids are the same."""
    renamed = dict(persons)
    rosters: list[dict[str, set[str]]] = [{}, {}]
    for roster, night in zip(rosters, (old, new), strict=True):
        for row in night["enrollments"].values():
            if row["role"] == "student":
                user: str = row["userSourcedId"]
                roster.setdefault(row["classSourcedId"], set()).add(renamed.get(user, user))
    found = {}
    for one, other in pairs:
        left, right = rosters[0].get(one, set()), rosters[1].get(other, set())
        found[one, other] = len(left & right) / max(1, len(left | right))
    return found
