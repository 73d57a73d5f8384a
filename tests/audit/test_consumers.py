"""Consumers: each rule of each profile is found where it is broken and nowhere else; results, report, rows and faults."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from oneroster_audit.cells import Counts
from oneroster_audit.checks.catalogue import check
from oneroster_audit.consumers.judge import judge_profiles
from oneroster_audit.consumers.kinds import CountBetween
from oneroster_audit.consumers.profiles import NAMES, built_in, read_profile
from oneroster_audit.errors import Wrong
from oneroster_audit.warehouse import Warehouse
from oneroster_audit.words import ALL, Cell
from oneroster_sample._core.model import FILES
from oneroster_sample.district import District

from tests.audit.breaks import STUDENT, broken, tidy
from tests.audit.conftest import POLICY, found
from tests.audit.nights import House, as_csv, district, enroll

if TYPE_CHECKING:
    from pathlib import Path

    from tests.audit.conftest import Desk

ALL_OF_THEM = POLICY + f"consumers: [{', '.join(NAMES)}]\n"
IMPLIED = {("classlink", "students-without-teachers"): {"classes-without-teachers": 1}}
"""Rules that cannot be broken alone."""
PASSWORD = "ALTER TABLE oneroster.users_history ADD COLUMN password VARCHAR DEFAULT 'x'"


def results(house: House, name: str, counts: Any = ()) -> list[tuple[str, dict[str, int]]]:
    """For each load the result of a consumer, and how often each rule is broken."""
    found = []
    with Warehouse(house.path, "oneroster", "") as warehouse:
        for load in range(1, house.loads + 1):
            [one] = judge_profiles(warehouse, load, [built_in(name)], dict(counts))
            found.append((one.result, {b.rule.id: b.count for b in one.broken}))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_is_found_where_it_is_broken_and_nowhere_else(tmp_path: Path, name: str) -> None:
    """The tidy district is accepted; then each rule is broken once, in every way that its kind knows."""
    profile, house = built_in(name), House(tmp_path / "warehouse.duckdb")
    rows = tidy(profile)
    house.load(rows)
    house.sql(PASSWORD)
    expected: list[tuple[str, dict[str, int]]] = [("accepted", {})]
    for rule in profile.rules:
        for night, count in broken(rule, rows):
            clear(house, night)
            load = house.load({file: new for file, new in night.items() if new != house.state[file]})
            if rule.id == "password":
                where = f"\"sourcedId\" = '{STUDENT}' AND _sdc_first_load = {load}"
                house.sql(f"UPDATE oneroster.users_history SET password = NULL WHERE {where}")
            result = {"stop": "refused", "note": "accepted"}.get(rule.severity, "accepted with losses")
            expected.append((result, {rule.id: count} | IMPLIED.get((name, rule.id), {})))
    assert results(house, name) == expected


def test_each_threshold_of_clever_is_found_above_its_limit(tmp_path: Path) -> None:
    """A tenth of the rows, or three quarters, may go or change; one more row would hold."""
    house = House(tmp_path / "warehouse.duckdb")
    house.load(district(1, students=1, classes=1))
    for rule in built_in("clever").rules:
        assert isinstance(rule, CountBetween)
        most: Any = rule.most
        cell = Cell(rule.file, ALL, (rule.roles or [ALL])[0], ALL)
        assert results(house, "clever", {cell: Counts(100, **{rule.change: most})}) == [("accepted", {})]
        over = {cell: Counts(100, **{rule.change: most + 1})}
        assert results(house, "clever", over) == [("would hold", {rule.id: most + 1})]


def clear(house: House, night: Any) -> None:
    """End all rows of files that came empty: a real target keeps what did not come."""
    for name, rows in night.items():
        if not rows and house.state[name]:
            house.sql(
                f'UPDATE oneroster."{name}_history" SET _sdc_ended_load = {house.loads + 1} WHERE _sdc_ended_load IS NULL'
            )
            house.state[name] = {}


SAMPLE = {
    "sds_v2_1": ("accepted with losses", {"phone": 137, "sms": 67}),
    "apple": ("accepted with losses", {
        "org-id": 1, "org-type": 1, "course-id": 105, "class-id": 174, "user-id": 137, "role": 104, "email": 60,
        "enrollment-id": 217, "enrollment-role": 10,
    }),
    "hmh": ("accepted", {"several-roles": 4}),
    "mcgraw_hill": ("accepted", {}),
    "canvas": ("accepted with losses", {"enrollment-end": 657}),
    "google_classroom": ("accepted with losses", {"teacher-email": 16}),
    "clever": ("accepted", {}),
    "classlink": ("accepted", {}),
    "moodle": ("refused", {"other-files": 8, "identifier": 137, "password": 201}),
    "lingco": ("accepted", {}),
}  # fmt: skip
"""What each consumer would do with the sample."""


def test_the_untouched_sample_has_a_stated_result_for_every_consumer(desk: Desk) -> None:
    """Also on a first night; a consumer that refuses holds no school, and the verdict is the load's own."""
    desk.policy(ALL_OF_THEM + "report: {path: page.html}\n")
    made = District(seed=1, schools=4, students_per_school=16)
    report = desk.audit({f.name: as_csv(f.name, made.active(f.name, "1.2")) for f in FILES if f.csv})
    assert {c["name"]: (c["result"], {r["id"]: r["count"] for r in c["rules"]}) for c in report["consumers"]} == SAMPLE
    assert report["verdict"] == "noted"
    assert not report["held_schools"]
    ours = [f for f in report["findings"] if f["check"].startswith("consumer.")]
    assert {f["severity"] for f in ours} == {"warn", "note"}
    assert {f["owner"] for f in ours} == {check("consumer.NAME.RULE").owner}
    page = (desk.folder / "page.html").read_text(encoding="utf-8")
    assert page.count("accepted with losses") == 4
    assert desk("show") == 0
    assert "  canvas            accepted with losses\n    row    enrollment-end: 657 rows of enrollments. " in desk.out


