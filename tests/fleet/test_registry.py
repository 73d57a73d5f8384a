"""Districts in a table of a database: the same as in a file, and no password or value in what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from oneroster_fleet.fleet_file import read_fleet

from tests.loaders.postgres import Database, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.fleet import Desk

HEAD = "version: 1\nstate: file://{folder}/states\ndefaults: {{loader: {{name: target-fake, filepath: 'out/{{district}}'}}, tap: {{name: tap-fake}}}}\n"
QUERY = """select id, name, retries, base_url as "tap.base_url", secret as "secrets.client_secret" from registry order by id"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def database(server: Server) -> Database:
    return server.database()


@pytest.fixture
def registry(desk: Desk, database: Database) -> Desk:
    """A desk whose fleet file names a table of two districts."""
    database.execute("create table registry (id text, name text, retries int, base_url text, secret text)")
    database.execute(
        "insert into registry values ('north', 'North', 1, 'https://n.example', 'env'), ('south', '', null, 'https://s.example', null)"
    )
    desk.set("REGISTRY", database.url)
    desk.file("", HEAD + f"districts: {{{{table: env:REGISTRY, query: {QUERY!r}}}}}\n")
    return desk


def test_districts_of_a_table(registry: Desk) -> None:
    """Columns with dots are nested; null and an empty text are as if they were not there; numbers are numbers."""
    assert registry("check")[:2] == (0, ["fleet.yml: 2 districts, no mistakes"])
    fleet = read_fleet(registry.folder / "fleet.yml")
    north, south = fleet.districts.values()
    assert (north.name, north.retries, north.tap["base_url"], north.secrets) == (
        "North",
        1,
        "https://n.example",
        {"client_secret": "env"},
    )
    assert (south.name, south.retries, south.secrets) == ("", 3, {})
    registry.set("FLEET_NORTH_CLIENT_SECRET", "s3cret")
    code, lines, _ = registry("run", "--all")
    assert code == 0, lines


def test_mistakes_in_a_table_name_the_row(registry: Desk, database: Database) -> None:
    """A row that is null where the id stands is a mistake, too."""
    database.execute("insert into registry values ('north', 'Again'), ('West', 'x'), (null, 'nobody')")
    code, lines, _ = registry("check")
    assert code == 4
    assert sorted(line.split(": ")[1:3] for line in lines) == [["?", "id"], ["West", "id"], ["north", "id"]]
    assert all(line.startswith("table:") for line in lines)


def test_a_table_without_a_row_is_no_quiet_night(registry: Desk, database: Database) -> None:
    """Nothing would be read, and all would look well."""
    database.execute("truncate registry")
    assert registry("check")[:2] == (
        4,
        ["fleet.yml:1: fleet: districts: there is none; a night without districts would look well"],
    )
    assert registry("run", "--all")[0] == 4


@pytest.mark.parametrize(
    ("table", "query", "expected"),
    [
        ("env:REGISTRY", "select hunter2 from nowhere", "districts.query: the database refused it (UndefinedTable)"),
        ("env:REGISTRY", "select id, name as id from registry", "districts.query: two columns are called id"),
        ("env:NOWHERE", "select 1", "districts.table: the variable NOWHERE is not set"),
        ("postgresql://127.0.0.1:9/x", "select 1", "districts.table: the database cannot be reached"),
        ("mysql://x", "select 1", "districts.table: must be postgresql://… or env:NAME"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_line(registry: Desk, table: str, query: str, expected: str) -> None:
    """Without the address and without the query."""
    registry.file("", HEAD + f"districts: {{{{table: {table!r}, query: {query!r}}}}}\n")
    code, lines, error = registry("check")
    assert code in (1, 4)
    assert expected in error
    assert "hunter2" not in error + "".join(lines)


@pytest.mark.parametrize("address", ["postgresql://me:hunter2@host/x", "postgresql://host/x?user=me&password=hunter2"])
def test_a_password_in_an_address_is_refused(desk: Desk, address: str) -> None:
    """Where the registry is, and where the states are."""
    desk.file("", f"version: 1\nstate: '{address}'\ndistricts: {{{{table: '{address}', query: select 1}}}}\n")
    code, lines, error = desk("check")
    assert code == 4
    assert [line.split(": ")[2] for line in lines] == ["state", "districts"]
    assert all("a password in clear; write env:NAME" in line for line in lines)
    assert "hunter2" not in "".join(lines) + error
