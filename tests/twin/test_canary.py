"""Marks in every personal field, in ids, metadata and titles: none is in anything that leaves for the consumer, or in a log."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from oneroster_core.model import FILES, Personal, file
from oneroster_sample.district import District
from oneroster_sample.provider import Knobs, Provider
from target_oneroster.bundle.target import TargetOneRosterCSV

from tests.support.twin import EVERYTHING, KEY, TODAY, by_csv, rest_settings, rewritten, twin_run, write

MARK = "Zqxj"
BORN = "1907-07-17"
PERSONAL = {
    Personal.NAME,
    Personal.CONTACT,
    Personal.ACCOUNT,
    Personal.IDENTIFIER,
    Personal.DEMOGRAPHIC,
    Personal.SPECIAL,
}
PERSONAL |= {Personal.TEXT, Personal.BIRTH}
ELEMENTS = EVERYTHING | {
    "users": [
        *(name for name in EVERYTHING["users"] if name not in {"familyName", "email"}),
        *("familyName: initial", "email: hmac", "metadata: [tag, links]"),
    ],
    "classes": [*EVERYTHING["classes"], "metadata: [tag]"],
}


class Planter:
    """Plants marks, and counts them."""

    def __init__(self):
        self.planted = 0

    def text(self, number):
        self.planted += 1
        return f"{MARK}{number}"

    def ids(self, cell):
        parts = [f"{MARK}-{one}" for one in cell.split(",") if one]
        self.planted += len(parts)
        return ",".join(parts)

    def row(self, name, row):
        """A row of a bundle with marks; what cannot be read must not be quoted either."""
        for field in file(name).fields:
            if field.name not in row:
                continue
            if field.refers_to or field.name == "sourcedId":
                row[field.name] = self.ids(row[field.name])
            elif field.name == "userIds":
                row[field.name] = f"{{ldap:{self.text(row['sourcedId'])}}}"
            elif field.name == "birthDate":
                row[field.name] = BORN
            elif field.personal in PERSONAL:
                row[field.name] = self.text(len(row["sourcedId"]) + self.planted)
        if name == "users":
            row["metadata.tag"] = "blue"
            row["metadata.natural_key"] = self.text("key")
            row["metadata.link"] = f"https://sis.example.org/{self.text('link')}"
            row["enabledUser"] = "true" if self.planted % 3 else self.text("enabled")
        if name == "classes":
            row["metadata.tag"] = f"urn:{self.text('urn')}"


@pytest.fixture(scope="module")
def marked(bundle, tmp_path_factory):
    """A bundle full of marks. Titles of classes name a teacher."""
    folder, planter = tmp_path_factory.mktemp("marked"), Planter()
    path = rewritten(folder / "marked.zip", bundle("1.2"), planter.row)

    def name_teachers(name, row):
        if name == "users":
            row["familyName"] += f" {MARK}"
        if name in {"classes", "courses"}:
            row["title"] = f"Mathematics with Ms. {MARK.upper()}"

    named = rewritten(folder / "named.zip", path, name_teachers)
    assert planter.planted > 3000
    return named


def is_clean(data):
    """Whether no mark is in some bytes."""
    text = data if isinstance(data, bytes) else data.encode()
    return MARK.lower().encode() not in text.lower() and BORN.encode() not in text


def published(run, out):
    """The files that the target writes of a run."""
    lines = b"".join(json.dumps(message).encode() + b"\n" for message in run.messages)
    target = TargetOneRosterCSV(
        config={
            "output_path": str(out),
            "oneroster_version": "1.2",
            "on_invalid": "quarantine",
            "metadata": "keep",
            "report_path": str(out.with_suffix(".report.json")),
        }
    )
    try:
        target.listen(io.BytesIO(lines))  # type: ignore[arg-type]
    finally:
        target.close()
    return [path for path in out.parent.rglob("*") if path.is_file() and path.suffix != ".yml"]


@pytest.mark.parametrize("scope", [None, {"schools": [f"{MARK}-00002"], "grades": ["01", "09"]}])
def test_no_mark_is_in_records_receipts_state_log_or_bundle(scope, marked, tmp_path, caplog, capfd, monkeypatch):
    """Of a bundle, in scope or whole; the policy names every personal field."""
    monkeypatch.setenv("ONEROSTER_TODAY", TODAY)
    caplog.set_level("DEBUG")
    more = ["scope: " + json.dumps(scope)] if scope else []
    run = twin_run(by_csv(marked), write(tmp_path, ELEMENTS, more=more))
    assert run.error is None
    assert len(run.records["users"]) > 20
    for message in run.messages:
        assert is_clean(json.dumps(message)), (message["type"], message.get("stream"))
    assert is_clean(json.dumps(run.messages, ensure_ascii=False))
    assert is_clean(caplog.text)
    assert is_clean("".join(capfd.readouterr()))
    # The titles were replaced by the code of the course, and what is no mark came through.
    titles = {record["title"] for record in run.records["classes"]}
    assert all(title.split()[-1].isdigit() for title in titles)
    assert {json.dumps(record.get("metadata")) for record in run.records["users"]} == {'{"tag": "blue"}'}
    assert {record.get("metadata") for record in run.records["classes"]} == {None}
    out = tmp_path / "consumer" / "bundle"
    out.parent.mkdir()
    files = published(run, out)
    assert len(files) > 10
    assert all(is_clean(path.read_bytes()) for path in files)


def plant_in_rest(record):
    """A mark in every personal value of a record of REST, and a key that the standard does not have."""
    names = {key for f in FILES for field in f.fields if field.personal in PERSONAL for key in field.rest_names}
    if {"name", "type"} <= record.keys():  # an org, whose identifier is no person's
        return record
    for key in names & record.keys() - {"userIds", "agents", "birthDate", "metadata", "userProfiles"}:
        if isinstance(record[key], str) or record[key] is None:
            record[key] = f"{MARK} {record['sourcedId']}"
    if "birthDate" in record:
        record["birthDate"] = BORN
    if "familyName" in record:
        record["userIds"] = [{"type": "ldap", "identifier": f"{MARK}-{record['sourcedId']}"}]
        record["homeAddress"] = f"{MARK} Street"
        record["metadata"] = {"natural_key": MARK, "tag": f"urn:{MARK}", "links": ["blue", f"https://x.example/{MARK}"]}
        record["enabledUser"] = MARK
    if "classType" in record:
        record["title"] = f"Art with {MARK}"
    return record


def test_no_mark_of_a_service_leaves(tmp_path, caplog, capfd):
    """The record path: the same, also for keys that the standard does not have."""
    caplog.set_level("DEBUG")
    district = District(seed=7, schools=1, students_per_school=15)
    with Provider(district, version="1.2", knobs=Knobs(page_cap=50, spelling=plant_in_rest)) as provider:
        run = twin_run(rest_settings(provider), write(tmp_path, ELEMENTS))
    assert len(run.records["users"]) > 20
    assert is_clean(json.dumps(run.messages))
    assert is_clean(caplog.text)
    assert is_clean("".join(capfd.readouterr()))


def test_a_failing_run_shows_no_mark(marked, tmp_path, caplog, monkeypatch):
    """Whatever goes wrong: a row that is too short, an expression that fails, a scope that keeps nobody."""
    path = write(tmp_path, ELEMENTS)
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(marked) as before, zipfile.ZipFile(broken, "w") as after:
        for member in before.namelist():
            data = before.read(member)
            after.writestr(member, data + f"{MARK},{MARK}\n".encode() if member == "users.csv" else data)
    runs = [
        twin_run(by_csv(broken), path),
        twin_run(by_csv(broken, on_invalid="fail"), path),
        twin_run(by_csv(marked, stream_maps={"users": {"grades": "1 / 0"}}), path),
        twin_run(by_csv(marked), write(tmp_path, ELEMENTS, more=[f"scope: {{schools: ['{MARK}-nowhere']}}"])),
    ]
    for run in runs:
        assert run.error
        assert is_clean(run.error)
        assert is_clean(json.dumps(run.messages))
    assert is_clean(caplog.text)


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_killed_run_leaves_no_mark(marked, tmp_path):
    """At fifty moments: neither in what was written so far, nor in the log, nor in a file of its temporary folder."""
    folder, scratch = tmp_path / "runs", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    policy = write(tmp_path, ELEMENTS)
    (folder / "config.json").write_text(json.dumps(by_csv(marked, twin=str(policy), twin_key=KEY)))
    root = Path(__file__).parents[2]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    command = [sys.executable, "-m", "tests.support.killed_twins", str(folder)]
    assert subprocess.run(command, cwd=root, env=environment).returncode == 0
    outputs = sorted(folder.glob("out-*.jsonl"))
    sizes = {path.stat().st_size for path in outputs}
    assert len(outputs) >= 45
    assert len(sizes) > 5, "killed at different moments"
    left = [
        path
        for place in (folder, scratch)
        for path in place.rglob("*")
        if path.is_file() and path.name != "config.json"
    ]
    assert all(is_clean(path.read_bytes()) for path in left)
    assert not list(scratch.iterdir())
