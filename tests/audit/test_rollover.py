"""Rollover: what of the new school year each school has, and what needs a fix; asked in season only."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_audit.checks.rollover import Season
from oneroster_sample._core.model import FILES, Version
from oneroster_sample.district import District as SampleDistrict
from oneroster_sample.rollover import rollover

from tests.audit.conftest import found
from tests.audit.nights import District, district, enroll
from tests.audit.sample_nights import as_csv

if TYPE_CHECKING:
    from tests.audit.conftest import Desk

JUNE, AUGUST = datetime(2027, 6, 7, 7, tzinfo=UTC), datetime(2027, 8, 20, 7, tzinfo=UTC)
NEW_YEAR = {
    "title": "2027-2028",
    "type": "schoolYear",
    "startDate": "2027-08-16",
    "endDate": "2028-06-02",
    "schoolYear": "2028",
}


def states(report: dict[str, Any], school: str) -> dict[str, tuple[str, int]]:
    """State and count of each line of a school."""
    return {row["line"]: (row["state"], row["count"]) for row in report["rollover"] if row["school"] == school}


def next_year(rows: District, *schools: str) -> District:
    """The same district with a new year; these schools have its classes instead of the old ones, and grades rose."""
    new = copy.deepcopy(rows)
    sessions = new["academicSessions"]
    sessions["year2"] = {"sourcedId": "year2", **NEW_YEAR}
    for term, start, end in (("u1", "2027-08-16", "2028-01-14"), ("u2", "2028-01-17", "2028-06-02")):
        sessions[term] = {"sourcedId": term, "title": term, "type": "term", "parentSourcedId": "year2", "startDate": start,
                          "endDate": end, "schoolYear": "2028"}  # fmt: skip
    for key in [k for k, row in new["classes"].items() if row["schoolSourcedId"] in schools]:
        row = new["classes"].pop(key)
        terms = [{"t1": "u1", "t2": "u2"}[t] for t in row["termSourcedIds"]]
        new["classes"][f"{key}.2"] = row | {"sourcedId": f"{key}.2", "termSourcedIds": terms}
    for key in [k for k, row in new["enrollments"].items() if row["schoolSourcedId"] in schools]:
        row = new["enrollments"].pop(key)
        enroll(new, f"{row['classSourcedId']}.2", row["userSourcedId"], row["role"])
    for key, row in new["users"].items():
        if key.split("-")[0] in schools and row["grades"]:
            row["grades"] = [f"{int(row['grades'][0]) + 1:02d}"]
    return new


@pytest.mark.parametrize("version", ["1.2", "1.1"])
def test_the_sample_rolls_over(desk: Desk, version: str) -> None:
    """The truth's schools have begun, the others have not; pupils who left early are the truth's."""
    one = SampleDistrict(seed=3, schools=5, students_per_school=25)
    two = replace(one, years=2, rolled=0.6)
    files = [f.name for f in FILES if f.csv and f.exists_in(Version(version))]
    told = rollover(two)
    assert told
    for made, at in ((one, JUNE), (two, AUGUST)):
        desk.house.load({name: as_csv(name, made.active(name, version)) for name in files}, at=at)
        desk("run")
        report = desk.report()
        assert bool(report["rollover"]) == (at == AUGUST)
    for school, its in told["schools"].items():
        lines = states(report, school)
        if its["rolled"]:
            assert all(state != "not begun" for state, _ in lines.values())
            assert lines["students"][1] == len(its["left_early"])
            assert {k: lines[k] for k in ("sessions", "courses", "no-teacher", "grades")} == dict.fromkeys(
                ("sessions", "courses", "no-teacher", "grades"), ("clean", 0)
            )
        else:
            assert lines["still-open"] == ("fix", its["classes"])
            assert {state for line, (state, _) in lines.items() if line not in ("still-open", "org")} == {"not begun"}
    assert {f["school"] for f in found(report, "rollover.not-begun")} == set(told["kept"])
    assert {f["school"] for f in found(report, "rollover.students")} == {
        s for s, its in told["schools"].items() if its.get("left_early")
    }


def with_faults(new: District) -> None:
    """Sessions, courses, classes and enrollments of the first school with one fault each."""
    classes, enrollments = new["classes"], new["enrollments"]
    new["academicSessions"]["u1"]["endDate"] = "2029-01-01"
    for c in range(3):
        classes[f"s1-c{c}.2"]["courseSourcedId"] = "s1-course"
    classes["s1-none"] = classes["s1-c7.2"] | {"sourcedId": "s1-none", "termSourcedIds": []}
    classes["s1-both"] = classes["s1-c7.2"] | {"sourcedId": "s1-both", "termSourcedIds": ["t2", "u1"]}
    classes["s1-old"] = classes["s1-c7.2"] | {"sourcedId": "s1-old", "termSourcedIds": ["t2"]}
    for key in [k for k in enrollments if k.startswith("s1-c3.2")]:
        if key.endswith(("teacher", "p0")):
            del enrollments[key]
    for key in [k for k in enrollments if k.startswith("s1-c4.2") and "teacher" not in k]:
        del enrollments[key]
    enrollments["s1-c5.2-s1-p1"]["beginDate"] = "2026-08-24"
    enrollments["s1-c6.2-s1-p1"]["beginDate"] = "2027-08-20"


def with_pupils_gone(new: District) -> None:
    """Two pupils of the first school are gone, one of them of the highest grade; the others stay in their grade."""
    enrollments = new["enrollments"]
    for n in (0, 2):  # one with the highest grade
        for key in [k for k, row in enrollments.items() if row["userSourcedId"] == f"s1-p{n}"]:
            del enrollments[key]
        del new["users"][f"s1-p{n}"], new["roles"][f"s1-p{n}-r"]
    for n in range(3, 10):
        new["users"][f"s1-p{n}"]["grades"] = ["05"]
    del new["orgs"]["s3"]


def test_each_line_finds_its_fault(desk: Desk) -> None:
    """A school with one fault for each line; its neighbour is clean, and one that is gone is told."""
    rows = district(4, students=10, classes=8)
    for c in range(3):  # courses that are not offered again
        rows["courses"][f"s1-x{c}"] = {"sourcedId": f"s1-x{c}", "title": "x", "orgSourcedId": "s1"}
        rows["classes"][f"s1-c{c}"]["courseSourcedId"] = f"s1-x{c}"
    for s in ("s1", "s2"):
        rows["users"][f"{s}-p0"]["grades"] = ["08"]  # the highest
    desk.house.load(rows, at=JUNE)
    desk("run")
    new = next_year(rows, "s1", "s2")
    assert set(states_of(desk, new, AUGUST, "s2").values()) == {("clean", 0)}
    with_faults(new)
    with_pupils_gone(new)
    desk.house.load(new, at=AUGUST + timedelta(days=1))
    desk("run")
    report = desk.report()
    assert states(report, "s1") == {
        "sessions": ("fix", 1), "courses": ("fix", 3), "no-term": ("fix", 1), "both-years": ("fix", 1), "still-open": ("fix", 1),
        "no-teacher": ("fix", 2), "no-students": ("fix", 2), "dates": ("fix", 1), "students": ("fix", 1), "grades": ("fix", 7),
        "org": ("clean", 0),
    }  # fmt: skip
    assert states(report, "s3")["org"] == ("fix", 1)
    assert states(report, "s4")["still-open"] == ("fix", 8)
    told = {f["check"] for f in report["findings"] if f["check"].startswith("rollover.") and f["school"] == "s1"}
    assert told == {
        "rollover.sessions", "rollover.courses", "rollover.no-term", "rollover.both-years", "rollover.still-open",
        "rollover.no-teacher", "rollover.no-students", "rollover.dates", "rollover.students", "rollover.grades",
    }  # fmt: skip
    assert {f["school"] for f in found(report, "rollover.org")} == {"s3"}
    out = desk.folder / "rows.csv"
    for finding in report["findings"]:
        if finding["check"] in ("rollover.students", "rollover.no-teacher", "rollover.org"):
            assert desk("rows", finding["id"], "--out", str(out)) == 0, desk.err
            assert len(out.read_text(encoding="utf-8").splitlines()) == finding["count"] + 1, finding


def states_of(desk: Desk, rows: District, at: datetime, school: str) -> dict[str, tuple[str, int]]:
    """Load a night, audit it, and return the lines of a school."""
    desk.house.load(rows, at=at)
    desk("run")
    return states(desk.report(), school)


@pytest.mark.parametrize(("day", "asked"), [("2027-01-10", True), ("2027-09-15", True), ("2027-09-16", False)])
def test_the_season(desk: Desk, day: str, asked: bool) -> None:
    """From the night on which the new year's session is there until 30 days after its start, also on a first night."""
    rows = next_year(district(1))
    at = datetime.fromisoformat(day).replace(hour=7, tzinfo=UTC)
    lines = states_of(desk, rows, at, "s1")
    assert bool(lines) == asked
    if asked:
        report = desk.report()
        has_begun = day > "2027-08-16"
        assert lines["courses"] == ("not begun", 0)
        assert lines["still-open"] == (("fix", 5) if has_begun else ("not begun", 0))
        assert bool(found(report, "rollover.not-begun")) == has_begun


