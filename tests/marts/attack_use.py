"""Random districts for the marts of licences, use and LMS, and an attacker who adds and subtracts what they publish.

The attacker knows the roster: who is in which school, grade, class and contract. What is hidden is how many of them have an
account, use it, or are in the LMS. A hidden number is recovered if it is a sum or difference of numbers that are shown.
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from .attack import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

PRIME = 2**31 - 1
"""Sums are compared modulo a prime, which is quick, and misses nothing that fractions would find."""
MODELS = (
    ("restricted", "marts", "activity_gap"),
    ("restricted", "marts", "licence_gap"),
    ("restricted", "core", "hidden_product_school"),
    ("restricted", "core", "activity_cell"),
    ("restricted", "core", "licence_cell"),
    ("shared", "shared", "shared_activity_gap"),
    ("shared", "shared", "shared_licence_gap"),
)
TABLES = {
    "licence_scope": "select contract_id, nullif(contract_school_id, '') as contract_school_id, vendor, product, school_id, class_id,"
    " grade, person_id from rows where kind = 'member'",
    "vendor_account": "select distinct vendor, product, vendor as vendor_name, product as product_name, person_id,"
    " is_active = 'true' as is_active, case when is_active = 'true' then date '2026-11-02' end as last_active_on from rows where kind = 'account'",
    "input_licences": "select distinct contract_id, vendor, product, nullif(contract_school_id, '') as school_id, 100 as seats,"
    " date '2026-07-01' as starts_on, date '2027-06-30' as ends_on, 2.5::double as price_per_seat, 'student' as who,"
    " case when contract_id like '% grade %' then 'some' end as grades, case when contract_id like '% course %' then 'some' end as course_codes"
    " from rows where kind = 'member'",
    "dim_school": "select distinct school_id from rows where kind = 'member'",
    "school_blackout": "select '' as school_id where false",
    "school_window": "select distinct school_id, date '2026-10-20' as begin_date from rows where kind = 'member'",
    "current_member": "select school_id, class_id, grade, person_id, 'student' as role from rows where kind = 'member'",
}
COLUMNS = (
    "kind",
    "contract_id",
    "contract_school_id",
    "vendor",
    "product",
    "school_id",
    "class_id",
    "grade",
    "person_id",
)


class Cell(NamedTuple):
    """A row of a mart: its vendor, which is a district, and its keys."""

    mart: str
    vendor: str
    keys: tuple[str, ...]


class UseDistricts:
    """Random districts: a product each, with contracts for the district, schools, grades or courses."""

    def __init__(self, count: int, seed: int) -> None:
        self.persons: defaultdict[Cell, set[int]] = defaultdict(set)
        self._rows: list[tuple[Any, ...]] = []
        self._draw = random.Random(seed)
        self._persons = 0
        for number in range(count):
            self._district(f"vendor {number}")

    def _district(self, vendor: str) -> None:
        draw = self._draw
        members: list[tuple[str, str, str, int]] = []
        for school in range(draw.randint(1, 4)):
            school_id = f"{vendor} school {school}"
            grades = [f"{grade:02}" for grade in range(1, draw.randint(2, 5))]
            mixed: list[tuple[str, int]] = []
            for grade in grades:
                size = draw.choice((2, 4, 9, 12, 20, 45))
                people = range(self._persons, self._persons + size)
                self._persons += size
                sections = draw.randint(1, 3)
                members += [(school_id, f"{school_id} {grade} {n % sections}", grade, n) for n in people]
                mixed += [(grade, n) for n in people if draw.random() < 0.2]
            members += [(school_id, f"{school_id} chorus", grade, n) for grade, n in mixed]
        elsewhere = [its for its in members if draw.random() < 0.03]
        schools = sorted({school for school, *_ in members})
        chorus = f"{schools[0]} chorus"  # beside the school of their home
        members += [(schools[0], chorus, grade, n) for school, _, grade, n in elsewhere if school != schools[0]]
        for kind in draw.sample(("district", "school", "grade", "course"), draw.randint(1, 3)):
            self._contract(vendor, kind, members, schools)
        for person in sorted({n for *_, n in members}):
            if draw.random() < 0.9:
                active = str(draw.random() < 0.5).lower()
                self._rows.append(("account", "", "", vendor, vendor, "", "", active, person))

    def _contract(self, vendor: str, kind: str, members: list[tuple[str, str, str, int]], schools: list[str]) -> None:
        grades = sorted({grade for _, _, grade, _ in members})
        some = set(self._draw.sample(grades, self._draw.randint(1, len(grades))))
        taught = {place for _, place, _, _ in members if self._draw.random() < 0.5}
        for school in schools if kind == "school" else ("",):
            contract = f"{vendor} {kind} {school}"
            for place, class_id, grade, person in members:
                is_in = (kind != "school" or place == school) and (kind != "grade" or grade in some)
                if is_in and (kind != "course" or class_id in taught):
                    self._rows.append(("member", contract, school, vendor, vendor, place, class_id, grade, person))
                    self.persons[Cell("licence_gap", vendor, (contract, school))].add(person)
                    for its_grade in (grade, "all"):
                        for its_class in (class_id, "all"):
                            self.persons[Cell("activity_gap", vendor, (place, its_grade, its_class))].add(person)

    def publish(self, folder: Path, compiled: Path, change: Callable[[str], str] = lambda sql: sql) -> set[Cell]:
        """Run the project's own SQL over the districts, and return the cells that are shown."""
        path = folder / "use.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *self._rows])
        with duckdb.connect() as connection:
            connection.execute(
                f"create temp table rows as select *, grade as is_active from read_csv('{path}', all_varchar = true, nullstr = '-')"
            )
            build(connection, TABLES, MODELS, compiled, change)
            uses = connection.execute(
                "select vendor, school_id, grade, class_id from shared_file.shared.activity_gap where not suppressed"
            ).fetchall()
            bought = connection.execute(
                "select vendor, contract_id, coalesce(school_id, '') from shared_file.shared.licence_gap where not suppressed"
            ).fetchall()
        return {Cell("activity_gap", row[0], row[1:]) for row in uses} | {
            Cell("licence_gap", row[0], row[1:]) for row in bought
        }


