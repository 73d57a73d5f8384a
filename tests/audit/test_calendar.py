"""The calendar at work: what it holds, what it lets pass, and on which days."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.audit.conftest import POLICY, found
from tests.audit.nights import district, enroll, lost_from, of_school, without

if TYPE_CHECKING:
    from tests.audit.conftest import Desk


def test_a_blackout_holds_everything_as_planned(desk: Desk) -> None:
    """Nothing is released and exit is 0; the findings of the night are shown all the same."""
    desk.policy(POLICY + "calendar:\n- {from: 2026-09-15, to: 2026-09-15, rule: blackout}\n")
    rows = district(3)
    desk.audit(rows)
    report = desk.audit(lost_from(rows, "s2", 78))
    assert report["verdict"] == "held"
    assert len(report["held_schools"]) == 3
    assert found(report, "calendar.blackout")
    assert found(report, "brake.lost")
    assert set(desk.released().values()) == {1}
    report = desk.audit(rows)
    assert (report["verdict"], set(desk.released().values())) == ("noted", {3})


def test_additions_only(desk: Desk) -> None:
    """Additions pass; a school with removals or changes waits as planned."""
    desk.policy(POLICY + "calendar:\n- {from: 2026-09-15, to: 2026-09-15, rule: additions_only}\n")
    rows = district(3)
    desk.audit(rows)
    new = copy.deepcopy(rows)
    new["users"]["s1-new"] = rows["users"]["s1-p1"] | {"sourcedId": "s1-new"}
    new["roles"]["s1-new-r"] = rows["roles"]["s1-p1-r"] | {"sourcedId": "s1-new-r", "userSourcedId": "s1-new"}
    enroll(new, "s1-c0", "s1-new")
    del new["enrollments"]["s2-c0-s2-p1"]
    report = desk.audit(new)
    assert [s["id"] for s in report["held_schools"]] == ["s2"]
    assert [(f["school"], f["now"]) for f in found(report, "calendar.additions-only")] == [("s2", 1)]
    assert desk.released() == {"s1": 2, "s2": 1, "s3": 2}


@pytest.mark.parametrize(("day", "code"), [("2026-09-15", 0), ("2026-09-14", 3)])
def test_a_term_that_ends_inside_and_outside_of_its_window(desk: Desk, day: str, code: int) -> None:
    """Inside of the window the term may empty, and sums leave it out; a day later the same is held."""
    desk.policy(POLICY + f"calendar:\n- {{from: 2026-09-01, to: {day}, rule: rollover, terms: [t1]}}\n")
    rows = district(2, students=40, classes=2)
    desk.audit(rows)
    over = [k for k, row in rows["enrollments"].items() if "-c1-" in k]
    report = desk.audit(without(rows, "enrollments", over), code=code)
    assert bool(found(report, "brake.lost")) == bool(code)
    if not code:  # the other term is judged as ever
        rest = [k for k, row in rows["enrollments"].items() if "-c0-" in k and k.startswith("s1")]
        report = desk.audit(without(rows, "enrollments", over + rest[:20]), code=3)
        assert [s["id"] for s in report["held_schools"]] == ["s1"]


@pytest.mark.parametrize(
    ("at", "held"),
    [
        (datetime(2027, 3, 14, 5, 59, tzinfo=UTC), False),
        (datetime(2027, 3, 14, 6, 0, tzinfo=UTC), True),
        (datetime(2027, 3, 15, 4, 59, tzinfo=UTC), True),
        (datetime(2027, 3, 15, 5, 0, tzinfo=UTC), False),
    ],
)
def test_the_day_is_that_of_the_district(desk: Desk, at: datetime, held: bool) -> None:
    """When clocks go forward in Chicago, 14 March 2027 lasts 23 hours: from 6:00 UTC to 5:00 UTC of the 15th."""
    desk.policy(POLICY + "calendar:\n- {from: 2027-03-14, to: 2027-03-14, rule: blackout}\n")
    report = desk.audit(district(1, students=3, classes=1), at=at)
    assert (report["verdict"] == "held") is held


def test_the_limit_of_a_school_ends(desk: Desk) -> None:
    """A school's own limit lets it lose more, until its last day."""
    for until, code in (("2026-09-15", 0), ("2026-09-14", 3)):
        desk.house = type(desk.house)(desk.folder / f"w{code}.duckdb")
        limits = f"limits: {{schools: {{s2: {{lost_percent: 60, reason: alternative school, until: {until}}}}}}}\n"
        desk.policy(POLICY.replace("warehouse.duckdb", f"w{code}.duckdb") + f"store: s{code}.duckdb\n" + limits)
        rows = district(8)
        desk.audit(rows)
        desk.audit(lost_from(rows, "s2", 78), code=code)


def test_a_closed_school_with_a_date_in_the_calendar(desk: Desk) -> None:
    """Trap 28: a school that empties is a finding at any size, but not in its rollover of 100 %."""
    rule = "calendar:\n- {from: 2026-09-15, to: 2026-09-15, rule: rollover, lost_percent: 100, schools: [s2]}\n"
    desk.policy(POLICY + rule)
    rows = district(8)
    desk.audit(rows)
    gone = without(rows, "enrollments", of_school(rows, "enrollments", "s2"))
    report = desk.audit(gone)
    assert not found(report, "brake.empty-school")
