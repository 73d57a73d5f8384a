"""Marts of what other systems know: equal to the sample's truth, over nights, and on inputs that are wrong."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from oneroster_sample.district import District
from oneroster_sample.events import parse_events

from .warehouses import TODAY, duckdb_desk, load_sample, write_inputs

if TYPE_CHECKING:
    from .warehouses import Desk

MARTS = ("licence_gap", "activity_gap", "lms_membership_gap")
SELECT = [word for name in (*MARTS, "input_status") for word in ("--select", f"+shared_{name}")]
EVENTS = ("1:people:00001", "2:transfer:00002:3", "2:dual:00001:3", "2:calendar:00003")
CONTRACT = {
    "vendor": "Numeria",
    "product": "Math Path",
    "school_id": "",
    "seats": "5",
    "starts_on": "2026-07-01",
    "ends_on": "2027-06-30",
    "who": "student",
}


def write(path: Path, *rows: dict[str, str]) -> str:
    """Write rows of one shape as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


@pytest.fixture(scope="module", params=[(11, "1.1"), (12, "1.2")], ids=["11", "12"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, dict[str, Any]]:
    """The marts of a district after some events, and what is known of its gaps."""
    seed, version = request.param
    folder = tmp_path_factory.mktemp("told")
    district = District(seed=seed, schools=3, students_per_school=50, gradebook=False, events=parse_events(EVENTS))
    warehouse = load_sample(folder, district.changed(2), version=version)
    inputs = write_inputs(folder, district.changed(2), version)
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["usage"]
    desk = duckdb_desk(folder, warehouse, today=truth["today"], inputs=inputs)
    assert desk("build", *SELECT) == 0, desk.err
    return desk, truth


def test_seats_entitled_persons_and_use_are_those_of_the_truth(told: tuple[Desk, dict[str, Any]]) -> None:
    desk, truth = told
    rows = {row["contract_id"]: row for row in desk.rows("restricted.licence_gap")}
    assert {its: {name: rows[its][name] for name in known} for its, known in truth["licences"].items()} == truth[
        "licences"
    ]
    assert rows.keys() == truth["licences"].keys()
    accounts = truth["vendor_activity"]
    for row in rows.values():
        known = accounts[row["product"]]
        assert row["match_rate"] == round(100 * known["matched"] / known["accounts"], 6)
        assert row["cost_unused"] is None  # of each product more than 5 % of the accounts match nobody
    unmatched = sum(len(its["unmatched"]) for its in accounts.values())
    (status,) = desk.rows("shared.input_status", where="input = 'vendor_activity'")
    assert (status["unmatched"], status["rejected"]) == (unmatched, 0)


def test_the_totals_of_the_activity_gap_add_up_to_the_truth(told: tuple[Desk, dict[str, Any]]) -> None:
    """A person of two schools stands in both; so the licences of schools are compared, each with its school."""
    desk, truth = told
    rows = desk.rows("restricted.activity_gap", where="grade = 'all' and class_id = 'all' and product = 'Reader'")
    found = {row["school_id"]: row for row in rows}
    assert found
    for contract, known in truth["licences"].items():
        if contract.startswith("lic-read-"):
            row = found[contract.removeprefix("lic-read-")]
            assert (row["enrolled"], row["matched"], row["active_30"]) == tuple(
                known[name] for name in ("entitled", "matched", "active_30")
            )
            assert row["gap"] == row["enrolled"] - row["active_30"]


def test_members_of_the_lms_are_those_of_the_truth(told: tuple[Desk, dict[str, Any]]) -> None:
    desk, truth = told
    members: Counter[str] = Counter()
    gaps: Counter[tuple[str, str]] = Counter()
    for row in desk.rows("restricted.lms_membership_gap"):
        members[row["kind"]] += row["members"]
        gaps[row["kind"], row["class_id"] or row["class_key"]] += row["members"]
        assert row["since"] is None
    assert members == truth["lms_memberships"]["kinds"]
    for kind, pairs in truth["lms_memberships"]["gaps"].items():
        assert {key: count for (its, key), count in gaps.items() if its == kind} == Counter(key for key, _ in pairs)


def test_no_small_number_of_use_is_shown_and_none_is_hidden_alone(told: tuple[Desk, dict[str, Any]]) -> None:
    """Beside a total that is shown; and of a school in which anything is hidden no class is."""
    desk, _ = told
    small = {}
    for name, size in (("licence_gap", "entitled"), ("activity_gap", "enrolled"), ("lms_membership_gap", "members")):
        shown, raw = (desk.rows(f"{schema}.{name}") for schema in ("shared", "restricted"))
        keys = [key for key in raw[0] if isinstance(raw[0][key], str) or key.endswith(("_id", "_key"))]
        sizes = {tuple(row[key] for key in keys): row[size] for row in raw}
        for row in shown:
            measures = [row[column] for column in row if column not in {*keys, "suppressed"}]
            assert row["suppressed"] == all(value is None for value in measures)
            assert row["suppressed"] or sizes[tuple(row[key] for key in keys)] >= 10
        small[name] = sum(row["suppressed"] for row in shown)
    assert small["activity_gap"] > 20
    assert small["lms_membership_gap"] > 10
    rows = desk.rows("shared.activity_gap")
    groups: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["product"], row["school_id"]].append(row)
        if row["grade"] == row["class_id"] == "all":
            groups[(row["product"],)].append(row)
    for key, cells in groups.items():
        grades = [row for row in cells if row["class_id"] == "all" and row["grade"] != "all"] if key[1:] else cells
        assert sum(row["suppressed"] for row in grades) != 1 or len(grades) == 1, key
        if any(row["suppressed"] for row in grades):
            assert all(row["suppressed"] for row in cells if row["class_id"] != "all")


