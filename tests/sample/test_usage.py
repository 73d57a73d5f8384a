"""Usage files: what is known of their gaps, found again in the files by other means."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_sample import __main__ as cli
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.events import parse_events
from oneroster_sample.usage import FILES, write_usage

from .nights import Tables, parts, read_bundle

if TYPE_CHECKING:
    from pathlib import Path

TODAY = "2026-11-22"
EVENTS = ("1:people:00001", "2:transfer:00002:3", "2:calendar:00003", "2:close:00004")

Usage = tuple[Tables, dict[str, list[dict[str, str]]], dict[str, Any]]


@pytest.fixture(scope="module", params=["1.1", "1.2"])
def usage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Usage:
    """The bundle, the usage files beside it, and what is told of them."""
    folder = tmp_path_factory.mktemp("usage")
    made = District(schools=4, students_per_school=40, gradebook=False, events=parse_events(EVENTS)).changed(2)
    write_bundle(made, folder / "bundle.zip", version=request.param)
    counts = write_usage(made, folder, request.param)
    files = {name: list(csv.DictReader((folder / f"{name}.csv").read_text("utf-8").splitlines())) for name in FILES}
    assert counts == {name: len(rows) for name, rows in files.items()}
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert set(truth) > {"events", "usage"}
    return read_bundle(folder / "bundle.zip"), files, truth["usage"]


def current(tables: Tables) -> list[dict[str, str]]:
    """Enrollments of students and teachers that hold today."""
    return [
        row
        for row in tables["enrollments"].values()
        if row["role"] in ("student", "teacher") and row["beginDate"] <= TODAY < (row["endDate"] or "9999")
    ]


def test_students_who_stay_away_are_told(usage: Usage) -> None:
    """Chronic: less than 90 % of 20 days or more; drift: 10 points less in the last 20 days than before."""
    tables, files, truth = usage
    days: defaultdict[str, list[int]] = defaultdict(list)
    absences: Counter[str] = Counter()
    for row in files["attendance"]:
        assert row["student_id"] in tables["users"]
        days[row["student_id"]].append(int(row["present"]))
        absences[row["school_id"]] += row["present"] == "0"
        assert row["excused"] == "false" or row["present"] == "0"
    chronic = [its for its, own in days.items() if len(own) >= 20 and sum(own) / len(own) < 0.9]
    drifting = [
        its
        for its, own in days.items()
        if len(own) >= 40 and sum(own[:-20]) / len(own[:-20]) - sum(own[-20:]) / 20 >= 0.1
    ]
    told = truth["attendance"]
    assert (told["chronic"], told["drifting"]) == (chronic, drifting)
    assert len(chronic) > 1 < len(drifting)
    assert told["absences"] == {school: count for school, count in sorted(absences.items()) if count}
    assert max(map(len, days.values())) == told["school_days"] == 70


def entitled(tables: Tables, contract: dict[str, str]) -> set[str]:
    """Persons whom a contract is for."""
    courses = {its: tables["courses"][row["courseSourcedId"]]["courseCode"] for its, row in tables["classes"].items()}
    codes, grades = parts(contract["course_codes"]), parts(contract["grades"])
    return {
        row["userSourcedId"]
        for row in current(tables)
        if contract["who"] in ("all", row["role"])
        and contract["school_id"] in ("", row["schoolSourcedId"])
        and (not codes or courses[row["classSourcedId"]] in codes)
        and (not grades or set(grades) & set(parts(tables["users"][row["userSourcedId"]]["grades"])))
    }


def test_licences_and_their_use_are_told(usage: Usage) -> None:
    """Entitled, matched and active persons of each contract; accounts that match nobody."""
    tables, files, truth = usage
    assert set(truth["licences"]) == {row["contract_id"] for row in files["licences"]}
    for contract in files["licences"]:
        told = truth["licences"][contract["contract_id"]]
        accounts = [row for row in files["vendor_activity"] if row["product"] == contract["product"]]
        kind = accounts[0]["key_kind"]
        persons = entitled(tables, contract)
        keys = {tables["users"][its][kind].lower(): its for its in persons}
        matched = [row for row in accounts if row["key"].lower() in keys]
        active = sum(row["last_active_on"] > "2026-10-23" for row in matched)
        seats = int(contract["seats"])
        assert told == {
            "entitled": len(persons),
            "matched": len(matched),
            "active_30": active,
            "seats": seats,
            "unused_seats": max(seats - active, 0),
            "over_use": max(active - seats, 0),
        }
        everybody = {row[kind].lower() for row in tables["users"].values()}
        unmatched = [row["key"] for row in accounts if row["key"].lower() not in everybody]
        assert unmatched == truth["vendor_activity"][contract["product"]]["unmatched"]
        assert len(unmatched) > 1
    assert any(told["over_use"] for told in truth["licences"].values())
    assert any(told["unused_seats"] for told in truth["licences"].values())


def test_members_of_the_lms_are_told(usage: Usage) -> None:
    """In both, only in one of them, with another role, in a class that nobody knows."""
    tables, files, truth = usage
    roster = {(row["classSourcedId"], row["userSourcedId"]): row["role"] for row in current(tables)}
    lms = {
        (row["class_key"], row["user_key"]): row["role"] for row in files["lms_memberships"] if row["state"] == "active"
    }
    assert len(lms) == sum(row["state"] == "active" for row in files["lms_memberships"])
    found: defaultdict[str, list[list[str]]] = defaultdict(list)
    for key in {**roster, **lms}:
        if key[0] not in tables["classes"]:
            kind = "class_not_found"
        elif key in roster and key in lms:
            kind = "in_both" if roster[key] == lms[key] else "role_differs"
        else:
            kind = "only_roster" if key in roster else "only_lms"
        found[kind].append(list(key))
    told = truth["lms_memberships"]
    assert told["kinds"] == {kind: len(own) for kind, own in sorted(found.items())}
    assert {kind: sorted(own) for kind, own in told["gaps"].items()} == {
        kind: sorted(own) for kind, own in found.items() if kind != "in_both"
    }
    assert any(user in tables["users"] for _, user in told["gaps"]["only_lms"])
    assert any(user not in tables["users"] for _, user in told["gaps"]["only_lms"])


def test_final_grades_are_told(usage: Usage) -> None:
    """How many of a course at a school have a grade, and how many passed."""
    tables, files, truth = usage
    found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in files["final_grades"]:
        its = tables["classes"][row["class_id"]]
        found[its["schoolSourcedId"], its["courseSourcedId"]]["graded"] += 1
        found[its["schoolSourcedId"], its["courseSourcedId"]]["passed"] += row["mark"] != "F"
        assert (float(row["percent"]) >= 60) == (row["mark"] != "F") == (row["credits_earned"] == "0.5")
    told = {(line["school"], line["course"]): line for line in truth["final_grades"]}
    assert {key: line["graded"] for key, line in told.items() if line["graded"]} == {
        key: count["graded"] for key, count in found.items()
    }
    assert {key: line["passed"] for key, line in told.items() if line["graded"]} == {
        key: count["passed"] for key, count in found.items()
    }
    assert sum(line["started"] for line in told.values()) > len(files["final_grades"])


def test_the_command_writes_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All five, with their columns; the truth can be read by its owner only."""
    assert cli.main(["usage", "--schools", "1", "--students-per-school", "5", str(tmp_path / "usage")]) == 0
    said = capsys.readouterr().out
    for name, columns in FILES.items():
        assert name in said
        assert (tmp_path / "usage" / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0] == ",".join(columns)
    assert (tmp_path / "usage" / "truth.json").stat().st_mode & 0o777 == 0o600
