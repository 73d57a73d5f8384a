"""Every version of a row: a student who moves to another class stays in the old one's history."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.target.mini import record_line, rows, schema_line

from .test_deletes import activate

if TYPE_CHECKING:
    from .conftest import House

DAY = "strftime(timezone('UTC', {}), '%d')"
VERSIONS = f"""
    SELECT "classSourcedId", {DAY.format("_sdc_first_seen_at")}, {DAY.format("_sdc_ended_at")},
           _sdc_deleted_at IS NOT NULL, _sdc_first_load, _sdc_ended_load
    FROM enrollments_history WHERE "sourcedId" = 'e1' ORDER BY _sdc_first_seen_at
"""


def night(house: House, day: int, *seats: dict[str, Any], whole: bool = True, **config: Any) -> None:
    """A run that read these enrollments on that day of September."""
    read = {"time_extracted": f"2026-09-{day:02}T12:00:00Z"}
    messages = [schema_line("enrollments"), *(record_line("enrollments", seat, day) | read for seat in seats)]
    house.run([*messages, *([activate("enrollments", day)] if whole else [])], **({"history": True} | config))


@pytest.fixture
def seat() -> dict[str, Any]:
    return dict(rows()["enrollments"][0], sourcedId="e1", classSourcedId="k1")


@pytest.fixture
def other() -> dict[str, Any]:
    return dict(rows()["enrollments"][0], sourcedId="e2")


def test_a_transfer_leaves_both_classes(house: House, seat: Any, other: Any) -> None:
    """First seen and ended, as a time and as a load; the table itself knows only the present."""
    night(house, 1, seat, other)
    night(house, 2, seat, other)
    night(house, 5, dict(seat, classSourcedId="k2"), other)
    night(house, 6, dict(seat, classSourcedId="k2"), other)
    assert house.query(VERSIONS) == [("k1", "01", "05", False, 1, 3), ("k2", "05", None, False, 3, None)]
    assert house.rows("enrollments")["e1"]["classSourcedId"] == "k2"
    assert house.query("SELECT count(*) FROM enrollments_history WHERE \"sourcedId\" = 'e2'") == [(1,)]


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
def test_what_goes_and_comes_back_has_two_versions(house: House, seat: Any, other: Any, hard: bool) -> None:
    """Gone without a word, back, then gone by the source's own mark."""
    night(house, 1, seat, other, hard_delete=hard)
    night(house, 2, other, hard_delete=hard)
    night(house, 3, seat, other, hard_delete=hard)
    night(house, 4, dict(seat, status="tobedeleted"), whole=False, hard_delete=hard)
    night(house, 5, dict(seat, status="tobedeleted"), whole=False, hard_delete=hard)
    found = house.query(VERSIONS)
    assert [row[1:2] + row[3:] for row in found] == [("01", True, 1, 2), ("03", True, 3, 4)]
    assert found[1][2] == "04"


def test_the_time_of_change_alone_makes_no_version(house: House, seat: Any) -> None:
    """Services touch rows; other services change them and leave `dateLastModified` as it was."""
    night(house, 1, seat)
    night(house, 2, dict(seat, dateLastModified="2026-09-02T00:00:00.000Z"))
    assert len(house.query(VERSIONS)) == 1
    assert house.rows("enrollments")["e1"]["dateLastModified"] > datetime.fromisoformat("2026-09-01T00:00:00Z")
    night(house, 3, dict(seat, dateLastModified="2026-09-02T00:00:00.000Z", role="aide"))
    assert len(house.query(VERSIONS)) == 2


def test_a_history_that_is_turned_on_later_begins_with_what_is_there(house: House, seat: Any) -> None:
    night(house, 1, seat, history=False)
    night(house, 4, dict(seat, classSourcedId="k2"))
    assert house.query(VERSIONS) == [("k1", "01", "04", False, 1, 2), ("k2", "04", None, False, 2, None)]


def test_a_read_that_is_repeated_adds_nothing(house: House, seat: Any, other: Any) -> None:
    """A run whose state was lost reads the same again."""
    night(house, 1, seat, other)
    before = house.query("SELECT * FROM enrollments_history ORDER BY 1")
    night(house, 1, seat, other)
    assert house.query("SELECT * FROM enrollments_history ORDER BY 1") == before
