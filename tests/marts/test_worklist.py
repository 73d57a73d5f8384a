"""The worklist: those whom the sample made slip, fail or stay away, and no other; and demographics have no part in it."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_sample.district import District
from oneroster_sample.events import parse_events

from .warehouses import duckdb_desk, load_sample, write_inputs

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
    manifest = json.loads((duckdb_desk.folder / "target" / "manifest.json").read_text(encoding="utf-8"))

    def upstream(name: str) -> set[str]:
        found, left = set(), [f"model.oneroster_marts.{name}"]
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
