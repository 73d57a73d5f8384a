"""The brake by cell: what is lost where, and whom that holds."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.audit.conftest import POLICY, found
from tests.audit.nights import FIRST, district, enroll, of_school

if TYPE_CHECKING:
    from tests.audit.conftest import Desk
    from tests.audit.nights import District


def rebuilt(rows: District, school: str) -> District:
    """The same night with the calendar of a school rebuilt: its classes and enrollments come under new ids."""
    new = copy.deepcopy(rows)
    for name, column in (("classes", ""), ("enrollments", "classSourcedId")):
        for key in of_school(rows, name, school):
            row = new[name].pop(key)
            row["sourcedId"] = f"new-{key}"
            if column:
                row[column] = f"new-{row[column]}"
            new[name][row["sourcedId"]] = row
    return new


def test_one_rebuilt_school_is_held_and_no_other(desk: Desk) -> None:
    """One of 40 schools comes under new ids: a district-wide limit of 25 % is silent, and that school alone is held."""
    rows = district(40, students=25, classes=3)
    assert desk.audit(rows)["verdict"] in ("passed", "noted")
    report = desk.audit(rebuilt(rows, "s7"), code=3)
    total = next(f for f in report["files"] if f["file"] == "enrollments")
    assert total["removed"] * 100 < total["before"] * 25
    assert report["verdict"] == "held"
    assert report["held_schools"] == [{"id": "s7", "name": "School 7"}]
    assert desk.released() == {f"s{n}": 1 if n == 7 else 2 for n in range(1, 41)}
