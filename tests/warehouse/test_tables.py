"""What a run leaves in the file: typed tables of the model, every value as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import oneroster_core.model as model
import pytest
from target_oneroster.errors import TargetError

from tests.support.values import plain
from tests.target.mini import lines, record_line, row, rows, schema_line

if TYPE_CHECKING:
    from .conftest import House

STATE = {"bookmarks": {"users": {"x": 1}}}


@pytest.mark.parametrize("version", ["1.1", "1.2"])
@pytest.mark.parametrize("receipts", [True, False], ids=["receipts", "none"])
def test_a_district_arrives_as_it_is(house: House, version: str, receipts: bool) -> None:
    """Every stream, every column, lists and objects as such; state after it, and no other file."""
    district = rows(version)
    assert house.run(lines(district, receipts=receipts, version=3, state=STATE)) == [STATE]
    for name, records in district.items():
        found = house.rows(name)
        assert set(found) == {record["sourcedId"] for record in records}
        for record in records:
            for column, value in record.items():
                assert plain(found[record["sourcedId"]][column]) == value, (name, column)
    assert house.strays() == []


def test_columns_are_of_the_model_s_types_and_say_what_they_are(house: House) -> None:
    """The standard's names in the standard's case; a comment tells the key, and what a column refers to."""
    house.run(lines(rows()))
    types = dict(house.query("SELECT table_name || '.' || column_name, data_type FROM duckdb_columns()"))
    wanted = {
        "users.enabledUser": "BOOLEAN",
        "users.dateLastModified": "TIMESTAMP WITH TIME ZONE",
        "users.grades": "VARCHAR[]",
        "users.userIds": 'STRUCT("type" VARCHAR, identifier VARCHAR)[]',
        "users.metadata": "JSON",
        "results.score": "DOUBLE",
        "results.scoreDate": "DATE",
        "academicSessions.schoolYear": "VARCHAR",
        "users._sdc_deleted_at": "TIMESTAMP WITH TIME ZONE",
    }
    assert {name: types[name] for name in wanted} == wanted
    assert not [name for name in types if name.endswith(".password")]
    comments = dict(house.query("SELECT table_name || '.' || column_name, comment FROM duckdb_columns()"))
    assert comments["enrollments.classSourcedId"].endswith("Refers to classes.sourcedId.")
    assert comments["users.role"].endswith("OneRoster 1.1 only, empty in later versions.")
    (table,) = house.query("SELECT comment FROM duckdb_tables() WHERE table_name = 'enrollments'")
    assert table[0].endswith("OneRoster rostering. Key: sourcedId.")


def test_a_moment_is_one_instant_for_every_reader(house: House) -> None:
    """A reader in Chicago sees the wall's time of Chicago with its offset, not UTC under a false name."""
    house.run(lines({"users": rows()["users"]}))
    (shown,) = house.query('SELECT typeof("dateLastModified") FROM users LIMIT 1')
    assert shown == ("TIMESTAMP WITH TIME ZONE",)
    with duckdb.connect(str(house.path), read_only=True) as database:
        database.execute("SET TimeZone = 'America/Chicago'")
        found = database.execute('SELECT "dateLastModified"::VARCHAR FROM oneroster.users LIMIT 1').fetchall()
    assert found == [("2026-01-01 21:04:05.678-06",)]


def test_every_table_of_the_model_can_be_made(house: House) -> None:
    """Also those that nothing came for, and those that only REST 1.2 has."""
    house.run([schema_line(file.name) for file in model.FILES])
    tables = {name for (name,) in house.query("SELECT table_name FROM duckdb_tables()")}
    assert tables == {"_loads", "_schema", *(f.name for f in model.FILES)}
    assert house.rows("users") == {}


def test_the_newest_row_of_an_id_counts(house: House) -> None:
    """Singer is at least once, and a tap may send what changed while it read."""
    district = rows()
    later = dict(row(district, "users", "u1"), givenName="Later", dateLastModified="2026-12-01T00:00:00.000Z")
    house.run([*lines(district), record_line("users", later)])
    assert house.rows("users")["u1"]["givenName"] == "Later"
    assert len(house.rows("users")) == len(district["users"])


def test_only_the_last_version_of_a_stream_counts(house: House) -> None:
    """A raised version begins a new attempt: what the earlier one brought is forgotten."""
    orgs = rows()["orgs"]
    first = [record_line("orgs", dict(org, sourcedId=f"x-{org['sourcedId']}"), 1) for org in orgs]
    house.run([schema_line("orgs"), *first, *(record_line("orgs", org, 2) for org in orgs)])
    assert house.there("orgs") == {org["sourcedId"] for org in orgs}


def test_a_version_that_goes_back_loads_nothing(house: House) -> None:
    orgs = rows()["orgs"]
    messages = [schema_line("orgs"), *(record_line("orgs", orgs[0], version) for version in (2, 2, 1))]
    with pytest.raises(TargetError, match="went back"):
        house.run(messages)
    assert not house.path.exists()


