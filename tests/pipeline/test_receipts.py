"""What a receipt says of its source: the columns, the rows of each school, and how old the source is."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from datetime import datetime

import pytest
from oneroster_sample.provider import Knobs, Provider
from tap_oneroster.receipts.tally import header_digest

from tests.singer import run_tap
from tests.support.tap import broken, pull, select

STREAMS = ("orgs", "users", "roles", "enrollments", "courses")
ADDED = ("columns", "headerDigest", "counts", "sourceModifiedAt")


def drop(path, *streams, **more):
    """One run over a few files of a bundle."""
    config = {"mode": "csv", "csv_path": str(path), "settle_seconds": 0, **more}
    return run_tap(config, catalog=select(config, *(streams or STREAMS), "syncReceipts"))


def written(path, name):
    """The header of a file, as it lies there."""
    with zipfile.ZipFile(path) as files:
        return files.read(f"{name}.csv").decode().partition("\n")[0].strip().replace('"', "").split(",")


def schools_of(records, column):
    """Rows of each school."""
    values = [record[column] for record in records if record["status"] != "tobedeleted"]
    return Counter(school for value in values for school in (value if isinstance(value, list) else [value]) if school)


def test_columns_of_a_file_are_its_header_as_it_is_written(bundle, tmp_path):
    """Order, case, and columns that the standard does not have; the digest differs if any of it does."""
    before = drop(bundle("1.2"), "users").receipts["users"]
    assert before["columns"] == written(bundle("1.2"), "users")

    def change(data):
        head, *lines = data.replace(b"givenName", b"GIVENNAME", 1).splitlines()
        return b"\r\n".join([head + b",bus", *(line + b",7" for line in lines), b""])

    other = broken(tmp_path / "b.zip", bundle("1.2"), "users.csv", change)
    after = drop(other, "users").receipts["users"]
    assert after["columns"] == [*("GIVENNAME" if c == "givenName" else c for c in before["columns"]), "bus"]
    assert len({before["headerDigest"], after["headerDigest"], header_digest(sorted(before["columns"]))}) == 3


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_counts_are_the_rows_of_each_school(bundle, version):
    """Rows of two schools count in both; files without a school have none; nothing but counts."""
    run = drop(bundle(version))
    for name, column in (("enrollments", "schoolSourcedId"), ("roles", "orgSourcedId"), ("courses", "orgSourcedId")):
        assert run.receipts[name]["counts"] == schools_of(run.records[name], column)
    assert run.receipts["users"]["counts"] == schools_of(run.records["users"], "orgSourcedIds")
    assert run.receipts["orgs"]["counts"] is None
    assert list(run.receipts["enrollments"]["counts"]) == sorted(run.receipts["enrollments"]["counts"])


def test_rows_that_are_deleted_are_not_counted(bundle, tmp_path):
    path = broken(
        tmp_path / "b.zip", bundle("1.2"), "courses.csv",
        lambda data: b"\n".join(_delete(line) if n == 1 else line for n, line in enumerate(data.split(b"\n"))),
    )  # fmt: skip
    run = drop(path, "courses")
    assert sum(run.receipts["courses"]["counts"].values()) == len(run.records["courses"]) - 1


def _delete(line):
    key, _, _, rest = line.split(b",", 3)
    return b",".join([key, b"tobedeleted", b"2026-01-01T00:00:00.000Z", rest])


def test_batches_have_the_same_receipts(bundle, tmp_path):
    """The path by columns, and the path by records."""
    pytest.importorskip("pyarrow")
    encoding = {"encoding": {"format": "parquet"}, "storage": {"root": str(tmp_path)}}
    one, other = drop(bundle("1.1")), drop(bundle("1.1"), batch_config=encoding)
    for name in STREAMS:
        assert {key: one.receipts[name][key] for key in ADDED} == {key: other.receipts[name][key] for key in ADDED}


def test_a_bundle_is_as_old_as_its_newest_file(bundle, tmp_path):
    with zipfile.ZipFile(bundle("1.2")) as files:
        files.extractall(tmp_path / "b")
    for number, path in enumerate(sorted((tmp_path / "b").iterdir())):
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
    run = drop(tmp_path / "b", "orgs", "users")
    newest = datetime.fromisoformat(run.receipts["orgs"]["sourceModifiedAt"]).timestamp()
    assert newest == 1_700_000_000 + len(list((tmp_path / "b").iterdir())) - 1
    assert run.receipts["users"]["sourceModifiedAt"] == run.receipts["orgs"]["sourceModifiedAt"]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_service_has_the_same_counts_and_its_own_columns(district, bundle, version):
    """Keys that had a value in any record, sorted; the latest date that was seen."""
    with Provider(district, version=version, knobs=Knobs(page_cap=17)) as provider:
        run = pull(provider, *STREAMS, "syncReceipts")
    other = drop(bundle(version))
    for name in ("enrollments", "courses", *(["users"] if version == "1.1" else [])):
        assert run.receipts[name]["counts"] == other.receipts[name]["counts"], name
    columns = run.receipts["users"]["columns"]
    assert columns == sorted(columns)
    assert {"sourcedId", "status", "dateLastModified", "givenName", "familyName", "username"} <= set(columns)
    assert ("orgs" in columns) is (version == "1.1")
    assert ("roles" in columns) is (version == "1.2")
    assert run.receipts["users"]["headerDigest"] == header_digest(columns)
    assert run.receipts["roles"]["columns"] is None
    latest = max(record["dateLastModified"] for record in run.records["enrollments"])
    assert run.receipts["enrollments"]["sourceModifiedAt"] == latest
