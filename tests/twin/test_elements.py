"""The element list is what really leaves: for each policy of the docs, both directions; and the counts, and the changes."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest
from oneroster_core.model import FILES, Personal
from oneroster_core.twin.elements import as_csv, as_markdown, as_ndpa, changes, counts_of, elements
from oneroster_core.twin.policy import read_policy
from oneroster_core.twin.words import BY_STAR, fields_of, is_by_star
from oneroster_sample.district import District
from oneroster_sample.provider import Provider
from tap_oneroster.twin.command import command

from tests.support.twin import KEY, TODAY, by_csv, cells, rest_settings, rewritten, twin_run, write

POLICIES = sorted((Path(__file__).parents[2] / "examples/twin").glob("*.yml"))
DISTRICT = District(seed=7, schools=3, students_per_school=40)
# What the sample leaves blank everywhere, over both bindings and both versions.
NEVER_FILLED = {("users", "pronouns"), ("categories", "weight")}


@pytest.fixture(scope="module")
def services():
    """The same district in both versions."""
    with Provider(DISTRICT, version="1.1") as one, Provider(DISTRICT, version="1.2") as two:
        yield one, two


@pytest.fixture(scope="module")
def drops(tmp_path_factory):
    """The same district as bundles, with a value in columns that the sample leaves blank."""
    from oneroster_sample.bundle import write_bundle

    folder = tmp_path_factory.mktemp("drops")

    def fill(name, row):
        if name == "scoreScales":
            row["orgSourcedId"] = row["orgSourcedId"] or "00001"
        blank = {
            "roles": {"endDate": "2027-06-30"},
            "userResources": {"classSourcedId": row.get("classSourcedId") or a_class},
            "lineItemScoreScales": {"title": "A to F"},
            "resultScoreScales": {"title": "A to F"},
        }
        row |= {column: value for column, value in blank.get(name, {}).items() if not row[column]}

    paths = []
    for version in ("1.1", "1.2"):
        whole = folder / f"{version}.whole.zip"
        write_bundle(DISTRICT, whole, version=version)
        a_class = cells(whole, "classes")[0]["sourcedId"]
        paths.append(rewritten(folder / f"{version}.zip", whole, fill))
    return paths


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_the_list_of_a_policy_is_the_set_of_columns_with_a_value(path, services, drops, tmp_path, monkeypatch):
    """Over REST and CSV, 1.1 and 1.2 together: each listed column has a value somewhere, and no other has one."""
    monkeypatch.setenv("ONEROSTER_TODAY", TODAY)
    policy_path = tmp_path / path.name
    policy_path.write_text(path.read_text())
    filled = set()
    for config in (*map(rest_settings, services), *map(by_csv, drops)):
        run = twin_run(config, policy_path, key=KEY if "mode: keyed" in path.read_text() else None)
        assert run.error is None
        for stream, records in run.records.items():
            if stream != "syncReceipts":
                filled |= {(stream, name) for record in records for name, value in record.items() if value is not None}
    listed = {(one.stream, one.field) for one in elements(read_policy(path.read_text(), path.name, date(2026, 9, 1)))}
    assert filled <= listed
    assert listed - filled <= NEVER_FILLED


def test_a_star_means_what_the_model_says():
    """No name, contact, account, identifier, birth, demographic, special or text: these are named one by one."""
    for of in FILES:
        for field in fields_of(of.name).values():
            never = field.personal in set(Personal) - {Personal.SCHEDULE, Personal.PERFORMANCE}
            assert is_by_star(field) == (not never or field.name in {"sourcedId", "status", "dateLastModified"}), field
    assert BY_STAR == (
        "all fields but those of the kinds name contact account identifier birth demographic special text"
    )
    assert "password" not in fields_of("users")


@pytest.mark.parametrize(
    "fields", [["'*'", "title: drop", "classCode: keep"], ["title: drop", "classCode: keep", "'*'"]]
)
def test_what_is_named_comes_before_the_star(fields, tmp_path):
    """In whatever order they stand: a title that is dropped must not come back by the star behind it."""
    policy = read_policy(write(tmp_path, {"classes": fields}).read_text(), "policy.yml", date(2026, 9, 1))
    assert "title" not in policy.elements["classes"]
    assert policy.elements["classes"]["classCode"].word == "keep"
    assert "grades" in policy.elements["classes"]


def test_what_is_not_named_is_not_offered(bundle, tmp_path):
    """Neither a stream nor a column, in catalog, schema and records; the three fields of every row always are."""
    from tap_oneroster import TapOneRoster

    policy = write(tmp_path, {"orgs": ["name"], "demographics": ["sex: keep"]})
    config = by_csv(bundle("1.2"), twin=str(policy), twin_key=KEY)
    assert set(TapOneRoster(config=config).streams) == {"orgs", "demographics", "syncReceipts"}
    run = twin_run(by_csv(bundle("1.2")), policy)
    assert set(run.records) == {"orgs", "demographics", "syncReceipts"}
    schemas = {m["stream"]: set(m["schema"]["properties"]) for m in run.messages if m["type"] == "SCHEMA"}
    assert schemas["orgs"] == {"sourcedId", "status", "dateLastModified", "name"}
    assert all(record.keys() == schemas["orgs"] for record in run.records["orgs"])
    assert set(run.receipts["orgs"]["columns"]) <= schemas["orgs"]


def test_counts_are_those_of_the_last_receipts(bundle, tmp_path, capsys):
    """Of this consumer only; passes of one run add up."""
    policy = write(tmp_path, {"users": ["givenName"], "orgs": "'*'"})
    run = twin_run(by_csv(bundle("1.2")), policy)
    receipts = tmp_path / "receipts.jsonl"
    lines = [json.dumps(message) for message in run.messages]
    lines.append(json.dumps({"collection": "users", "source": "another-app", "runId": "x", "distinct": 7}))
    receipts.write_text("\n".join(lines) + "\n")
    assert command(["elements", str(policy), "--format", "csv", "--receipts", str(receipts)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(rows[0]) == ["stream", "field", "category", "treatment", "count"]
    assert {row["count"] for row in rows if row["stream"] == "users"} == {str(len(run.records["users"]))}
    passes = [{"collection": "users", "source": "a", "runId": "1", "distinct": n} for n in (3, 4)]
    assert counts_of([{"collection": "users", "source": "a", "runId": "0", "distinct": 9}, *passes], "a") == {
        "users": 7
    }


def test_the_difference_to_last_month_is_the_audit_trail(tmp_path):
    """What came, what went, what is treated in another way, and how many rows."""

    def listed(elements_, **counts):
        text = write(tmp_path, elements_).read_text()
        return elements(read_policy(text, "policy.yml", date(2026, 9, 1)), counts or None)

    before = as_csv(listed({"users": ["givenName", "email"], "orgs": ["name"]}, users=10, orgs=3))
    now = listed({"users": ["givenName: initial", "grades"], "orgs": ["name"]}, users=10, orgs=4)
    lines = changes(before, now)
    assert "+ users.grades: keep" in lines
    assert "- users.email" in lines
    assert "~ users.givenName: fake → initial" in lines
    assert "# orgs.name: 3 → 4 rows" in lines
    assert changes(as_csv(now), now) == []


def test_categories_are_those_of_the_schedule_of_data(tmp_path):
    """Guardians have categories of their own, if the scope lets them in."""
    text = write(tmp_path, {"users": ["givenName", "email", "agentSourcedIds"], "results": "'*'"}).read_text()
    found = {(one.stream, one.field): one.category for one in elements(read_policy(text, "p", date(2026, 9, 1)))}
    assert found["users", "givenName"] == "Student Name; Parent/Guardian Name"
    assert found["users", "sourcedId"] == "Student Identifiers; Parent/Guardian ID"
    assert found["users", "agentSourcedIds"] == "Parent/Guardian ID"
    assert found["results", "score"] == "Assessment"
    without = read_policy(text.replace("elements:", "scope: {users: [student]}\nelements:"), "p", date(2026, 9, 1))
    found = {(one.stream, one.field): one.category for one in elements(without)}
    assert found["users", "givenName"] == "Student Name"
    assert "| Student Name | users.givenName (fake) |" in as_ndpa(elements(without))
    assert "fake: another one in its place, the same every night" in as_markdown(elements(without))
