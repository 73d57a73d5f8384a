"""The column path and the record path give the same bytes: one table of functions, two callers."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oneroster_core.twin.policy import read_policy
from tap_oneroster.bundle.read.twin_lines import TwinLineReader

from tests.support.cells import CELL
from tests.support.twin import EVERYTHING, by_csv, twin_run, write

MIXED = {
    "users": [
        *("'*'", "givenName: initial", "familyName: label", "middleName: keep", "username: pseudonym", "userIds"),
        *(
            "identifier",
            "email: hmac",
            "sms: fake",
            "agentSourcedIds",
            "metadata: [tag, note]",
            "dateLastModified: keep",
        ),
    ],
    "orgs": ["'*'", "name: label", "identifier: label"],
    "classes": ["'*'", "title: label", "location: keep"],
    "courses": "'*'",
    "roles": "'*'",
    "enrollments": ["classSourcedId", "userSourcedId", "role: drop"],
    "demographics": ["birthDate: shift", "sex: keep", "cityOfBirth: keep"],
}


def raw(run):
    """What was written of each stream, without the times."""
    return [
        (m["stream"], m["record"]) for m in run.messages if m["type"] == "RECORD" and m["stream"] != "syncReceipts"
    ], {name: r["contentDigest"] for name, r in run.receipts.items()}


def both_ways(config, policy, monkeypatch):
    """A run by columns, and the same by records."""
    columns = twin_run(config, policy)
    used = []
    with monkeypatch.context() as patched:
        patched.setattr(TwinLineReader, "read", lambda self, chunk, odd: used.append(1))
        records = twin_run(config, policy)
    return columns, records, bool(used)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("elements", [EVERYTHING, MIXED])
def test_a_district_by_columns_is_the_district_by_records(version, elements, bundle, tmp_path, monkeypatch):
    """Each line, each digest, each deviation."""
    columns, records, used = both_ways(by_csv(bundle(version)), write(tmp_path, elements), monkeypatch)
    assert used
    assert columns.error is None
    assert raw(columns) == raw(records)
    for name, receipt in columns.receipts.items():
        assert receipt["deviations"] == records.receipts[name]["deviations"], name


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_scope_by_columns_is_the_scope_by_records(version, bundle, tmp_path, monkeypatch, district):
    """Rows that go, references that are removed, and their counts."""
    scope = "scope: {schools: ['00001'], grades: ['KG', '01'], users: [student, teacher, parent]}"
    policy = write(tmp_path, EVERYTHING, more=[scope])
    columns, records, _ = both_ways(by_csv(bundle(version)), policy, monkeypatch)
    assert columns.error is None
    assert columns.receipts["users"]["deviations"]["scope"] > 20
    assert raw(columns) == raw(records)
    for name, receipt in columns.receipts.items():
        assert receipt["deviations"] == records.receipts[name]["deviations"], name


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_odd_cells_come_out_the_same(data, tmp_path_factory):
    """Whatever stands in the cells: quotes, commas, blanks, NULL, other scripts."""
    folder = tmp_path_factory.mktemp("odd")
    rows = data.draw(st.lists(st.lists(CELL, min_size=8, max_size=8), min_size=1, max_size=4))
    names = ["givenName", "familyName", "username", "email", "userIds", "agentSourcedIds", "grades", "metadata.tag"]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["sourcedId", *names])
    writer.writerows([f"id-{number}", *row] for number, row in enumerate(rows))
    path = folder / "b.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("users.csv", out.getvalue())
    with pytest.MonkeyPatch.context() as patched:
        columns, records, _ = both_ways(by_csv(path), write(folder, {"users": MIXED["users"]}), patched)
    assert raw(columns) == raw(records)
    assert columns.receipts["users"]["deviations"] == records.receipts["users"]["deviations"]


def test_scalars_are_text_as_written():
    """`04123456` is no number, `07` no octal one, `no` no boolean."""
    text = (
        "version: 1\nconsumer: a\nmode: keyed\nkey_check: 04123456\nscope: {grades: [07, no]}\nelements: {orgs: '*'}\n"
    )
    policy = read_policy(text, "policy.yml", date(2026, 1, 1))
    assert policy.key_check == "04123456"
    assert policy.scope is not None
    assert policy.scope.grades == ("07", "no")