def spanned(persons: dict[Cell, set[int]], shown: set[Cell]) -> list[Cell]:
    """Hidden cells that are a sum or difference of those that are shown."""
    by_vendor: defaultdict[str, list[Cell]] = defaultdict(list)
    for cell in persons:
        by_vendor[cell.vendor].append(cell)
    found = []
    for cells in by_vendor.values():
        vectors = atoms(cells, persons)
        rows: dict[int, dict[int, int]] = {}
        for cell in cells:
            if cell in shown:
                left = reduced(vectors[cell], rows)
                if left:
                    pivot = min(left)
                    inverse = pow(left[pivot], -1, PRIME)
                    rows[pivot] = {atom: value * inverse % PRIME for atom, value in left.items()}
        found += [cell for cell in cells if cell not in shown and not reduced(vectors[cell], rows)]
    return found


def atoms(cells: Iterable[Cell], persons: dict[Cell, set[int]]) -> dict[Cell, dict[int, int]]:
    """Each cell as a sum of groups of persons who are in the same cells."""
    member_of: defaultdict[int, list[Cell]] = defaultdict(list)
    for cell in cells:
        for person in persons[cell]:
            member_of[person].append(cell)
    numbers: dict[tuple[Cell, ...], int] = {}
    vectors: defaultdict[Cell, dict[int, int]] = defaultdict(dict)
    for own in member_of.values():
        number = numbers.setdefault(tuple(own), len(numbers))
        for cell in own:
            vectors[cell][number] = 1
    return vectors


def reduced(vector: dict[int, int], rows: dict[int, dict[int, int]]) -> dict[int, int]:
    """What is left of a sum after those that are known."""
    left, done = dict(vector), set()
    while pivots := [atom for atom in left if atom in rows and atom not in done]:
        pivot = min(pivots)
        done.add(pivot)
        factor = left[pivot]
        for atom, value in rows[pivot].items():
            new = (left.get(atom, 0) - factor * value) % PRIME
            if new:
                left[atom] = new
            else:
                left.pop(atom, None)
    return left


def few_together(persons: dict[Cell, set[int]], shown: set[Cell], least: int = 10) -> list[Cell]:
    """Totals that are shown while those of their parts that are hidden have few persons together."""
    found = []
    parts: defaultdict[Cell, list[Cell]] = defaultdict(list)
    for cell in persons:
        if cell.mart == "activity_gap" and cell.keys[1] != "all" and cell.keys[2] == "all":
            parts[cell._replace(keys=(cell.keys[0], "all", "all"))].append(cell)
    for total, cells in parts.items():
        hidden: set[int] = set().union(*(persons[cell] for cell in cells if cell not in shown))
        if total in shown and 0 < len(hidden) < least:
            found.append(total)
    return found