def test_years_without_rows_of_their_own(desk: Desk) -> None:
    """Trap 24: a session's own schoolYear, its last number; else its end; of two years the later, which is a fault."""
    rows = next_year(district(2, students=4), "s1", "s2")
    sessions = rows["academicSessions"]
    for gone in ("year", "year2"):
        del sessions[gone]
    for term, words in (("t1", "2026-2027"), ("t2", None), ("u1", "2027-28"), ("u2", None)):
        sessions[term] |= {"schoolYear": words, "parentSourcedId": None}
    sessions["t2"] |= {"startDate": "2027-01-10", "endDate": "2027-06-05"}
    sessions["t1"] |= {"startDate": "2026-08-24", "endDate": "2027-01-09"}
    lines = states_of(desk, rows, AUGUST, "s1")
    assert set(lines.values()) == {("clean", 0)}
    sessions["year"] = {"sourcedId": "year", "type": "schoolYear", "title": "x", "startDate": "2026-08-24", "endDate": "2027-06-05",
                        "schoolYear": "2027", "childSourcedIds": ["u1"]}  # fmt: skip
    sessions["year2"] = {"sourcedId": "year2", **NEW_YEAR, "childSourcedIds": ["u1", "u2"]}
    lines = states_of(desk, rows, AUGUST, "s1")
    assert lines.pop("sessions") == ("fix", 1)
    assert set(lines.values()) == {("clean", 0)}


