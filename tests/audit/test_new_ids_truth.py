"""Nights of the sample on which people and classes come back under other ids and classes move: what is found is the truth's."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_audit.__main__ import command

from tests.audit.nights import House
from tests.audit.sample_nights import overlaps, proposed, recognisable, sample_nights, told_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.audit.nights import District

POLICY = "warehouse: warehouse.duckdb\nmax_age_hours: 1000000\nlookback_days: 1\nreport: {json: report.json}\n"
EVENTS = [
    "2:calendar:00001", "2:transfer:00001:3", "2:people:00002", "2:schedule:00002:6", "2:people:00003:no-keys", "2:term:00003:3",
    "2:course:00003:2", "1:names:00004", "2:people:00004:no-keys", "1:names:00005", "2:people:00005:email", "2:schedule:00001:3",
]  # fmt: skip
"""Everything on one night: with all keys, with one, with none, and with none where names collide."""


@dataclass
class Nights:
    """Two nights of the sample, audited."""

    folder: Path
    old: District
    new: District
    truth: dict[str, Any]
    report: dict[str, Any]

    def store(self, query: str, name: str = "audit.duckdb") -> list[tuple[Any, ...]]:
        """Rows of the store, or of the restricted one."""
        with duckdb.connect(str(self.folder / name), read_only=True) as database:
            return database.execute(query).fetchall()


@pytest.fixture(scope="module", params=[(11, "1.2"), (12, "1.1")], ids=["1.2", "1.1"])
def nights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    seed, version = request.param
    folder: Path = tmp_path_factory.mktemp("nights")
    (folder / "policy.yml").write_text(POLICY, encoding="utf-8")
    house = House(folder / "warehouse.duckdb")

    def run() -> int:
        return command(["run", "--policy", str(folder / "policy.yml")])

    old, truth = sample_nights(house, run, EVENTS, seed, version, schools=5, students=30)
    assert run() == 3
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return Nights(folder, old, house.state, truth, report)


def test_nobody_is_taken_for_somebody_else(nights: Nights) -> None:
    """Precision 100 %, recall at least 99 % of those of whom a strong key survived, and nobody is proposed by name alone."""
    told = told_pairs(nights.truth, "users")
    found = proposed(nights.folder, "users")
    assert found <= told
    known = recognisable(nights.old, nights.new, told)
    assert len(known) > 100
    assert len(known & found) >= 0.99 * len(known)
    for school in ("00003", "00004"):
        nameless = told_pairs(nights.truth, "users", school)
        assert nameless
        assert not nameless & found
    assert proposed(nights.folder, "users", "weak") & told_pairs(nights.truth, "users", "00003")


def test_classes_and_enrollments_follow(nights: Nights) -> None:
    """Classes of the rebuilt calendar are found by their rosters, and none besides; so are their enrollments."""
    told, found = told_pairs(nights.truth, "classes"), proposed(nights.folder, "classes")
    assert found <= told
    assert len(found) >= 0.99 * len(told)
    overlap = overlaps(nights.old, nights.new, told, proposed(nights.folder, "users"))
    assert {pair for pair, share in overlap.items() if share >= 0.8} <= found
    enrollments = told_pairs(nights.truth, "enrollments")
    its = proposed(nights.folder, "enrollments")
    assert its <= enrollments
    assert len(its) >= 0.9 * len(enrollments)  # the others are of people without a key


def test_the_reasons_say_so_first(nights: Nights) -> None:
    """What a class under a new id took along is the truth's number, and all reasons add up to what is gone."""
    told: Counter[tuple[str, str]] = Counter()
    for line in nights.truth["reasons"]:
        told[line["school"], line["reason"]] += line["enrollments"]
    found = {
        (school, reason): n
        for school, reason, n in nights.store(
            "SELECT school_id, reason, sum(enrollments)::INT FROM reasons WHERE load = 2 GROUP BY ALL"
        )
    }
    assert sum(found.values()) == sum(told.values())
    assert found["00001", "class has a new id"] == told["00001", "class has a new id"]
    assert found.get(("00002", "person has a new id")) == told.get(("00002", "person has a new id"))


def test_the_brake_shows_the_reason(nights: Nights) -> None:
    """The first reason of the rebuilt school, in the text of the report."""
    held = [s["id"] for s in nights.report["held_schools"]]
    assert "00001" in held
    checks = {(f["check"], f["school"], f["severity"]) for f in nights.report["findings"]}
    assert ("churn.classes", "00001", "hold") in checks
    assert ("churn.people", "00002", "hold") in checks
    assert not [c for c in checks if c[0] == "churn.people" and c[1] in ("00003", "00004") and c[2] == "hold"]


def moved(nights: Nights) -> dict[str, Counter[str]]:
    """What moved, by school: the truth's events and what moves every day, told from the rows of both nights."""
    found: dict[str, Counter[str]] = {}
    renamed = {old: new for name in ("users", "classes") for old, new in told_pairs(nights.truth, name)}
    recognised = dict(proposed(nights.folder, "users"))
    columns = {"period": "periods", "room": "location", "term": "termSourcedIds", "course": "courseSourcedId"}
    teachers: list[dict[str, set[str]]] = [{}, {}]
    for side, night in zip(teachers, (nights.old, nights.new), strict=True):
        for row in night["enrollments"].values():
            if row["role"] == "teacher":
                user: str = row["userSourcedId"]
                side.setdefault(row["classSourcedId"], set()).add(recognised.get(user, user))
    for its_id, was in nights.old["classes"].items():
        new_id = renamed.get(its_id, its_id)
        now = nights.new["classes"][new_id]
        count = found.setdefault(now["schoolSourcedId"], Counter())
        for what, column in columns.items():
            count[what] += was[column] != now[column]
        count["teacher"] += teachers[0].get(its_id, set()) != teachers[1].get(new_id, set())
    return found


def test_the_schedule_is_the_truth(nights: Nights) -> None:
    """Each move is counted by school; no class opened or closed because it has a new id; each event is in it."""
    rows = {row["school"]: row for row in nights.report["schedule"]}
    for school, told in moved(nights).items():
        assert rows[school]["moved"] == {k: told[k] for k in ("period", "room", "teacher", "term", "course")}, school
        assert (rows[school]["opened"], rows[school]["closed"]) == (0, 0)
    restricted = nights.store(
        "SELECT class_id, period, room, teacher, term, course FROM schedule WHERE load = 2", "audit.restricted.duckdb"
    )
    by_class = {
        row[0]: dict(zip(("period", "room", "teacher", "term", "course"), row[1:], strict=True)) for row in restricted
    }
    events = [e for e in nights.truth["events"] if "classes" in e]
    assert {e["kind"] for e in events} == {"schedule", "term", "course"}
    for event in events:
        for told in event["classes"]:
            assert by_class[told["class"]][told["moved"]], told
        assert rows[event["school"]]["students"] >= event["students"]
    assert nights.store("SELECT count(*) FROM schedule_counts WHERE school_id = '00001' AND new_ids > 0") == [(1,)]
