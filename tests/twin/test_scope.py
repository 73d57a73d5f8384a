"""Scope: whole references, as a closure in SQL says it that knows nothing of our code; and what a scope that changed does."""

from __future__ import annotations

import csv
import io
import json

import duckdb
import pytest
from click import ClickException
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.provider import Knobs, Provider
from target_oneroster.bundle.target import TargetOneRosterCSV

from tests.support.twin import EVERYTHING, TODAY, by_csv, cells, rest_settings, twin_run, write

MANY = District(seed=5, schools=40, students_per_school=9)
SCHOOLS = [f"{number:05}" for number in range(1, 41)][::5]
SCOPE = {
    "schools": SCHOOLS,
    "grades": ["06", "07", "08"],
    "users": ["student", "teacher"],
    "sessions": "current",
}

# Written from section 5 of the design over the files of the bundle; `has` says whether a list holds one of others.
CLOSURE = """
CREATE MACRO has(cell, wanted) AS list_has_any(string_split(cell, ','), wanted);
CREATE TABLE named AS SELECT "sourcedId" AS id FROM orgs WHERE "sourcedId" IN (SELECT unnest($schools));
CREATE TABLE org AS WITH RECURSIVE up AS (
  SELECT id FROM named UNION SELECT o."parentSourcedId" FROM orgs o JOIN up ON o."sourcedId" = up.id
  WHERE o."parentSourcedId" <> '') SELECT id FROM up;
CREATE TABLE session AS WITH RECURSIVE
  now AS (SELECT "sourcedId" AS id FROM "academicSessions" WHERE "startDate" <= $today AND $today < "endDate"),
  up AS (SELECT id FROM now UNION SELECT s."parentSourcedId" FROM "academicSessions" s JOIN up ON s."sourcedId" = up.id
    WHERE s."parentSourcedId" <> ''),
  down AS (SELECT id FROM now UNION SELECT s."sourcedId" FROM "academicSessions" s JOIN down ON s."parentSourcedId" = down.id)
  SELECT id FROM up UNION SELECT id FROM down;
CREATE TABLE class AS SELECT * FROM classes WHERE "schoolSourcedId" IN (FROM named)
  AND ("grades" = '' OR has("grades", $grades)) AND has("termSourcedIds", (SELECT list(id) FROM session));
CREATE TABLE course AS SELECT * FROM courses WHERE "sourcedId" IN (SELECT "courseSourcedId" FROM class);
INSERT INTO org SELECT DISTINCT "orgSourcedId" FROM course WHERE "orgSourcedId" NOT IN (FROM org);
CREATE TABLE person AS SELECT * FROM users u WHERE EXISTS (SELECT 1 FROM roles r WHERE r."userSourcedId" = u."sourcedId"
  AND r."orgSourcedId" IN (FROM named) AND (r."role" IN (SELECT unnest($others))
  OR (r."role" = 'student' AND has(u."grades", $grades))));
CREATE TABLE item AS SELECT * FROM "lineItems" WHERE "classSourcedId" IN (SELECT "sourcedId" FROM class)
  AND "academicSessionSourcedId" IN (FROM session) AND "schoolSourcedId" IN (FROM org);
CREATE TABLE result AS SELECT * FROM results WHERE "studentSourcedId" IN (SELECT "sourcedId" FROM person)
  AND "lineItemSourcedId" IN (SELECT "sourcedId" FROM item)
  AND ("classSourcedId" = '' OR "classSourcedId" IN (SELECT "sourcedId" FROM class));
CREATE TABLE scale AS SELECT * FROM "scoreScales" WHERE "orgSourcedId" IN (FROM org)
  AND "courseSourcedId" IN (SELECT "sourcedId" FROM course) AND "classSourcedId" IN (SELECT "sourcedId" FROM class);
"""
_OF = {"person": 'SELECT "sourcedId" FROM person', "class": 'SELECT "sourcedId" FROM class', "org": "FROM org"}
KEPT = {
    "orgs": 'SELECT count(*) FROM orgs WHERE "sourcedId" IN (FROM org)',
    "academicSessions": "SELECT count(*) FROM session",
    "classes": "SELECT count(*) FROM class",
    "courses": "SELECT count(*) FROM course",
    "users": "SELECT count(*) FROM person",
    "lineItems": "SELECT count(*) FROM item",
    "results": "SELECT count(*) FROM result",
    "scoreScales": "SELECT count(*) FROM scale",
    "enrollments": f'SELECT count(*) FROM enrollments WHERE "classSourcedId" IN ({_OF["class"]})'
    f' AND "userSourcedId" IN ({_OF["person"]}) AND "schoolSourcedId" IN ({_OF["org"]})',
    "roles": f'SELECT count(*) FROM roles WHERE "userSourcedId" IN ({_OF["person"]}) AND "orgSourcedId" IN ({_OF["org"]})',
    "demographics": f'SELECT count(*) FROM demographics WHERE "sourcedId" IN ({_OF["person"]})',
    "userProfiles": f'SELECT count(*) FROM "userProfiles" WHERE "userSourcedId" IN ({_OF["person"]})',
    "classResources": f'SELECT count(*) FROM "classResources" WHERE "classSourcedId" IN ({_OF["class"]})',
    "courseResources": 'SELECT count(*) FROM "courseResources" WHERE "courseSourcedId" IN (SELECT "sourcedId" FROM course)',
    "lineItemScoreScales": 'SELECT count(*) FROM "lineItemScoreScales" WHERE "lineItemSourcedId" IN'
    ' (SELECT "sourcedId" FROM item) AND "scoreScaleSourcedId" IN (SELECT "sourcedId" FROM scale)',
    "resultLearningObjectiveIds": 'SELECT count(*) FROM "resultLearningObjectiveIds" WHERE "resultSourcedId" IN'
    ' (SELECT "sourcedId" FROM result)',
}