def test_sessions_in_a_circle(desk: Desk) -> None:
    """They are a finding in any season, and the walk ends."""
    rows = district(1)
    rows["academicSessions"]["t1"]["parentSourcedId"] = "t2"
    rows["academicSessions"]["t2"]["parentSourcedId"] = "t1"
    (finding,) = found(desk.audit(rows), "rollover.circle")
    assert finding["count"] == 2
    out = desk.folder / "rows.csv"
    assert desk("rows", finding["id"], "--out", str(out)) == 0, desk.err
    assert out.read_text(encoding="utf-8").split() == ["file,id", "academicSessions,t1", "academicSessions,t2"]


@pytest.mark.parametrize(("days", "severity"), [(-30, "note"), (15, "hold")])
def test_classes_that_are_built_anew_for_the_new_year(desk: Desk, days: int, severity: str) -> None:
    """Trap 25: from 30 days before it, other ids are expected and do not hold; later in the year they do."""
    at = datetime(2027, 8, 16, 18, tzinfo=UTC) + timedelta(days=days)
    rows = next_year(district(1), "s1")
    desk.house.load(rows, at=at - timedelta(days=1))
    desk("run")
    new = copy.deepcopy(rows)
    for name, column in (("classes", "sourcedId"), ("enrollments", "classSourcedId")):
        for row in list(new[name].values()):
            row[column] = f"again-{row[column]}"
    new["classes"] = {row["sourcedId"]: row for row in new["classes"].values()}
    desk.house.load(new, at=at)
    desk("run")
    (finding,) = found(desk.report(), "churn.classes")
    assert (finding["count"], finding["severity"]) == (5, severity)


def test_the_days_on_which_classes_are_built_anew() -> None:
    """From 30 days before the year to 14 days after its start."""
    season = Season(2028, date(2027, 8, 16), 2027, date(2027, 6, 5))
    expected = [n for n in range(-40, 40) if season.expects_new_classes(date(2027, 8, 16) + timedelta(days=n))]
    assert expected == list(range(-30, 15))