def test_the_same_again_changes_nothing(house: House) -> None:
    """A second run counts every row as unchanged, and leaves it as it lies."""
    house.run(lines(rows(), receipts=True))
    before = house.rows("users")
    house.run(lines(rows(), receipts=True))
    assert house.rows("users") == before
    counts = house.outcome.tables["users"].tenants[None]
    assert (counts.new, counts.changed, counts.unchanged, counts.deleted) == (0, 0, len(before), 0)


def test_changes_are_merged_by_key(house: House) -> None:
    """What changed is changed, what is new is added, what did not come stays."""
    district = rows()
    house.run(lines(district))
    users = district["users"]
    changed = dict(users[0], grades=["12"], metadata={"deep": {"er": 1}})
    new = dict(users[1], sourcedId="new")
    house.run(lines({"users": [changed, new]}))
    found = house.rows("users")
    assert set(found) == {"new", *(user["sourcedId"] for user in users)}
    assert found[changed["sourcedId"]]["grades"] == ["12"]
    counts = house.outcome.tables["users"].tenants[None]
    assert (counts.new, counts.changed, counts.unchanged) == (1, 1, 0)


def test_tenants_share_tables_and_not_keys(house: House) -> None:
    """`tenant` is the first column and part of the key; a table keeps the key it was made with."""
    schema = schema_line("orgs")
    schema["schema"]["properties"] = {"tenant": {"type": "string"}} | schema["schema"]["properties"]
    schema["key_properties"] = ["tenant", "sourcedId"]
    orgs = rows()["orgs"]
    for tenant in ("north", "south"):
        house.run([schema, *(record_line("orgs", {"tenant": tenant} | org) for org in orgs)])
    assert house.query("SELECT tenant, count(*) FROM orgs GROUP BY ALL ORDER BY 1") == [
        ("north", len(orgs)),
        ("south", len(orgs)),
    ]
    assert house.query(
        "SELECT DISTINCT column_name FROM duckdb_columns() WHERE table_name = 'orgs' AND column_index = 1"
    ) == [("tenant",)]
    with pytest.raises(TargetError, match="was made with tenant"):
        house.run(lines({"orgs": orgs}))


def test_passwords_come_only_where_asked_for(house: House) -> None:
    """The column is added when the setting is set, and filled from then on."""
    users = [dict(user, password="Zweistein") for user in rows()["users"]]
    house.run(lines({"users": users}))
    assert "password" not in house.rows("users")["u1"]
    house.run(lines({"users": users}), include_passwords=True)
    assert house.rows("users")["u1"]["password"] == "Zweistein"


def test_a_column_the_model_gained_is_added(house: House) -> None:
    """A warehouse of an older release gets what it lacks; rows that are there have nothing in it."""
    house.run(lines(rows()))
    with duckdb.connect(str(house.path)) as database:
        database.execute("CREATE VIEW mine AS SELECT * FROM oneroster.users")  # a reader's own
        database.execute('ALTER TABLE oneroster.users DROP COLUMN "pronouns"')
    district = rows()
    row(district, "users", "u2")["pronouns"] = "they"
    house.run(lines({"users": [row(district, "users", "u2")]}))
    assert house.rows("users")["u2"]["pronouns"] == "they"
    assert house.rows("users")["u1"]["pronouns"] is None


def test_a_table_of_another_loader_is_left_alone(house: House) -> None:
    """Another type under the same name: the line says which column and what to do."""
    with duckdb.connect(str(house.path)) as database:
        database.execute('CREATE SCHEMA oneroster; CREATE TABLE oneroster.orgs ("sourcedId" VARCHAR, "name" INTEGER)')
    with pytest.raises(TargetError, match=r"Table oneroster\.orgs, column name is of type INTEGER, not VARCHAR"):
        house.run(lines({"orgs": rows()["orgs"]}, state=STATE))
    assert house.state == []


def test_parquet_files_are_the_tables(house: House) -> None:
    """One file a table, replaced by each run that ended well; types survive."""
    folder = house.path.parent / "parquet"
    for _ in range(2):
        house.run(lines(rows()), parquet_path=str(folder))
    assert {path.name for path in folder.iterdir()} == {f"{name}.parquet" for name in (*rows(), "_loads", "_schema")}
    with duckdb.connect() as database:
        found = database.execute(f'SELECT "grades", "userIds"[1].identifier FROM \'{folder}/users.parquet\'').fetchall()
    assert len(found) == len(rows()["users"])
    assert any(ids for _, ids in found)


def test_stream_maps_are_the_sdk_s(house: House) -> None:
    """A filter of the target's own: the row is not there, and the receipt is no reproach."""
    maps = {"orgs": {"__filter__": "type == 'school'"}}
    house.run(lines({"orgs": rows()["orgs"]}), stream_maps=maps)
    assert house.query('SELECT DISTINCT "type" FROM orgs') == [("school",)]
