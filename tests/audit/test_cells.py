"""Cells and sums: before + added - removed = now, everywhere, and totals come from rows."""

from __future__ import annotations

import copy
import random
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING

from oneroster_audit._core.model import file
from oneroster_audit.cells import tally
from oneroster_audit.diff import GRADE_RANK, dimensions, moves, places_at
from oneroster_audit.warehouse import Warehouse, sql

from tests.audit.nights import House, district, enroll, without

if TYPE_CHECKING:
    from pathlib import Path

    from tests.audit.conftest import Desk
    from tests.audit.nights import District


def test_a_class_of_two_terms_stands_in_both(desk: Desk) -> None:
    """Its enrollments count in each term, and once in the school and in the file."""
    rows = district(1, students=10, classes=1)
    rows["classes"]["s1-c0"]["termSourcedIds"] = ["t1", "t2"]
    desk.audit(rows)
    cells = desk.cells(1, "enrollments")
    assert cells["s1", "student", "t1"][-1] == cells["s1", "student", "t2"][-1] == 10
    assert cells["s1", "student", "*"][-1] == 10
    assert cells["*", "*", "*"][-1] == cells["s1", "*", "*"][-1] == 11
    assert cells["*", "*", "t1"][-1] == 11


def test_a_class_that_moves_to_another_term(desk: Desk) -> None:
    """Trap 3: its enrollments leave one cell and enter another, and nothing is lost in the school."""
    rows = district(1, students=10, classes=1)
    desk.audit(rows)
    moved = copy.deepcopy(rows)
    moved["classes"]["s1-c0"]["termSourcedIds"] = ["t1"]
    desk.audit(moved)
    cells = desk.cells(2, "enrollments")
    assert cells["s1", "student", "t2"] == (10, 0, 10, 0, 0)
    assert cells["s1", "student", "t1"] == (0, 10, 0, 0, 10)
    assert cells["s1", "*", "*"] == cells["*", "*", "*"] == (11, 0, 0, 0, 11)
    assert desk.cells(2, "classes")["*", "*", "*"] == (1, 0, 0, 1, 1)


def test_a_class_that_arrives_after_its_enrollments(desk: Desk) -> None:
    """Enrollments that waited for their class move into its term, though nothing changed in them, and back again."""
    rows = district(1, students=10, classes=2)
    late = without(rows, "classes", ["s1-c0"])
    desk.audit(late)
    desk.audit(rows)
    cells = desk.cells(2, "enrollments")
    assert cells["s1", "student", ""] == (10, 0, 10, 0, 0)
    assert cells["s1", "student", "t2"] == (0, 10, 0, 0, 10)
    assert cells["*", "*", "*"] == (22, 0, 0, 0, 22)
    desk.audit(late, 3)
    assert desk.cells(3, "enrollments")["s1", "student", ""] == (0, 10, 0, 0, 10)


def test_a_user_of_two_schools(desk: Desk) -> None:
    """A teacher of two schools stands in each, and once in the total."""
    rows = district(2, students=3, classes=1)
    rows["roles"]["second"] = {
        "sourcedId": "second",
        "userSourcedId": "s1-teacher",
        "role": "teacher",
        "orgSourcedId": "s2",
    }
    desk.audit(rows)
    cells = desk.cells(1, "users")
    assert cells["s1", "*", "*"][-1] == 4
    assert cells["s2", "*", "*"][-1] == 5
    assert cells["*", "*", "*"][-1] == 8


def test_a_transfer(desk: Desk) -> None:
    """Trap 1: a student who moves leaves one school and enters the other; it is no loss of the district's."""
    rows = district(2, students=5, classes=2)
    desk.audit(rows)
    moved = copy.deepcopy(rows)
    moved["roles"]["s1-p1-r"]["orgSourcedId"] = "s2"
    for c in (0, 1):
        del moved["enrollments"][f"s1-c{c}-s1-p1"]
        enroll(moved, f"s2-c{c}", "s1-p1")
    desk.audit(moved)
    assert desk.cells(2, "users")["s1", "*", "*"] == (6, 0, 1, 0, 5)
    assert desk.cells(2, "users")["s2", "*", "*"] == (6, 1, 0, 0, 7)
    assert desk.cells(2, "users")["*", "*", "*"] == (12, 0, 0, 0, 12)
    assert desk.cells(2, "roles")["*", "*", "*"] == (12, 0, 0, 1, 12)
    assert desk.store("SELECT school_id, reason, enrollments, students FROM reasons") == [
        ("s1", "moved to another school", 2, 1)
    ]


def test_metadata_and_dates_are_no_change(desk: Desk) -> None:
    """Trap 34: metadata, status and dateLastModified are no columns of a diff; any other column is."""
    rows = district(1, students=4, classes=1)
    desk.audit(rows)
    new = copy.deepcopy(rows)
    new["users"]["s1-p1"] |= {
        "metadata": {"locker": "7"},
        "dateLastModified": "2026-09-14T00:00:00Z",
        "status": "active",
    }
    desk.audit(new)
    assert desk.cells(2, "users")["*", "*", "*"] == (5, 0, 0, 0, 5)
    new = copy.deepcopy(new)
    new["users"]["s1-p1"]["phone"] = "1"
    desk.audit(new)
    assert desk.cells(3, "users")["*", "*", "*"] == (5, 0, 0, 1, 5)


