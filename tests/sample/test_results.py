"""Results of the whole year: whose results slip is told, and found again in the files."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_sample.district import District
from oneroster_sample.events import parse_events

from .nights import Tables, check, difference, two_nights

if TYPE_CHECKING:
    from pathlib import Path

SINCE = "2026-10-25"
EVENTS = parse_events(["2:people:00001", "2:transfer:00002:2", "2:calendar:00003"])
Night = tuple[str, Tables, Tables, dict[str, Any]]


@pytest.fixture(scope="module", params=["1.1", "1.2"])
def night(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """Two nights with work of every week, and the truth of the second."""
    made = District(schools=3, students_per_school=40, weekly=True, events=EVENTS).changed(2)
    return request.param, *two_nights(made, tmp_path_factory.mktemp("results"), request.param, since=1)


def percent(row: dict[str, str], item: dict[str, str], version: str) -> float | None:
    """The share of the points, for results that are graded with a score."""
    if row["scoreStatus"] != "fully graded" or (version == "1.2" and not row["score"]):
        return None
    return float(row["score"]) * 100 / float(item["resultValueMax"])


def test_students_who_slip_fail_or_hand_nothing_in_are_told(night: Night) -> None:
    """By the rules of the truth, applied to the cells of the bundle; those who moved to another school are left out."""
    version, _, tables, truth = night
    moved = {told["student"] for event in truth["events"] for told in event.get("students", ())}
    own: defaultdict[tuple[str, str], list[tuple[dict[str, str], dict[str, str]]]] = defaultdict(list)
    for row in tables["results"].values():
        item = tables["lineItems"][row["lineItemSourcedId"]]
        own[row["studentSourcedId"], item["classSourcedId"]].append((row, item))
    found: dict[str, set[tuple[str, str]]] = {"slipping": set(), "failing": set(), "missing": set()}
    for key, rows in own.items():
        if key[0] in moved:
            continue
        scored = [(value, item) for row, item in rows if (value := percent(row, item, version)) is not None]
        before = [value for value, item in scored if item["dueDate"] <= SINCE]
        latest = [value for value, item in scored if item["dueDate"] > SINCE]
        if min(len(before), len(latest)) >= 3 and fmean(before) - fmean(latest) >= 10 - 1e-9:
            found["slipping"].add(key)
        points = sum(float(item["resultValueMax"]) for _, item in scored)
        reached = sum(value * float(item["resultValueMax"]) / 100 for value, item in scored)
        if len(scored) >= 3 and reached < 0.6 * points - 1e-9:
            found["failing"].add(key)
        due = [row for row, item in rows if item["dueDate"] > SINCE and row["scoreStatus"] != "exempt"]
        missing = sum(row["scoreStatus"] == "not submitted" for row in due)
        if missing >= 3 or (len(due) >= 4 and missing * 4 >= len(due)):
            found["missing"].add(key)
    told = {rule: {tuple(pair) for pair in pairs} for rule, pairs in truth["results"].items()}
    assert told == found
    assert all(found.values())


def test_work_is_dated_over_the_year(night: Night) -> None:
    """Each week has work, in points of several kinds, in the grading period of its due date; marks come after it."""
    _, _, tables, _ = night
    items = tables["lineItems"]
    assert len({row["dueDate"] for row in items.values()}) == 14
    assert {row["resultValueMax"] for row in items.values()} == {"100", "20", "50", "4"}
    for row in items.values():
        period = tables["academicSessions"][row.get("academicSessionSourcedId") or row["gradingPeriodSourcedId"]]
        assert period["type"] == "gradingPeriod"
        assert period["startDate"] <= row["dueDate"] < period["endDate"]
    for row in tables["results"].values():
        assert items[row["lineItemSourcedId"]]["dueDate"] <= row["scoreDate"] <= "2026-11-22"
    assert {row["scoreStatus"] for row in tables["results"].values()} == {
        "fully graded",
        "not submitted",
        "submitted",
        "exempt",
    }


def test_each_version_has_its_own_words_for_late_and_missing() -> None:
    """1.2 has columns, and a letter without a score; 1.1 has metadata."""
    made = District(schools=1, students_per_school=40, weekly=True)
    old, new = (list(made.rows("results", version)) for version in ("1.1", "1.2"))
    assert made.metadata_keys("results", "1.1") == ("late", "missing", "letter")
    assert made.metadata_keys("results", "1.2") == ()
    for one, other in zip(old, new, strict=True):
        said = one["metadata"] or {}
        assert (said.get("late") == "true", said.get("missing") == "true") == (other["late"], other["missing"])
        assert said.get("letter") == other["textScore"]
        assert one["score"] == (other["score"] or 0) or (other["textScore"] and other["score"] is None)
    assert any(row["textScore"] and row["score"] is None for row in new)
    assert any(row["missing"] for row in new)


def test_a_night_of_results_is_told_exactly(night: Night) -> None:
    """Work that comes due and marks that come are everyday changes."""
    _, old, new, truth = night
    check(old, new, truth)
    assert difference(old, new)["results", "*", "*", "*"]["changed"] > 0
    assert truth["everyday"]["files"]["results"]["changed"] > 0


@pytest.mark.parametrize("since", [0, 3])
def test_deltas_bring_results(since: int) -> None:
    """A bulk with the changes since its day is the later bulk."""
    first = District(schools=1, students_per_school=40, weekly=True).changed(since)
    last = first.changed(8)
    for name in ("lineItems", "results", "resultScoreScales"):
        rows = {row["sourcedId"]: row for row in first.active(name)}
        for row in last.changes(name, since=since):
            rows[row["sourcedId"]] = row
        rows = {its: row for its, row in rows.items() if row["status"] == "active"}
        assert rows == {row["sourcedId"]: row for row in last.active(name)}


def test_a_plain_gradebook_tells_nothing(tmp_path: Path) -> None:
    """Without work of every week the truth has no results."""
    made = District(schools=2, students_per_school=5, events=parse_events(["1:half:00001"])).changed(1)
    assert two_nights(made, tmp_path, "1.2")[2]["results"] is None
