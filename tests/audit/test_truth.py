"""Nights of the sample with known events: the audit's counts equal the sample's own truth, cell by cell."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.events import parse_events

from tests.audit.conftest import found
from tests.audit.nights import load
from tests.audit.sample_nights import sample_nights

if TYPE_CHECKING:
    from pathlib import Path

    from tests.audit.conftest import Desk

SMALL = "max_age_hours: 1000000\nlookback_days: 1\n"
ALONE = {
    "calendar": ("2:calendar:00001", {"00001"}, "brake.lost"),
    "people": ("2:people:00002", {"00002"}, "brake.lost"),
    "transfer": ("2:transfer:00001:3", set(), ""),
    "dual": ("2:dual:00002:3", set(), ""),
    "reentry": ("2:reentry:00003:3", set(), ""),
    "schedule": ("2:schedule:00001:4", set(), ""),
    "close": ("2:close:00002", {"00002"}, "brake.empty-school"),
    "half": ("2:half:00003", {"00003"}, "brake.lost"),
    "drop-file": ("2:drop-file:demographics", {"00001", "00002", "00003", "00004"}, "arrival.missing"),
    "blank": ("2:blank:00001:classes.termSourcedIds", {"00001"}, "brake.lost"),
    "blank of a column": ("2:blank:00001:users.email", set(), "columns.blank"),
}
"""For each kind its event, the schools that it holds, and the check that finds it."""
TOGETHER = [
    "2:schedule:00001:6", "2:calendar:00001", "2:people:00002", "2:transfer:00001:3", "2:dual:00001:3", "2:reentry:00001:2",
    "2:half:00003", "2:close:00004", "2:blank:email",
]  # fmt: skip


def nights(desk: Desk, events: list[str], seed: int, version: str, students: int = 16) -> dict[str, Any]:
    """Load the night before and the night; return the truth of the second."""

    def run() -> None:
        assert desk("run") == 0, desk.err

    return sample_nights(desk.house, run, events, seed, version, schools=4, students=students)[1]


def check_counts(desk: Desk, truth: dict[str, Any]) -> None:
    """Every cell of the store is the truth's, and none of the truth's is missing."""
    told = {(c["file"], c["school"], c["role"], c["term"]): c for c in truth["cells"]}
    counted = {
        row[:4]: row[4:]
        for row in desk.store(
            "SELECT file, school_id, role, term_id, before, added, removed, changed, now FROM counts WHERE load = 2"
        )
    }
    for cell, row in counted.items():
        if any(row):
            assert (cell, row) == (cell, tuple(told[cell][k] for k in ("before", "added", "removed", "changed", "now")))
    assert {cell for cell in told if cell[1] != "*" and cell[1:].count("*") == 0} <= counted.keys()
    gone: Counter[str] = Counter()
    for line in truth["reasons"]:
        gone[line["school"]] += line["enrollments"]
    assert dict(desk.store("SELECT school_id, sum(enrollments)::INT FROM reasons GROUP BY 1")) == dict(gone)


@pytest.mark.parametrize(("seed", "version"), [(1, "1.2"), (2, "1.1")])
def test_all_events_together(desk: Desk, seed: int, version: str) -> None:
    """Counts equal the truth exactly in every cell, whatever happened in one night; `rows` writes what a finding counts."""
    desk.policy(SMALL)
    truth = nights(desk, TOGETHER, seed, version)
    assert desk("run") == 3, desk.out
    check_counts(desk, truth)
    kinds = {f["check"]: f for f in desk.report()["findings"] if f["count"]}
    assert {"brake.lost", "brake.empty-school", "columns.blank"} < kinds.keys()
    for check, finding in kinds.items():
        assert desk("rows", finding["id"], "--out", str(desk.folder / "rows.csv")) == 0, desk.err
        lines = (desk.folder / "rows.csv").read_text(encoding="utf-8").splitlines()
        assert len(lines) - 1 == len(set(lines)) - 1 == finding["count"], check


@pytest.mark.parametrize("seed", range(3, 23))
def test_twenty_seeds(desk: Desk, seed: int) -> None:
    """All kinds of event in one night of a small district, in turn of both versions."""
    desk.policy(SMALL)
    truth = nights(desk, TOGETHER, seed, "1.1" if seed % 2 else "1.2", students=9)
    assert desk("run") == 3, desk.out
    check_counts(desk, truth)


@pytest.mark.parametrize("kind", ALONE)
def test_an_event_alone(desk: Desk, kind: str) -> None:
    """Each kind of event is found by its check, holds its school and no other, and is counted exactly."""
    event, schools, check = ALONE[kind]
    desk.policy(SMALL)
    truth = nights(desk, [event], 3, "1.2", students=40)
    if kind == "drop-file":
        desk.house.state["demographics"].clear()
    assert desk("run") == (3 if schools else 0), desk.out + desk.err
    report = desk.report()
    everywhere = [
        f for f in report["findings"] if f["severity"] == "hold" and f["school"] in ("", "*") and not f["root"]
    ]
    assert {s["id"] for s in report["held_schools"]} == schools, everywhere
    assert not check or found(report, check)
    if kind != "drop-file":
        check_counts(desk, truth)


def test_tap_and_target(desk: Desk, tmp_path: Path) -> None:
    """The same by way of bundles, tap and target: the school that came under new ids is held, receipts are read."""
    desk.policy(SMALL)
    made = District(seed=1, schools=3, students_per_school=30, events=parse_events(["2:calendar:00002"]))
    for day in (1, 2):
        bundle = tmp_path / f"{day}.zip"
        write_bundle(made.changed(day), bundle, truth=tmp_path / "truth.json")
        load({"mode": "csv", "csv_path": str(bundle)}, desk.house.path)
        assert desk("run") == (3 if day == 2 else 0), desk.out + desk.err
    report = desk.report()
    assert [s["id"] for s in report["held_schools"]] == ["00002"]
    assert not found(report, "arrival.receipts")
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    files = {row["file"]: row for row in report["files"]}
    for name in ("enrollments", "classes", "users", "roles", "orgs", "courses"):
        assert {k: files[name][k] for k in truth["files"][name]} == truth["files"][name]