def scope_lines(scope):
    """The scope as lines of a policy."""
    return ["scope: " + json.dumps(scope)]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A district of forty schools, as a bundle of 1.2."""
    path = tmp_path_factory.mktemp("many") / "many.zip"
    write_bundle(MANY, path, version="1.2")
    return path


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setenv("ONEROSTER_TODAY", TODAY)


@pytest.fixture(scope="module")
def closure(many):
    """The independent answer: numbers of rows, and the ids of persons and classes."""
    with duckdb.connect() as database:
        for name in ("orgs", "academicSessions", "classes", "courses", "users", "enrollments", "results", "lineItems",
                     "roles", "demographics", "userProfiles", "scoreScales", "classResources", "courseResources",
                     "lineItemScoreScales", "resultLearningObjectiveIds"):  # fmt: skip
            rows = cells(many, name)
            out = many.parent / f"{name}.csv"
            with out.open("w", newline="") as text:
                writer = csv.DictWriter(text, rows[0])
                writer.writeheader()
                writer.writerows(rows)
            database.execute(
                f"CREATE TABLE \"{name}\" AS SELECT * FROM read_csv('{out}', all_varchar=true, nullstr='\x01', header=true)"
            )
        values = {"schools": SCHOOLS, "grades": SCOPE["grades"], "today": TODAY, "others": ["teacher"]}
        for statement in CLOSURE.split(";"):
            if statement.strip():
                used = {key: value for key, value in values.items() if f"${key}" in statement}
                database.execute(statement, used)
        counts = {name: int(str((database.execute(sql).fetchone() or [0])[0])) for name, sql in KEPT.items()}
        persons = {one for (one,) in database.execute('SELECT "sourcedId" FROM person').fetchall()}
    return counts, persons


def test_the_scope_is_the_closure_in_sql(many, closure, tmp_path):
    """Eight of forty schools, three grades, students and teachers, current sessions: every stream has exactly its rows."""
    counts, _ = closure
    run = twin_run(by_csv(many), write(tmp_path, EVERYTHING, more=scope_lines(SCOPE)))
    assert run.error is None
    assert {name: len(run.records[name]) for name in KEPT} == counts
    assert all(counts[name] for name in ("orgs", "classes", "courses", "users", "enrollments", "results", "lineItems"))
    assert run.receipts["users"]["deviations"]["scope"] == len(cells(many, "users")) - counts["users"]


def test_the_rows_are_those_of_the_closure_and_no_guardian_is_among_them(many, closure, tmp_path):
    """In mode clear ids can be compared: these persons, each a student or a teacher, and no agent of anybody."""
    _, persons = closure
    run = twin_run(by_csv(many), write(tmp_path, EVERYTHING, mode="clear", more=scope_lines(SCOPE)), key=None)
    assert {record["sourcedId"] for record in run.records["users"]} == persons
    assert not any(record["agentSourcedIds"] for record in run.records["users"])
    words: dict[str, set[str]] = {}
    for record in run.records["roles"]:
        words.setdefault(record["userSourcedId"], set()).add(record["role"])
    assert all(roles & {"student", "teacher"} for roles in words.values()), "a teacher may be a parent besides"


def test_a_guardian_is_kept_with_the_child_and_only_then(many, tmp_path):
    """Guardians are agents of kept students, at whatever org; agents who are left out are removed from lists."""
    scope = {**SCOPE, "users": ["student", "guardian", "parent", "relative"]}
    run = twin_run(by_csv(many), write(tmp_path, EVERYTHING, mode="clear", more=scope_lines(scope)), key=None)
    kept = {record["sourcedId"]: record for record in run.records["users"]}
    students = {record["userSourcedId"] for record in run.records["roles"] if record["role"] == "student"}
    guardians = kept.keys() - students
    agents = {agent for one in students for agent in kept[one]["agentSourcedIds"] or ()}
    assert guardians
    assert guardians == agents
    assert {one for record in kept.values() for one in record["agentSourcedIds"] or ()} <= kept.keys()
    source = {row["sourcedId"]: row["agentSourcedIds"] for row in cells(many, "users")}
    everyone = {one for row in source.values() for one in row.split(",") if one}
    assert len(guardians) < len(everyone), "children out of scope have guardians, too"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_service_has_the_same_scope_as_a_bundle(version, tmp_path, district, bundle):
    """The parents are read before what hangs on them, then each collection as a whole."""
    scope = {"schools": ["00002"], "grades": ["01", "02", "09"], "users": ["student", "teacher", "parent"]}
    policy = write(tmp_path, EVERYTHING, mode="clear", more=scope_lines(scope))
    with Provider(district, version=version, knobs=Knobs(page_cap=29)) as provider:
        rest = twin_run(rest_settings(provider), policy, key=None)
        again = twin_run(rest_settings(provider), policy, key=None, state=rest.state)
    drop = twin_run(by_csv(bundle(version)), policy, key=None)
    for name in ("orgs", "classes", "courses", "users", "enrollments", "lineItems", "results", "demographics"):
        ids = [{record["sourcedId"] for record in run.records[name]} for run in (rest, drop, again)]
        assert ids[0] == ids[1] == ids[2], name
        assert ids[0], name
    # The whole scope is read each time, so what is gone can be deleted.
    assert "enrollments" in again.of("ACTIVATE_VERSION")
    assert rest.receipts["users"]["filter"] == drop.receipts["users"]["filter"]


def test_a_named_session_brings_those_above_and_below(bundle, tmp_path):
    """Without grades nobody needs one; a named session brings its ancestors and descendants; a class needs one of them."""
    sessions = cells(bundle("1.2"), "academicSessions")
    term = next(row for row in sessions if row["type"] == "semester" and row["parentSourcedId"])
    more = scope_lines({"schools": ["00002"], "sessions": [term["sourcedId"]]})
    run = twin_run(by_csv(bundle("1.2")), write(tmp_path, EVERYTHING, mode="clear", more=more), key=None)
    kept = {record["sourcedId"] for record in run.records["academicSessions"]}
    assert {term["sourcedId"], term["parentSourcedId"]} <= kept
    assert kept < {row["sourcedId"] for row in sessions}
    assert all(set(record["termSourcedIds"]) <= kept for record in run.records["classes"])
    assert run.records["classes"]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"schools": ["CANARY", "00002"]}, "policy.yml:6: 1 of the schools named here are not in the source"),
        ({"sessions": ["CANARY"]}, "policy.yml:6: 1 of the sessions named here are not in the source"),
        ({"schools": ["00002"], "grades": ["CANARY"], "users": ["ext:nobody"]}, "policy.yml:6: no"),
        ({"users": ["ext:nobody"]}, "policy.yml:6: nobody is in this scope"),
    ],
)
def test_a_scope_that_keeps_nobody_is_an_error(scope, expected, bundle, tmp_path):
    """It is known while reading: exit 4, no row has left, and the state does not move."""
    run = twin_run(by_csv(bundle("1.2")), write(tmp_path, EVERYTHING, more=scope_lines(scope)))
    assert run.error.startswith(expected)
    assert "nothing of people has left" in run.error
    assert "CANARY" not in run.error
    assert set(run.records) <= {"syncReceipts"}
    assert not any("twin" in entry for entry in run.state.get("bookmarks", {}).values())


def test_a_delta_cannot_be_cut(district, bundle, tmp_path):
    """A row that moved out of scope would stay; the line says what to do."""
    folder = tmp_path / "drop"
    folder.mkdir()
    write_bundle(district, folder / "0.zip", version="1.2")
    write_bundle(district.changed(1), folder / "1.zip", version="1.2", mode="delta")
    policy = write(tmp_path, EVERYTHING, more=scope_lines({"schools": ["00002"]}))
    run = twin_run(by_csv(f"{folder}/*.zip"), policy)
    assert "a scope needs bulk files" in run.error
    assert not run.of("ACTIVATE_VERSION")
    whole = twin_run(by_csv(f"{folder}/*.zip"), write(tmp_path, EVERYTHING))
    assert whole.error is None
    assert whole.receipts["users"]["mode"] == "delta"


def test_a_scope_that_shrinks_is_held_and_says_so(bundle, tmp_path):
    """Rows that the consumer has would be deleted: a person says yes, once."""
    wide = write(tmp_path, EVERYTHING, more=scope_lines({"schools": ["00001", "00002"]}), name="a.yml")
    first = twin_run(by_csv(bundle("1.2")), wide)
    assert first.error is None
    narrow = write(tmp_path, EVERYTHING, more=scope_lines({"schools": ["00002"]}), name="a.yml")
    held = twin_run(by_csv(bundle("1.2")), narrow, state=first.state)
    assert "(the scope changed)" in held.error
    assert "accept_shrink" in held.error
    assert "users" not in held.of("ACTIVATE_VERSION")
    yes = twin_run(by_csv(bundle("1.2"), accept_shrink=True), narrow, state=first.state)
    assert yes.error is None
    assert "users" in yes.of("ACTIVATE_VERSION")


def test_a_new_epoch_does_not_look_like_schools_that_are_gone(bundle, tmp_path):
    """All pseudonyms are new, of schools, too; the tap compares the whole, the target asks for accept_shrink."""
    policy = write(tmp_path, EVERYTHING)
    first = twin_run(by_csv(bundle("1.2")), policy)
    second = twin_run(by_csv(bundle("1.2")), write(tmp_path, EVERYTHING, epoch=2), state=first.state)
    assert second.error is None
    assert second.records["users"], "another policy reads what was read before"
    third = twin_run(by_csv(bundle("1.2")), write(tmp_path, EVERYTHING, epoch=2), state=second.state)
    assert third.error is None
    assert not third.records["users"], "the same policy and bundle: nothing new"


def publish(run, out, **more):
    """Give a run to the target; return its error."""
    lines = b"".join(json.dumps(message).encode() + b"\n" for message in run.messages)
    target = TargetOneRosterCSV(config={"output_path": str(out), "oneroster_version": "1.2", **more})
    try:
        target.listen(io.BytesIO(lines))  # type: ignore[arg-type]
    except ClickException as error:
        return error.message
    finally:
        target.close()
    return None


def test_the_target_takes_a_whole_scope_in_the_place_of_the_same_scope(bundle, tmp_path):
    """A filtered read deletes what it lacks, so it may replace only a bundle of the same policy."""
    one = twin_run(by_csv(bundle("1.2")), write(tmp_path, EVERYTHING, more=scope_lines({"schools": ["00001"]})))
    other = twin_run(by_csv(bundle("1.2")), write(tmp_path, EVERYTHING, more=scope_lines({"schools": ["00002"]})))
    assert one.receipts["users"]["filter"].startswith("twin ")
    out = tmp_path / "consumer"
    assert publish(one, out) is None
    assert publish(one, out) is None
    before = (out / "users.csv").read_bytes()
    assert "another policy" in publish(other, out)
    assert (out / "users.csv").read_bytes() == before
    assert publish(other, out, accept_shrink=True) is None
    assert publish(other, out) is None
    assert (out / "users.csv").read_bytes() != before


def test_the_target_refuses_a_scope_over_the_bundle_of_the_whole_district(bundle, tmp_path):
    """And a filtered read that is no twin's, as before."""
    whole = twin_run(by_csv(bundle("1.2")), write(tmp_path, EVERYTHING))
    out = tmp_path / "consumer"
    assert publish(whole, out) is None
    part = twin_run(by_csv(bundle("1.2")), write(tmp_path, EVERYTHING, more=scope_lines({"schools": ["00001"]})))
    assert "another policy" in publish(part, out)
    for message in whole.messages:
        if message.get("stream") == "syncReceipts" and message["type"] == "RECORD":
            message["record"]["filter"] = "status='active'"
    assert "filtered or incremental" in publish(whole, out)