def test_a_member_who_is_new_on_one_side_waits_for_the_next_load_of_both(sample: Path, tmp_path: Path) -> None:
    """Bob is missing in the LMS from the second night on."""
    inputs = write_inputs(tmp_path)
    path = Path(inputs["lms_memberships"])
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["role"] == "student" and row["state"] == "active"]
    desk = duckdb_desk(tmp_path, sample, inputs={"lms_memberships": str(path)})
    select = ("--select", "+lms_membership_gap")
    whom = (rows[0]["class_key"], "only_roster")

    def night(day: int, read: int, bob: bool) -> tuple[int, str | None]:
        write(path, *({**row, "read_at": f"2026-11-{read}T05:00:00Z"} for row in rows[0 if bob else 1 :]))
        assert desk("build", *select, today=f"2026-11-{day}") == 0, desk.err
        found = desk.rows("restricted.lms_membership_gap", where=f"(class_id, kind) = {whom}")
        return (found[0]["members"], found[0]["since"]) if found else (0, None)

    first, since = night(16, 16, bob=True)
    assert since is None
    assert night(17, 17, bob=False)[0] == first
    assert night(18, 18, bob=False) == (first + 1, "2026-11-16" if first else "2026-11-17")


def test_what_is_not_given_or_empty_is_said_and_never_zero(sample: Path, tmp_path: Path) -> None:
    desk = duckdb_desk(tmp_path, sample, today=TODAY)
    assert desk("build", *SELECT) == 0, desk.err
    status = desk.rows("shared.input_status")
    assert len(status) == 7
    assert not any(row["given"] or row["rows"] or row["unmatched"] or row["rejected"] for row in status)
    assert not any(desk.rows(f"restricted.{name}") for name in MARTS)

    inputs = write_inputs(tmp_path)
    for name in ("vendor_activity", "lms_memberships", "attendance"):  # a header only
        path = Path(inputs[name])
        path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert desk("build", *SELECT, inputs=inputs) == 0, desk.err
    given = {row["input"]: (row["given"], row["rows"]) for row in desk.rows("shared.input_status")}
    assert given["vendor_activity"] == given["lms_memberships"] == given["attendance"] == (True, 0)
    rows = desk.rows("restricted.licence_gap")
    assert len(rows) > 3
    for row in rows:
        assert row["entitled"] > 0
        names = ("matched", "active_30", "unused_seats", "over_use", "match_rate", "cost_unused")
        assert all(row[name] is None for name in names)
    assert not any(desk.rows(f"restricted.{name}") for name in ("activity_gap", "lms_membership_gap"))


