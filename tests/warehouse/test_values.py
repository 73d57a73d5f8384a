"""Values of other taps in the warehouse: read as the tap reads them, on the quick way in and on the slow one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from target_oneroster.errors import TargetError

from tests.support.foreign import MOMENTS, WAYS, messages
from tests.target.mini import lines, row, rows

if TYPE_CHECKING:
    from .conftest import House


@WAYS
def test_every_form_of_iso_8601_is_a_moment(house: House, quick: bool) -> None:
    """Times without a zone are those of `source_time_zone`."""
    users = [dict(rows()["users"][0], sourcedId=text, dateLastModified=text) for text in MOMENTS]
    house.run(messages({"users": users}, quick=quick), source_time_zone="America/Chicago")
    found = {key: one["dateLastModified"].astimezone(UTC) for key, one in house.rows("users").items()}
    assert found == {text: datetime.fromisoformat(value) for text, value in MOMENTS.items()}


def test_a_zone_that_does_not_exist_is_refused(house: House) -> None:
    with pytest.raises(TargetError, match="source_time_zone: no such time zone"):
        house.run(lines(rows()), source_time_zone="Mars/Base")


@WAYS
def test_ids_words_and_other_spellings_are_read(house: House, quick: bool) -> None:
    """Blanks around ids go, words are folded, NULL is nothing, and all of it is counted."""
    district = rows()
    row(district, "orgs", "s1")["type"] = "School"
    seat = row(district, "enrollments", "e1")
    seat |= {"sourcedId": "e1   ", "userSourcedId": "\u00a0u1", "role": "Student", "beginDate": "2024-10-01Z"}
    row(district, "users", "u1")["email"] = "NULL"
    house.run(messages(district, quick=quick))
    seat = house.rows("enrollments")["e1"]
    assert (seat["userSourcedId"], seat["role"], seat["beginDate"]) == ("u1", "student", date(2024, 10, 1))
    assert house.rows("orgs")["s1"]["type"] == "school"
    assert house.rows("users")["u1"]["email"] is None
    assert house.outcome.deviations == {
        ("orgs", "type: word in another case"): 1,
        ("enrollments", "sourcedId: blanks around an id"): 1,
        ("enrollments", "userSourcedId: blanks around an id"): 1,
        ("enrollments", "role: word in another case"): 1,
        ("enrollments", "beginDate: date in another notation"): 1,
        ("users", "email: the text NULL"): 1,
    }


def test_other_words_and_decimal_commas_are_read(house: House) -> None:
    """As the tap reads them."""
    district = rows()
    row(district, "enrollments", "e2")["primary"] = "y"
    row(district, "results", "x1")["score"] = "1,5"
    house.run(messages(district, quick=False))
    assert house.rows("enrollments")["e2"]["primary"] is True
    assert house.rows("results")["x1"]["score"] == 1.5
