"""Who subtracts what is published, within a table and across tables, computes no hidden cell."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from oneroster_marts import project

from .attack import Districts, recovered
from .attack_next import Schools
from .attack_use import UseDistricts, few_together, spanned

if TYPE_CHECKING:
    from pathlib import Path

    from .warehouses import Desk

RULES = {
    "further cells are hidden beside small ones": ("small_cells > 0 and not (", "false and not ("),
    "hidden cells count enough persons together": (">= 10)", ">= 0)"),
    "groups that tell each other hide the same": (
        "hidden.sizes = related.from_sizes",
        "hidden.sizes = related.from_sizes and related.from_sizes = related.to_sizes",
    ),
    "groups of the same students hide the same": (
        "cells.sizes = spread.sizes",
        "cells.sizes = spread.sizes and cells.mart = 'cohort_results'",
    ),
}
"""A rule, its words in the SQL, and words that switch it off."""
RULES_OF_USE = {
    "a small school is not hidden alone": ("small_cells > 0 and not (", "false and not ("),
    "few persons of several schools count": ("shared_persons between 1 and 9", "false"),
    "small grades are hidden with others": ("is_grade and not is_small and small_grades > 0", "false"),
    "beside parted contracts there are no rows of small parts": ("is_parted and smallest_of_all < 10", "false"),
    "contracts that few persons tell apart are hidden": ("other_part.part - common.part < 10", "false"),
}

RULES_OF_SCHOOLS = {
    "a rate of few is hidden": ("telling_flagged < 10", "telling_flagged < 0"),
    "further rates are hidden beside it": ("small_cells > 0 and not (", "false and not ("),
    "a total that tells the list of a grade is hidden": ("hidden.grades_telling > 0", "false"),
    "a total that tells few of several grades is hidden": ("hidden.telling >= 10", "true"),
    "a grade that other marts show hides no other": ("hidden.grades_elsewhere = 0", "true"),
    "of two courses that make up a third it is not said who left": ("few.started < 10", "few.started < 0"),
}


@pytest.fixture(scope="module")
def compiled(duckdb_desk: Desk) -> Path:
    """The project's SQL as dbt ran it."""
    return duckdb_desk.folder / "target" / "compiled" / "oneroster_marts" / "models"


@pytest.fixture(scope="module")
def districts() -> Districts:
    return Districts(200, seed=7)


def test_nobody_recovers_a_hidden_cell_of_200_districts(districts: Districts, compiled: Path, tmp_path: Path) -> None:
    published = districts.publish(tmp_path, compiled)
    shown = [row for row, is_shown in published.items() if is_shown]
    assert len(shown) > 5_000
    assert len(published) - len(shown) > 2_000
    assert recovered(districts, published) == []


@pytest.mark.parametrize("rule", RULES)
def test_without_a_rule_somebody_recovers_cells(
    rule: str, districts: Districts, compiled: Path, tmp_path: Path
) -> None:
    words, other = RULES[rule]
    used = []

    def switch_off(sql: str) -> str:
        used.append(words in sql)
        return sql.replace(words, other)

    published = districts.publish(tmp_path, compiled, switch_off)
    assert any(used)
    assert len(recovered(districts, published)) > 10


@pytest.fixture(scope="module")
def vendors() -> UseDistricts:
    return UseDistricts(200, seed=7)


def test_nobody_recovers_the_use_of_few_persons_in_200_districts(
    vendors: UseDistricts, compiled: Path, tmp_path: Path
) -> None:
    """From all rows of licences and use together, with what contracts of the district, schools, grades and courses share.

    A number of ten persons or more that is hidden beside a small one may stand elsewhere, too: a grade of one class, for example.
    """
    shown = vendors.publish(tmp_path, compiled)
    assert len([cell for cell in shown if cell.mart == "licence_gap"]) > 200
    assert len([cell for cell in shown if cell.mart == "activity_gap"]) > 100
    assert len([cell for cell, persons in vendors.persons.items() if len(persons) < 10]) > 1_000
    assert [cell for cell in spanned(vendors.persons, shown) if len(vendors.persons[cell]) < 10] == []
    assert few_together(vendors.persons, shown) == []


@pytest.mark.parametrize("rule", RULES_OF_USE)
def test_without_a_rule_of_use_somebody_recovers_numbers(
    rule: str, vendors: UseDistricts, compiled: Path, tmp_path: Path
) -> None:
    words, other = RULES_OF_USE[rule]
    used = []

    def switch_off(sql: str) -> str:
        used.append(words in sql)
        return sql.replace(words, other)

    shown = vendors.publish(tmp_path, compiled, switch_off)
    assert any(used)
    small = [cell for cell in spanned(vendors.persons, shown) if len(vendors.persons[cell]) < 10]
    assert len(small + few_together(vendors.persons, shown)) > 0


@pytest.fixture(scope="module")
def schools() -> Schools:
    return Schools(200, seed=7)


def test_nobody_recovers_who_is_on_the_list_left_or_teaches_in_200_schools(
    schools: Schools, compiled: Path, tmp_path: Path
) -> None:
    """Shares of the worklist with numbers of the cockpit and of demographics, those who left courses, loads of teachers, and moves.

    cohort_results has nothing of what course_completion counts but who is in a course, which the attacker knows.
    """
    shown = schools.publish(tmp_path, compiled)
    numbers = Counter(cell.mart for cell in shown)
    least = {
        "flagged": 200,
        "not_judged": 200,
        "percent": 800,
        "attendance": 200,
        "left": 600,
        "teachers": 300,
        "moves": 200,
    }
    assert {name: numbers[name] >= n for name, n in least.items()} == dict.fromkeys(least, True), numbers
    assert len(schools.persons.keys() - shown) > 4_000
    assert schools.told(shown) == []


@pytest.mark.parametrize("rule", RULES_OF_SCHOOLS)
def test_without_a_rule_of_schools_somebody_recovers_numbers(
    rule: str, schools: Schools, compiled: Path, tmp_path: Path
) -> None:
    words, other = RULES_OF_SCHOOLS[rule]
    used = []

    def switch_off(sql: str) -> str:
        used.append(words in sql)
        return sql.replace(words, other)

    shown = schools.publish(tmp_path, compiled, switch_off)
    assert any(used)
    assert schools.told(shown) != []


def test_no_shared_table_of_results_or_moves_is_made_without_the_macro() -> None:
    """Only counts of the roster, the state of the feed, and names of schools, courses and terms are shown as they are."""
    plain = set()
    for path in (project.folder() / "models" / "shared").glob("*.sql"):
        if "{{ suppress(" not in path.read_text(encoding="utf-8"):
            plain.add(path.stem.removeprefix("shared_"))
    assert plain == {"class_load", "enrollment_count", "feed_health", "input_status", "label"}
