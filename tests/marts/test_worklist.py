"""The worklist: those whom the sample made slip, fail or stay away, and no other; and demographics have no part in it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_sample.district import District
from oneroster_sample.events import parse_events

from .warehouses import TODAY, duckdb_desk, load_sample, write_inputs

if TYPE_CHECKING:
    from .warehouses import Desk

EVENTS = ("1:transfer:00002:3",)
RULES = {
    "course.slipping": "slipping",
    "course.failing": "failing",
    "work.missing": "missing",
    "attendance.chronic": "chronic",
    "attendance.drift": "drifting",
}
SELECT = ("--select", "+worklist")
KEYS = ("school_id", "grade", "week")


@pytest.fixture(scope="module", params=[(3, "1.1"), (4, "1.2")], ids=["11", "12"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, dict[str, Any]]:
    """The worklist of a district two days after some students moved, and whom its rules find by the sample's truth."""
    seed, version = request.param
    folder = tmp_path_factory.mktemp("told")
    district = District(seed=seed, schools=3, students_per_school=50, weekly=True, events=parse_events(EVENTS))
    warehouse = load_sample(folder, district.changed(2), version=version, truth=folder / "truth.json")
    inputs = write_inputs(folder, district.changed(2), version)
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    desk = duckdb_desk(folder, warehouse, today=truth["usage"]["today"], inputs=inputs)
    assert desk("build", *SELECT) == 0, desk.err
    return desk, truth


def test_the_seeded_students_are_on_the_list_and_no_other(told: tuple[Desk, dict[str, Any]]) -> None:
    desk, truth = told
    known = defaultdict(set)
    for rule, name in RULES.items():
        for its in truth["results"].get(name) or truth["usage"]["attendance"].get(name) or ():
            known[its[0] if isinstance(its, list) else its].add(rule)
    rows = desk.rows("restricted.worklist")
    found = {row["student_id"]: set(row["flags"].split(",")) for row in rows if row["status"] in ("new", "still")}
    assert len(found) > 10
    assert set.union(*found.values()) == RULES.keys()
    assert found == known


def test_a_student_who_moved_this_week_is_not_judged_by_work(told: tuple[Desk, dict[str, Any]]) -> None:
    desk, truth = told
    fresh = str(date.fromisoformat(truth["usage"]["today"]) - timedelta(14))
    moved = desk.rows("restricted.worklist_student", where=f"is_new_at_school and first_day > date '{fresh}'")
    assert moved
    rows = {(row["student_id"], row["school_id"]): row for row in desk.rows("restricted.worklist")}
    for its in (its for its in moved if its["as_of"] == truth["usage"]["today"]):
        row = rows[its["person_id"], its["school_id"]]
        assert row["status"] == "cannot say" or row["flags"].startswith("attendance")
        assert f"New at the school since {its['first_day']}." in row["reasons"]


@pytest.mark.parametrize("told", [(4, "1.2")], ids=["12"], indirect=True)
def test_the_list_of_last_week_is_the_rule_as_of_a_week_ago(told: tuple[Desk, dict[str, Any]], tmp_path: Path) -> None:
    """Flags as of a week ago are those that a build with that day finds."""
    desk, truth = told
    before = str(date.fromisoformat(truth["usage"]["today"]) - timedelta(7))
    columns = "person_id, school_id, rule_id, class_id, reason"
    recalled = desk.rows("restricted.worklist_flag", columns, f"as_of = date '{before}'")
    then = duckdb_desk(tmp_path, Path(desk.settings["filepath"]), today=before, inputs=desk.settings["inputs"])
    assert then("build", "--select", "+worklist_flag") == 0, then.err
    assert then.rows("restricted.worklist_flag", columns, f"as_of = date '{before}'") == recalled
    assert recalled


def test_demographics_are_not_upstream_of_the_worklist(duckdb_desk: Desk) -> None:
    manifest = json.loads((duckdb_desk.folder / "manifest.json").read_text(encoding="utf-8"))

    def upstream(name: str) -> set[str]:
        found: set[str] = set()
        left = [f"model.oneroster_marts.{name}"]
        while left:
            parents = set(manifest["parent_map"][left.pop()]) - found
            found |= parents
            left += parents
        return {its.rpartition(".")[2] for its in found}

    assert "fct_result" in upstream("worklist")
    personal = {"stg_oneroster__demographics", "person_demographic", "sex_words"}
    assert personal <= upstream("worklist_equity")
    assert not {name for name in upstream("worklist") if "demographic" in name or name in personal}
    for name in upstream("worklist") - upstream("stg_oneroster__users"):
        node = manifest["nodes"].get(f"model.oneroster_marts.{name}")
        assert not node or "emographics" not in node["raw_code"], name


def test_the_cockpit_of_this_week_says_what_other_marts_say_of_today(duckdb_desk: Desk) -> None:
    rows = duckdb_desk.rows("restricted.school_cockpit", where="week = date '2026-11-16'")
    found = {(row["school_id"], row["grade"]): row for row in rows}
    counts = duckdb_desk.rows("restricted.enrollment_count", where=f"day = date '{TODAY}' and class_type = 'all'")
    students = {(row["school_id"], row["grade"]): row["students"] for row in counts}
    assert {key: row["enrolled"] for key, row in found.items()} == {key: students[key] for key in found}
    assert len(found) > 20
    for row in duckdb_desk.rows("restricted.demographic_results", where="demographic = 'all'"):
        assert row["mean_percent"] == found[row["school_id"], row["grade"]]["mean_percent"]
    listed = Counter(
        row["school_id"] for row in duckdb_desk.rows("restricted.worklist") if row["status"] in ("new", "still")
    )
    assert {key: row["on_worklist"] for (key, grade), row in found.items() if grade == "all"} == listed
    assert all(row["attendance_given"] and row["attendance_rate"] > 50 for row in found.values())


def test_the_shared_cockpit_shows_no_small_grade_and_no_total_that_tells_one(duckdb_desk: Desk) -> None:
    raw = {tuple(row[key] for key in KEYS): row for row in duckdb_desk.rows("restricted.school_cockpit")}
    rows = duckdb_desk.rows("shared.school_cockpit")
    assert len(rows) == len(raw)
    weeks: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        its = raw[tuple(row[key] for key in KEYS)]
        assert row["suppressed"] == all(row[name] is None for name in row if name not in {*KEYS, "suppressed"})
        assert row["suppressed"] or its["enrolled"] >= 10
        assert row["on_worklist"] is None or 10 <= row["on_worklist"] <= its["enrolled"] - 10
        weeks[row["school_id"], row["week"]].append(row)
    for cells in weeks.values():
        hidden = [row for row in cells if row["suppressed"] and row["grade"] != "all"]
        total = next(row for row in cells if row["grade"] == "all")
        assert total["suppressed"] or len(hidden) != 1
    assert not all(row["suppressed"] for row in rows)