def test_an_org_that_is_refused_explains_its_classes_and_enrollments(desk: Desk) -> None:
    """Root first: rows that only go with it are no findings of their own, but of the org."""
    desk.policy(POLICY + "consumers: [sds_v2_1]\n")
    rows = tidy(built_in("sds_v2_1"))
    rows["orgs"]["s1"]["name"] = None
    enroll(rows, "s1-c0", "nobody")
    report = desk.audit(rows)
    [consumer] = report["consumers"]
    assert [(r["id"], r["severity"], r["count"]) for r in consumer["rules"]] == [
        ("org-name", "row", 1),
        ("enrollment-user", "row", 1),
    ]
    org, user = (found(report, f"consumer.sds_v2_1.{rule}")[0] for rule in ("org-name", "enrollment-user"))
    assert user["root"] == org["id"]
    # 4 roles, 2 classes, 9 enrollments
    assert desk.store("SELECT rule, follows FROM consumer_rules WHERE root IS NULL") == [("org-name", 15)]


def test_clever_would_hold_what_its_partners_hold(desk: Desk) -> None:
    """More than 10 % of the students gone since the baseline: a forecast, while the school itself is not held."""
    desk.policy(POLICY + "consumers: [clever]\n")
    rows = district(2)
    assert desk.audit(rows)["consumers"] == [{"name": "clever", "result": "accepted", "rules": []}]
    for n in range(7):  # of 60
        for name, key in (("users", f"s1-p{n}"), ("roles", f"s1-p{n}-r")):
            del rows[name][key]
        for c in range(5):
            del rows["enrollments"][f"s1-c{c}-s1-p{n}"]
    report = desk.audit(rows, code=3)
    [consumer] = report["consumers"]
    assert (consumer["result"], consumer["rules"]) == (
        "would hold",
        [{"id": "students-deleted", "severity": "stop", "count": 7}],
    )
    [finding] = found(report, "consumer.clever.students-deleted")
    assert (finding["count"], round(finding["share"], 3)) == (0, 0.117)


def test_rows_behind_a_rule(desk: Desk) -> None:
    """As many ids as the finding counts, in a private file; a rule about files has none; a consumer that left is named."""
    desk.policy(POLICY + "consumers: [apple, lingco]\n")
    rows = tidy(built_in("apple"))
    rows["roles"][f"{STUDENT}-r"]["role"] = "parent"
    rows["courses"]["d"] = rows["courses"]["s1-course"] | {"sourcedId": "d"}
    del rows["academicSessions"]
    report = desk.audit(rows)
    out = desk.folder / "rows.csv"
    for rule, lines in (("role", f"users,{STUDENT}"), ("ids-across", ",d")):
        [finding] = found(report, f"consumer.apple.{rule}")
        assert desk("rows", finding["id"], "--out", str(out), "--names") == 0, desk.err
        assert [line for line in out.read_text().splitlines()[1:] if line.startswith(lines)]
        assert len(out.read_text().splitlines()) == 1 + finding["count"]
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
    [finding] = found(report, "consumer.lingco.files")
    assert desk("rows", finding["id"], "--out", str(out)) == 2
    desk.policy(POLICY)
    [finding] = found(report, "consumer.apple.role")
    assert desk("rows", finding["id"], "--out", str(out)) == 2
    assert desk.err == "oneroster-audit: the policy's consumers have no rule apple.role any more\n"


