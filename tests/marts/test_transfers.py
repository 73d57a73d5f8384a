"""Moves between schools are those that the sample says it made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .warehouses import duckdb_desk, load_events, postgres_desk

if TYPE_CHECKING:
    from pathlib import Path

    from .warehouses import Desk, Server

EVENTS = ("11:transfer:00001:4", "11:dual:00002:3", "11:reentry:00003:2")


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a warehouse of two nights, in the second of which pupils moved, and the truth about them."""
    folder: Path = tmp_path_factory.mktemp("nights")
    load_events(folder, ("10", ()), ("11", EVENTS))
    return folder


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def desk(request: pytest.FixtureRequest, nights: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder: Path = tmp_path_factory.mktemp("desk")
    warehouse = nights / "warehouse.duckdb"
    if request.param == "duckdb":
        made = duckdb_desk(folder, warehouse)
    else:
        server: Server = request.getfixturevalue("server")
        made = postgres_desk(folder, server, warehouse)
    models = ("+shared_transfer_count", "+stg_oneroster__enrollments_versions")
    assert made("build", *(word for model in models for word in ("--select", model))) == 0, made.err
    return made


def test_each_pupil_who_moved_is_there_and_nobody_else(desk: Desk, nights: Path) -> None:
    events = json.loads((nights / "truth.json").read_text())["events"]
    words = {"transfer": "transfer", "dual": "dual", "reentry": "re-entry"}
    expected = {
        (words[event["kind"]], its["student"], its["school"], its.get("other", its["school"]))
        for event in events
        for its in event["students"]
    }
    assert len(expected) == 9
    rows = desk.rows("restricted.transfer")
    since = [row for row in rows if row["first_day"] and row["first_day"] > "2026-11-01"]
    assert {(r["kind"], r["student_id"], r["from_school_id"], r["to_school_id"]) for r in since} == expected
    # What the district itself does in autumn: moves on one day, with nothing between.
    assert {(r["kind"], r["first_day"], r["days_between"]) for r in rows if r not in since} == {
        ("transfer", "2026-10-05", 0)
    }


def test_versions_of_enrollments_are_kept_by_the_loader_or_by_snapshots(desk: Desk, nights: Path) -> None:
    """DuckDB has those of both nights; PostgreSQL's begin with the first build, and a second one finds what changed."""
    if desk.database:
        desk.database.execute(
            "update oneroster.enrollments set role = 'aide' where \"sourcedId\" ="
            " (select min(\"sourcedId\") from oneroster.enrollments where role = 'proctor')"
        )
        assert desk("build", "--select", "+stg_oneroster__enrollments_versions") == 0, desk.err
    table = "restricted.stg_oneroster__enrollments_versions"
    (ended,) = desk.rows(table, "count(*) as n", "valid_to is not null and valid_to > valid_from")
    (present,) = desk.rows(table, "count(*) as n", "valid_to is null")
    (there,) = desk.rows("restricted.stg_oneroster__enrollments", "count(*) as n", "gone_on is null")
    assert present == there
    if desk.database:
        assert ended["n"] == 1
    else:
        truth = json.loads((nights / "truth.json").read_text())["files"]["enrollments"]
        assert ended["n"] == truth["removed"] + truth["changed"] > 0


def test_few_movers_are_hidden_in_what_is_shared(desk: Desk) -> None:
    rows = desk.rows("shared.transfer_count")
    assert rows
    assert all(row["suppressed"] and row["students"] is None for row in rows)
    assert sum(row["students"] for row in desk.rows("restricted.transfer_count")) == len(
        desk.rows("restricted.transfer")
    )
