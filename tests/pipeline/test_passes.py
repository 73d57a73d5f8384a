"""`tap | target` over a drop in which deltas follow a bulk: what comes later counts, dated or not."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.csv.bundles import ORGS, csv_text, delta, write

BIN = Path(sys.executable).parent
USERS = "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,givenName,familyName"


def night(tmp_path, target, config, state=None):
    """One run of the two commands; the state that the target acknowledged."""
    tap = ["tap-oneroster", "--config", tmp_path / "tap.json"]
    (tmp_path / "tap.json").write_text(
        json.dumps({"mode": "csv", "csv_path": str(tmp_path / "drop/*.zip"), "settle_seconds": 0})
    )
    (tmp_path / "target.json").write_text(json.dumps(config))
    if state:
        (tmp_path / "state.json").write_text(state)
        tap += ["--state", tmp_path / "state.json"]
    read = subprocess.run([BIN / tap[0], *tap[1:]], capture_output=True, check=True)
    done = subprocess.run(
        [BIN / target, "--config", tmp_path / "target.json"], input=read.stdout, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()[-1]


def loaded(tmp_path, target):
    """Names of orgs and of users, and user and org of each role, as they are there now."""
    if target == "target-oneroster-duckdb":
        with duckdb.connect(str(tmp_path / "w.duckdb"), read_only=True) as database:

            def query(what, table):
                found = database.execute(
                    f"SELECT {what} FROM oneroster.{table} WHERE _sdc_deleted_at IS NULL AND status = 'active'"
                )
                return set(found.fetchall())

            return query("name", "orgs"), query("givenName", "users"), query("userSourcedId, orgSourcedId", "roles")

    def rows(name):
        text = (tmp_path / f"out/{name}.csv").read_text(encoding="utf-8")
        return list(csv.DictReader(io.StringIO(text)))

    orgs, users = {(row["name"],) for row in rows("orgs")}, {(row["givenName"],) for row in rows("users")}
    return orgs, users, {(row["userSourcedId"], row["orgSourcedId"]) for row in rows("roles")}


@pytest.mark.parametrize("target", ["target-oneroster-csv", "target-oneroster-duckdb"])
@pytest.mark.parametrize("dated", [True, False], ids=["dated", "undated"])
def test_a_bulk_and_its_deltas_in_one_run(tmp_path, target, dated):
    """Rows of a bulk have no date, and those of a delta may have none: neither is a conflict; the second night is quiet."""
    when = "2026-09-01T00:00:00.000Z" if dated else ""
    bulk = csv_text(USERS, 'u1,,,true,"s1,s2",student,ann,Ann,A', "u2,,,true,s1,student,bob,Bob,B")
    write(tmp_path / "drop/1.zip", {"orgs.csv": ORGS, "users.csv": bulk}, at=1_788_000_000)
    moved = csv_text(USERS, f"u1,active,{when},true,s2,student,ann,Anna,A")
    write(
        tmp_path / "drop/2.zip",
        {"orgs.csv": delta("s2,active,New Name"), "users.csv": moved},
        "delta",
        at=1_788_000_100,
    )
    back = csv_text(USERS, f"u2,tobedeleted,{when},true,s1,student,bob,Bob,B")
    write(tmp_path / "drop/3.zip", {"users.csv": back}, "delta", at=1_788_000_200)
    config = (
        {"output_path": str(tmp_path / "out"), "load_method": "upsert"}
        if target == "target-oneroster-csv"
        else {"filepath": str(tmp_path / "w.duckdb")}
    )
    state = night(tmp_path, target, config)
    there = loaded(tmp_path, target)
    assert there == ({("District",), ("School One",), ("New Name",)}, {("Anna",)}, {("u1", "s2")})
    night(tmp_path, target, config, state)
    assert loaded(tmp_path, target) == there
