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
    models = (
        "+shared_transfer_count",
        *(f"+stg_oneroster__{name}_versions" for name in ("enrollments", "users", "roles")),
    )
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


@pytest.mark.parametrize(
    ("name", "column", "update"),
    [
        ("users", "user_id", "update oneroster.users set grades = '{12}'"),
        ("roles", "role_id", "update oneroster.roles set \"roleType\" = 'secondary'"),
    ],
)
def test_versions_of_users_and_roles_follow_each_other(name: str, column: str, update: str, desk: Desk) -> None:
    """Each row that is there has one version of now; an earlier one ends when the next begins."""
    table = f"restricted.stg_oneroster__{name}_versions"
    if desk.database:
        of_one = f'(select min("sourcedId") from oneroster.{name})'
        desk.database.execute(f'{update} where "sourcedId" = {of_one}')
        assert desk("build", "--select", f"+stg_oneroster__{name}_versions") == 0, desk.err
    versions = desk.rows(table, f"{column} as id, valid_from, valid_to")
    now = [row["id"] for row in versions if row["valid_to"] is None]
    there = desk.rows(f"restricted.stg_oneroster__{name}", f"{column} as id", "gone_on is null")
    assert sorted(now) == sorted(row["id"] for row in there)
    ended = [row for row in versions if row["valid_to"]]
    begun = {(row["id"], row["valid_from"]) for row in versions}
    assert len(ended) > 0
    assert all(row["valid_from"] < row["valid_to"] for row in ended)
    assert [row for row in ended if row["id"] in set(now) and (row["id"], row["valid_to"]) not in begun] == []


def test_few_movers_are_hidden_in_what_is_shared(desk: Desk) -> None:
    rows = desk.rows("shared.transfer_count")
    assert rows
    assert all(row["suppressed"] and row["students"] is None for row in rows)
    assert sum(row["students"] for row in desk.rows("restricted.transfer_count")) == len(
        desk.rows("restricted.transfer")
    )