def test_rows_that_cannot_be_read_or_name_nothing_are_counted(sample: Path, tmp_path: Path) -> None:
    wrong = (
        {"contract_id": "fine", "seats": "0"},
        {"contract_id": "nowhere", "school_id": "no such school"},
        {"contract_id": "no course", "course_codes": "BASKETS,WEAVING"},
        {"contract_id": "no grade", "grades": "Upper"},
        {"contract_id": "pupils", "who": "pupils"},
        {"contract_id": "many", "seats": "many"},
        {"contract_id": "owed", "seats": "-1"},
        {"contract_id": "someday", "ends_on": "someday"},
        {"contract_id": ""},
    )
    licences = write(
        tmp_path / "licences.csv", *({**CONTRACT, "grades": "", "course_codes": "", **row} for row in wrong)
    )
    use = {"vendor": "numeria", "product": "MATH PATH", "key_kind": "EMAIL", "last_active_on": TODAY}
    activity = write(
        tmp_path / "use.csv",
        {**use, "key": "nobody@elsewhere.example"},
        {**use, "key": "1", "key_kind": "badge"},
        {**use, "key": "2", "last_active_on": "16.11.2026"},
    )
    member = {"lms": "L", "class_key_kind": "sourcedId", "user_key_kind": "sourcedId", "role": "student"}
    members = write(tmp_path / "lms.csv", {**member, "class_key": "sandbox", "user_key": "nobody", "state": "active"})
    days = {"school_id": "00001", "student_id": "nobody", "day": TODAY}
    attendance = write(tmp_path / "days.csv", {**days, "present": "1"}, {**days, "present": "2"})
    desk = duckdb_desk(tmp_path, sample, today=TODAY)
    inputs = {
        "licences": licences,
        "vendor_activity": activity,
        "lms_memberships": members,
        "attendance": attendance,
    }
    assert desk("build", *SELECT, inputs=inputs) == 0, desk.err
    status = {
        row["input"]: (row["rows"], row["unmatched"], row["rejected"]) for row in desk.rows("shared.input_status")
    }
    assert status["licences"] == (9, 3, 5)
    assert status["vendor_activity"] == (3, 1, 2)
    assert status["lms_memberships"] == (1, 1, 0)
    assert status["attendance"] == (2, 1, 1)
    rows = {row["contract_id"]: row for row in desk.rows("restricted.licence_gap")}
    assert rows.keys() == {"fine", "nowhere", "no course", "no grade"}
    assert rows["nowhere"]["entitled"] is rows["nowhere"]["unused_seats"] is None
    fine = rows["fine"]
    assert fine["entitled"] > 100
    assert (fine["matched"], fine["unused_seats"], fine["match_rate"], fine["cost_unused"]) == (0, 0, 0, None)
    assert [row["kind"] for row in desk.rows("restricted.lms_membership_gap")] == ["class_not_found"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"starts_on": "2026-07-01", "ends_on": "2026-06-30"},
            "input licences, contract lic-2: ends_on is before starts_on; correct the dates",
        ),
        (
            {"contract_id": "lic-1"},
            "input licences, contract lic-1: two rows have the same contract_id and school_id; leave one",
        ),
    ],
    ids=["dates", "twice"],
)
def test_a_contract_that_contradicts_itself_is_named(
    changes: dict[str, str], said: str, sample: Path, tmp_path: Path
) -> None:
    rows = ({**CONTRACT, "contract_id": "lic-1"}, {**CONTRACT, "contract_id": "lic-2", **changes})
    desk = duckdb_desk(tmp_path, sample, today=TODAY, inputs={"licences": write(tmp_path / "licences.csv", *rows)})
    assert desk("build", "--select", "input_licences") == 1
    assert desk.err == f"oneroster-marts: {said}\n"
