"""Union views over all districts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from tests.loaders.postgres import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.fleet import Desk

HEAD = "version: 1\nstate: file:///s\ndefaults:\n  loader: {{%s}}\ndistricts:\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def test_duckdb(desk: Desk) -> None:
    """Each district's file is attached; columns come by name."""
    desk.file("- {id: a}\n- {id: b-2}\n", HEAD % "name: target-oneroster-duckdb, filepath: '{{district}}.duckdb'")
    for id_, columns in (
        ("a", "'a' as tenant, 'u1' as sourcedId"),
        ("b-2", "'u1' as sourcedId, 'b-2' as tenant, 1 as more"),
    ):
        with duckdb.connect(desk.folder / f"{id_}.duckdb") as made:
            made.execute(f"create schema oneroster; create table oneroster.users as select {columns}")
    code, lines, _ = desk("views", "--dialect", "duckdb", "--stream", "users")
    assert code == 0
    with duckdb.connect(desk.folder / "fleet.duckdb") as fleet:
        fleet.execute("\n".join(lines))
        rows = fleet.execute("select tenant, sourcedId from all_districts.users order by 1").fetchall()
    assert rows == [("a", "u1"), ("b-2", "u1")]


def test_postgres(desk: Desk, server: Server) -> None:
    """Tables and columns that a district lacks are no fault; the script can be run again after one was added."""
    desk.file(
        "- {id: a}\n- {id: b-2}\n- {id: c}\n", HEAD % "name: target-postgres, default_target_schema: '{{district}}'"
    )
    database = server.database()
    database.execute('create schema a; create table a.users (tenant text, "sourcedId" text)')
    database.execute(
        'create schema "b-2"; create table "b-2".users ("sourcedId" text, tenant text, more int); create table "b-2".orgs (tenant text)'
    )
    database.execute("""insert into a.users values ('a', 'u1'); insert into "b-2".users values ('u1', 'b-2', 1)""")
    code, lines, _ = desk("views", "--dialect", "postgres")
    assert code == 0
    for _ in range(2):
        database.execute("\n".join(lines))
        assert database.execute('select tenant, "sourcedId", more from all_districts.users order by 1') == [
            "a|u1|",
            "b-2|u1|1",
        ]
        assert database.execute("select count(*) from all_districts.orgs") == ["0"]
        database.execute("create schema if not exists c; create table if not exists c.orgs (tenant text)")


def test_snowflake(desk: Desk) -> None:
    """A view for each stream but demographics, which are loaded only where named."""
    desk.file(
        "- {id: a}\n- {id: b}\n", HEAD % "name: target-snowflake, database: LAKE, default_target_schema: '{{district}}'"
    )
    lines = desk("views", "--dialect", "snowflake", "--schema", "ALL_D")[1]
    assert (
        'CREATE OR REPLACE VIEW "ALL_D"."orgs" AS SELECT * FROM "LAKE"."a"."orgs" UNION ALL BY NAME SELECT * FROM "LAKE"."b"."orgs";'
        in lines
    )
    assert not any("demographics" in line for line in lines)


def test_views_of_nothing(desk: Desk) -> None:
    desk.file("- {id: a}\n", HEAD % "name: target-jsonl, destination_path: x")
    code, _, error = desk("views", "--dialect", "postgres")
    assert code == 4
    assert "no district has a loader for postgres" in error
