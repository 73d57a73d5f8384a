"""Approval: who releases what is held, and what stays held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.audit.nights import district, lost_from

if TYPE_CHECKING:
    from tests.audit.conftest import Desk

BY = ("--by", "Ada", "--reason", "moved to another campus")


def test_a_school_is_approved_and_another_stays_held(desk: Desk) -> None:
    """The school is released, its rows are the baseline, and the approval does not cover a later load."""
    rows = district()
    desk.audit(rows)
    half = lost_from(lost_from(rows, "s2", 78), "s3", 78)
    desk.audit(half, code=3)
    assert desk("approve", "2", "--school", "s2", *BY) == 0, desk.err
    report = desk.report()
    assert [s["id"] for s in report["held_schools"]] == ["s3"]
    assert desk.released() == {f"s{n}": 1 if n == 3 else 2 for n in range(1, 9)}
    assert desk("run") == 3
    assert desk("approve", "2", *BY) == 0, desk.err
    assert set(desk.released().values()) == {2}
    assert desk("run") == 0
    assert desk.report()["verdict"] == "noted"
    # Nor is the approved school held for the slow leak of the same rows.
    assert desk.audit(half)["verdict"] == "noted"
    desk.audit(lost_from(half, "s2", 70), code=3)


def test_an_approval_that_is_refused(desk: Desk) -> None:
    """An unknown load or school, one that is not held, and a missing name or reason: exit 2."""
    rows = district()
    desk.audit(rows)
    desk.audit(lost_from(rows, "s2", 78), code=3)
    for arguments, words in (
        (("9", *BY), "load 9 was not audited"),
        (("1", *BY), "load 1 is not held"),
        (("2", "--school", "s9", *BY), "has no school s9"),
        (("2", "--school", "s1", *BY), "s1 is not held"),
    ):
        assert desk("approve", *arguments) == 2
        assert words in desk.err
    for wrong in (["2", "--by", "Ada"], ["2", "--reason", "x"], ["2", "--by", " ", "--reason", "x"]):
        with pytest.raises(SystemExit) as end:
            desk("approve", *wrong)
        assert end.value.code == 2
    assert desk.released()["s2"] == 1


def test_an_older_load_that_is_approved_never_puts_a_school_back(desk: Desk) -> None:
    """A load that was superseded can be approved; what was released since stays."""
    rows = district()
    desk.audit(rows)
    desk.audit(lost_from(rows, "s2", 78), code=3)
    desk.audit(rows)
    assert desk("approve", "2", *BY) == 0
    assert set(desk.released().values()) == {3}


def test_the_page_names_command_and_approval(desk: Desk) -> None:
    """The page says how many schools, the command that releases them, and afterwards who approved and why."""
    desk.policy("warehouse: warehouse.duckdb\nmax_age_hours: 1000000\nreport: {path: page.html, json: page.json}\n")
    rows = district()
    desk.audit(rows)
    page = desk.folder / "page.html"
    assert "first night" in page.read_text(encoding="utf-8")
    desk.audit(lost_from(rows, "s2", 78), code=3)
    text = page.read_text(encoding="utf-8")
    assert "1 of 8 schools" in text
    assert "oneroster-audit approve 2 --school s2 --by NAME --reason TEXT" in text
    before = page.read_bytes()
    assert desk("run") == 3
    assert page.read_bytes() == before
    desk("approve", "2", *BY)
    assert "moved to another campus" in page.read_text(encoding="utf-8")
