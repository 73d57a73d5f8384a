"""The quick start's summary: the loader may say what it likes, only counts are believed."""

from __future__ import annotations

import csv
import io
import zipfile

import duckdb
import pytest

from tests.singer import run_tap
from tests.warehouse.conftest import House
from tools.quickstart.summary import compare, count_bundle, main, render


@pytest.fixture
def warehouse(bundle, tmp_path):
    """A database into which every record of the bundle went, and the path to it."""
    path = tmp_path / "warehouse.duckdb"
    run = run_tap({"mode": "csv", "csv_path": str(bundle("1.2"))})
    House(path).run(run.messages)
    return path


def lines(bundle, path):
    with duckdb.connect(str(path), read_only=True) as database:
        return {line.stream: line for line in compare(count_bundle(bundle("1.2")), database, "oneroster")}


def test_counts_of_a_whole_load_agree(bundle, warehouse):
    found = lines(bundle, warehouse)
    assert found.pop("demographics").left_out  # in the bundle, but not selected
    assert found.keys() >= {"users", "enrollments", "roles", "results"}
    assert all(line.agrees for line in found.values())


def test_one_dropped_row_is_told_loudly(bundle, warehouse, monkeypatch, capsys):
    """A loader that loses a row and says nothing does not get past the summary."""
    with duckdb.connect(str(warehouse)) as database:
        database.execute("delete from oneroster.enrollments where rowid = 0")
    line = lines(bundle, warehouse)["enrollments"]
    assert not line.agrees
    assert line.database == line.receipt - 1
    assert "DIFFERENT" in render([line])
    monkeypatch.setattr("sys.argv", ["summary", str(bundle("1.2")), str(warehouse)])
    assert main() == 1
    assert "NOT everything arrived" in capsys.readouterr().out


def test_a_receipt_that_got_lost_is_told(bundle, warehouse):
    """A table without a receipt is not the same as a stream that nobody asked for."""
    with duckdb.connect(str(warehouse)) as database:
        database.execute("delete from oneroster.\"syncReceipts\" where collection = 'users'")
    line = lines(bundle, warehouse)["users"]
    assert not line.agrees
    assert not line.left_out


def test_a_row_that_came_twice_is_told_too(bundle, warehouse):
    with duckdb.connect(str(warehouse)) as database:
        database.execute("insert into oneroster.users select * from oneroster.users limit 1")
    assert not lines(bundle, warehouse)["users"].agrees


def test_a_source_that_holds_more_than_the_receipt_is_told(bundle, warehouse, tmp_path):
    """The source is counted without the tap."""
    richer = tmp_path / "richer.zip"
    with zipfile.ZipFile(bundle("1.2")) as before, zipfile.ZipFile(richer, "w") as after:
        for name in before.namelist():
            text = before.read(name).decode()
            if name == "orgs.csv":
                rows = list(csv.reader(io.StringIO(text)))
                text += ",".join(["another", *rows[1][1:3], "x", "school", "", ""]) + "\r\n"
            after.writestr(name, text)
    found = lines(lambda _: richer, warehouse)
    assert not found["orgs"].agrees


def test_an_incomplete_receipt_is_never_all_there(bundle, warehouse):
    with duckdb.connect(str(warehouse)) as database:
        database.execute("update oneroster.\"syncReceipts\" set complete = false where collection = 'orgs'")
    assert not lines(bundle, warehouse)["orgs"].agrees