OWN = """name: ours
title: Our library
version: "1"
accepts: a zip
sources:
  page: {page: "https://example.org/rules", read: 2026-11-30}
rules:
- {id: card, kind: pattern, severity: value, file: users, column: identifier, matches: '[0-9]+', source: page, says: "A card has digits."}
"""


def test_a_districts_own_profile(desk: Desk) -> None:
    """It stands beside the policy, and is judged like the others."""
    (desk.folder / "ours.yml").write_text(OWN, encoding="utf-8")
    desk.policy(POLICY + "consumers: [ours.yml, lingco]\n")
    report = desk.audit(tidy(built_in("lingco")))
    assert report["consumers"][0] == {
        "name": "ours",
        "result": "accepted with losses",
        "rules": [{"id": "card", "severity": "value", "count": 8}],
    }
    assert desk("show") == 0
    assert "ours: its rule card is broken" in desk.out


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("kind: pattern", "kind: regex", "ours.yml:8: rules.0.kind: invalid value 'regex'"),
        ("severity: value", "severity: bad", "ours.yml:8: rules.0.severity: invalid enum value 'bad'"),
        ("says:", "say: x, says:", "ours.yml:8: no such key: say"),
        ("title:", "titel: x\ntitle:", "ours.yml:2: no such key: titel"),
        ("source: page", "source: book", "ours.yml:8: no such source: book"),
        ("file: users", "file: people", "ours.yml:8: no such file: people"),
        ("column: identifier", "column: card", "ours.yml:8: no such column: users.card"),
        ("[0-9]+", "[0-9", "ours.yml:8: not a regular expression of RE2"),
        ("kind: pattern, severity: value, file: users, column: identifier, matches: '[0-9]+'", "kind: count_between, severity: row, file: users",
         "ours.yml:8: count_between takes of and by, or change"),
        ("kind: pattern, severity: value, file: users, column: identifier, matches: '[0-9]+'", "kind: forbids, severity: row, file: users",
         "ours.yml:8: forbids takes files, or file, columns and matches"),
        ("kind: pattern, severity: value, file: users, column: identifier, matches: '[0-9]+'", "kind: references, severity: row, file: users, column: email",
         "ours.yml:8: users.email is no reference"),
        (OWN, OWN + OWN[OWN.index("- {id"):], "ours.yml:9: card stands here twice"),
        (OWN, "- a\n", "ours.yml:1: a profile is a list of keys and values"),
    ],
)  # fmt: skip
def test_a_fault_in_a_profile_names_its_line(old: str, new: str, fault: str) -> None:
    """One line with file and line, exit code 2."""
    assert old in OWN
    with pytest.raises(Wrong) as error:
        read_profile("ours.yml", OWN.replace(old, new))
    assert str(error.value).startswith(fault)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("consumers", "fault"),
    [
        ("- apple\n- schoology\n", "policy.yml:6: no such consumer: schoology. Known: sds_v2_1, "),
        ("- ours.yml\n", "policy.yml:5: the profile ours.yml cannot be read"),
        ("- apple\n- clever\n- apple\n", "policy.yml:7: apple stands here twice"),
    ],
)
def test_a_consumer_that_is_not_known(desk: Desk, consumers: str, fault: str) -> None:
    """The policy's own line is named, before anything is read."""
    desk.policy(POLICY + "consumers:\n" + consumers)
    assert desk("run") == 2
    assert desk.err.startswith(f"oneroster-audit: {fault}")
    assert desk.err.count("\n") == 1


def test_a_store_that_does_not_know_consumers_yet(desk: Desk) -> None:
    """It is read as one without consumers, and gets their tables with the next run."""
    rows = district(1, students=2, classes=1)
    desk.audit(rows)
    with duckdb.connect(str(desk.folder / "audit.duckdb")) as database:
        database.execute("DROP TABLE consumers; DROP TABLE consumer_rules")
    assert desk.report()["consumers"] == []
    desk.policy(POLICY + "consumers: [lingco]\n")
    assert [c["result"] for c in desk.audit(rows)["consumers"]] == ["accepted"]