def mutate(rows: District, dice: random.Random) -> District:
    """A random night after another one."""
    new = copy.deepcopy(rows)
    for key in list(new["enrollments"]):
        roll = dice.random()
        if roll < 0.1:
            del new["enrollments"][key]
        elif roll < 0.2:
            new["enrollments"][key] |= dice.choice(
                [{"role": "teacher"}, {"schoolSourcedId": dice.choice(["s1", "s2", None])}, {"beginDate": "2026-09-01"},
                 {"classSourcedId": dice.choice([*new["classes"], "nowhere"])}, {"endDate": "2026-09-10"}]
            )  # fmt: skip
    for row in new["classes"].values():
        if dice.random() < 0.2:
            row["termSourcedIds"] = dice.choice([["t1"], ["t2"], ["t1", "t2"], [], ["t2", "t2"]])
    for key in list(new["roles"]):
        if dice.random() < 0.1:
            new["roles"][key] = new["roles"][key] | {"orgSourcedId": dice.choice(["s1", "s2"])}
        elif dice.random() < 0.05:
            del new["roles"][key]
    for n in range(dice.randrange(3)):
        class_id = dice.choice([k for k in new["classes"] if new["classes"][k]["schoolSourcedId"]])
        enroll(new, class_id, f"new{dice.randrange(10**6)}-{n}", dice.choice(["student", "teacher"]))
    return new


def counted(rows: District) -> dict[tuple[str, str, str], set[str]]:
    """Which enrollments stand in each cell and sum, counted one by one."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for key, row in rows["enrollments"].items():
        terms = set(rows["classes"].get(row.get("classSourcedId") or "", {}).get("termSourcedIds") or [""])
        school, role = row.get("schoolSourcedId") or "", row.get("role") or ""
        for term in terms:
            for cell in (
                (school, role, term),
                (school, role, "*"),
                (school, "*", "*"),
                ("*", role, "*"),
                ("*", "*", term),
                ("*", "*", "*"),
            ):
                found.setdefault(cell, set()).add(key)
    return found


def test_sums_of_two_hundred_random_nights(tmp_path: Path) -> None:
    """Each of 21 loads beside each later one: every cell and sum equals a count one by one, and so do the reasons."""
    dice = random.Random(14)
    house = House(tmp_path / "warehouse.duckdb")
    nights = [district(2, students=5, classes=4)]
    while len(nights) < 21:
        nights.append(mutate(nights[-1], dice))
    for rows in nights:
        house.load(rows)
    of = file("enrollments")
    with Warehouse(house.path, "oneroster", "") as warehouse:
        warehouse.run(GRADE_RANK)
        places = [places_at(warehouse, of, n + 1) for n in range(21)]
        for a, b in combinations(range(21), 2):
            moved = moves(warehouse, of, a + 1, b + 1, date.min)
            cells = tally(of.name, dimensions(of), places[a], places[b], moved)
            was, now = counted(nights[a]), counted(nights[b])
            wanted = {
                cell: (len(x := was.get(cell, set())), len((y := now.get(cell, set())) - x), len(x - y), len(y))
                for cell in was.keys() | now.keys()
            }
            assert {c[1:]: (n.before, n.added, n.removed, n.now) for c, n in cells.items() if c[1:] in wanted} == wanted
            assert all(count.adds_up for count in cells.values())
            reasons = warehouse.run(
                f"SELECT school, count(*) FROM ({sql('checks/reasons.sql')}) GROUP BY 1", baseline=a + 1, load=b + 1
            )
            gone = {c[0]: n[2] for c, n in wanted.items() if c[0] != "*" and c[1:] == ("student", "*") and n[2]}
            assert dict(reasons) == gone, (a, b)


def test_sums_of_random_nights(desk: Desk) -> None:
    """The commands count the same: against the baseline of each school, and reasons add up to removals."""
    dice = random.Random(0)
    desk.policy("max_age_hours: 1000000\nsmall: 1000000\n")
    rows = district(2, students=6, classes=4)
    desk.house.load(rows)
    assert desk("run") == 0
    for night in range(2, 5):
        new = mutate(rows, dice)
        desk.house.load(new)
        assert desk("run") in (0, 3), desk.err
        cells = desk.cells(night, "enrollments")
        baselines = {row[0] for row in desk.store(f"SELECT baseline FROM loads WHERE load = {night}")}
        was, now = counted(rows), counted(new)
        for cell in was.keys() | now.keys():
            before, after = was.get(cell, set()), now.get(cell, set())
            assert cells.get(cell, (0,))[-1] == len(after), (cell, baselines)
            if baselines == {night - 1} and not desk.store(f"SELECT 1 FROM schools WHERE load = {night - 1} AND held"):
                assert cells[cell][:3] == (len(before), len(after - before), len(before - after)), cell
        for before_, added, removed, _, now_ in cells.values():
            assert before_ + added - removed == now_
        sums = dict(desk.store(f"SELECT school_id, sum(enrollments)::INT FROM reasons WHERE load = {night} GROUP BY 1"))
        for (school, role, term), row in cells.items():
            if school != "*" and (role, term) == ("student", "*"):
                assert sums.get(school, 0) == row[2]
        rows = new
