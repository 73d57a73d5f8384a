"""No page is larger than 500 kB, however large the school, however long the names, and in any script: what is left out is said."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, cast

import pytest
from oneroster_marts.pages.contents import Contents, School
from oneroster_marts.pages.counsellor import Counsel
from oneroster_marts.pages.licences import licences_page
from oneroster_marts.pages.membership import Membership
from oneroster_marts.pages.school import school_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oneroster_marts.reader import Reader

MOST = 500_000
TODAY = date(2026, 11, 16)
NAMES = ["N'Golo & D'Angelo", "\N{CJK UNIFIED IDEOGRAPH-5B66}" * 16, "<i>" * 5]
"""Names that become longer as they are written: escaped, and of three bytes a letter."""
CLASSES, MEMBERS = 1_000, 60


class Rows:
    """In place of a reader: gives each query of a page, by its name or its table, rows that were made up."""

    def __init__(self, **rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def table(self, name: str, *_: str) -> str:
        """Return the name."""
        return name

    def source(self, name: str) -> str:
        """Return the name."""
        return name

    def quote(self, name: str) -> str:
        """Return the name."""
        return name

    def by_school(self, queries: dict[str, str]) -> Iterator[tuple[str, dict[str, list[dict[str, Any]]]]]:
        """Yield the only school."""
        yield "1", {name: self._rows[name] for name in queries}

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of the only table that a query reads."""
        return next(rows for name, rows in self._rows.items() if name in query)


def reader(**rows: list[dict[str, Any]]) -> Reader:
    return cast("Reader", Rows(**rows))


def school(name: str, **rows: list[dict[str, Any]]) -> School:
    of = Contents(TODAY, 10, is_restricted=True, names={"course": {f"c{n}": f"{n} {name * 3}" for n in range(CLASSES)}})
    return School("1", name, of, rows)


def assert_small(page: str, *said: str) -> None:
    assert 100_000 < len(page.encode()) <= MOST
    for words in said:
        assert re.search(rf"[\d,]+ {words}", page), words


@pytest.mark.parametrize("name", NAMES)
def test_the_memberships_of_a_large_school(name: str) -> None:
    people = [{"school_id": "1", "person_id": f"p{n}", "given": name, "family": f"{n}"} for n in range(3_000)]
    members = [
        {"class_id": f"c{n}", "title": name, "role": "student", "person_id": f"p{(7 * n + m) % 3_000}"}
        for n in range(CLASSES)
        for m in range(MEMBERS)
    ]
    out = [row | {"kind": "only_roster", "lms": name} for row in members[:5_000]]
    its = school(name)
    page = Membership(reader(people=people, members=members, out=out), its.of, names=True).page(its)
    assert_small(
        page,
        "more classes are in table restricted.fct_enrollment",
        "more members are in table restricted.lms_member_kind",
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_list_of_a_counsellor_of_a_large_school(name: str) -> None:
    reasons = f"{name * 3}: 61 % in the last four weeks, 78 % before; 5 results. " * 2
    listed = [
        {"student_id": f"p{n}", "school_id": "1", "status": status, "tier": 1, "reasons": reasons, "grade": "07"}
        for status in ("new", "still", "resolved", "cannot say")
        for n in range(2_000)
    ]
    people = [{"school_id": "1", "person_id": f"p{n}", "given": name, "family": f"{n}"} for n in range(2_000)]
    its = school(name)
    page = Counsel(reader(people=people, list=listed, work=[], due=[]), its.of, names=True).page(its)
    assert_small(page, "more are in table restricted.worklist", "more students are in table restricted.worklist")


@pytest.mark.parametrize("name", NAMES)
def test_a_school_of_very_many_courses(name: str) -> None:
    classes = [
        {
            "course_id": f"c{n % 500}",
            "term_id": "t",
            "students": 20 + n % 9,
            "teachers": 1,
            "course_median_students": 22,
        }
        for n in range(20 * CLASSES)
    ]
    rates = {
        "term_id": "t",
        "started": 90,
        "dropped": 1,
        "in_progress": 0,
        "graded": 80,
        "passed": 60,
        "pass_rate": 75.0,
    }
    courses = [rates | {"course_id": f"c{n}", "suppressed": False} for n in range(CLASSES)]
    counts = {"students": 60, "classes": 9, "mean_class_size": 25.0, "p90_class_size": 26.0, "day": TODAY}
    none: dict[str, list[dict[str, Any]]] = {name: [] for name in ("cockpit", "moves", "teachers", "lms")}
    grades = [counts | {"grade": f"{n:02}"} for n in range(1, 13)]
    page = school_page(school(name, classes=classes, courses=courses, enrollment=grades, **none))
    assert_small(page, "more courses are in the mart")


@pytest.mark.parametrize("name", NAMES)
def test_licences_of_many_products_at_many_schools(name: str) -> None:
    contract = {"vendor": name, "seats": 900, "entitled": 800, "matched": 790, "active_30": 500, "unused_seats": 400}
    contract |= {"over_use": 0, "match_rate": 99.0, "cost_unused": 1_000.0, "suppressed": False, "school_id": None}
    gaps = [contract | {"contract_id": f"k{n}", "product": f"{n} {name}"} for n in range(800)]
    use = {"vendor": name, "enrolled": 800, "matched": 700, "active_30": 500, "suppressed": False}
    uses = [use | {"product": f"{n} {name}", "school_id": f"{m} {name}"} for n in range(60) for m in range(740)]
    page = licences_page(reader(licence_gap=gaps, activity_gap=uses), school(name).of)
    assert_small(
        page, "more contracts are in the mart", "more schools are in mart activity_gap", "more products are in"
    )
