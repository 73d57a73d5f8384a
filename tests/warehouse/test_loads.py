"""`_loads`: what each load brought to each table, and history by the number of a load."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from target_oneroster.errors import TargetError
from target_oneroster.warehouse.target import TargetOneRosterDuckDB

from tests.support.batches import batch, parquet
from tests.target.mini import activate, encode, lines, receipt, record_line, rows, schema_line, whole

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import House

NUMBERS = 'came, "new", changed, unchanged, deleted, total, whole'


def loads(house: House, table: str, columns: str = NUMBERS) -> list[tuple[Any, ...]]:
    """The loads of a table."""
    return house.query(f"SELECT {columns} FROM _loads WHERE \"table\" = '{table}' ORDER BY load, tenant")


def test_columns_are_the_contract(house: House) -> None:
    """Names and types, and a comment on each."""
    house.run(lines(rows()))
    found = house.query(
        "SELECT column_name, data_type, comment IS NULL FROM duckdb_columns() WHERE table_name = '_loads' ORDER BY column_index"
    )
    number, moment, text = "BIGINT", "TIMESTAMP WITH TIME ZONE", "VARCHAR"
    assert found == [
        (name, kind, False)
        for name, kind in {
            "load": number, "loadedAt": moment, "finishedAt": moment, "table": text, "came": number, "new": number,
            "changed": number, "unchanged": number, "deleted": number, "total": number, "whole": "BOOLEAN",
            "outcome": text, "note": text, "tenant": text,
        }.items()
    ]  # fmt: skip


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
def test_each_load_says_what_it_brought(house: House, hard: bool) -> None:
    """New, changed, the same, gone, marked, back; numbers count up, and rows are those of the load's time."""
    one, two, three = rows()["users"]
    house.run(whole(1, one, two, three), hard_delete=hard)
    house.run(
        whole(2, dict(one, givenName="Other"), dict(two, dateLastModified="2027-01-01T00:00:00Z")), hard_delete=hard
    )
    house.run(whole(3, dict(two, status="tobedeleted"), three)[:-1], hard_delete=hard)
    house.run(whole(4, dict(two, status="tobedeleted"))[:-1], hard_delete=hard)
    assert loads(house, "users") == [
        (3, 3, 0, 0, 0, 3, True),
        (2, 0, 1, 1, 1, 2, True),
        (1, 1, 0, 0, 1, 2, False),
        (0, 0, 0, 0, 0, 2, False),
    ]
    assert loads(house, "users", 'load, outcome, note, tenant, "loadedAt" <= "finishedAt"') == [
        (number, "loaded", None, None, True) for number in (1, 2, 3, 4)
    ]
    arrived = house.query('SELECT DISTINCT load FROM _loads JOIN users ON _sdc_received_at = "loadedAt" ORDER BY 1')
    assert (2,) in arrived


def test_every_stream_has_a_row_and_receipts_have_none(house: House) -> None:
    house.run(lines(rows(), receipts=True))
    assert {name for (name,) in house.query('SELECT "table" FROM _loads')} == set(rows())


def test_a_stream_that_brings_nothing_has_a_row(house: House) -> None:
    """A run without any stream has none, and no number."""
    house.run(lines({"orgs": rows()["orgs"]}))
    house.run([schema_line("orgs"), activate("orgs", 7)])
    house.run([{"type": "STATE", "value": {}}])
    house.run(lines({"orgs": rows()["orgs"]}))
    assert loads(house, "orgs", f"load, {NUMBERS}") == [
        (1, 2, 2, 0, 0, 0, 2, False),
        (2, 0, 0, 0, 0, 0, 2, False),
        (3, 2, 0, 0, 2, 0, 2, False),
    ]


@pytest.mark.parametrize("is_first", [False, True], ids=["later", "first"])
def test_a_stream_that_is_refused_is_left_as_it_was(house: House, is_first: bool) -> None:
    """It says how many rows came, why none was taken, and what the table still holds."""
    district = {name: rows()[name] for name in ("orgs", "users")}
    if not is_first:
        house.run(lines(district))
    district["users"] = district["users"][:1]
    proofs = [
        receipt("orgs", district["orgs"]),
        receipt("users", district["users"], distinct=9),
        receipt("classes", [], distinct=5),
    ]
    messages = [
        schema_line("syncReceipts"),
        *lines(district),
        *(record_line("syncReceipts", proof) for proof in proofs),
    ]
    with pytest.raises(TargetError):
        house.run(messages)
    left = "left as it was"
    found = house.query(
        f'SELECT "table", {NUMBERS}, outcome, note FROM _loads WHERE load = (SELECT max(load) FROM _loads) ORDER BY 1'
    )
    why = "fewer or more rows arrived than the receipt counts"
    assert found == [
        ("classes", 0, 0, 0, 0, 0, 0, False, left, "rows were promised and the stream never came"),
        ("orgs", 2, *((2, 0, 0) if is_first else (0, 0, 2)), 0, 2, False, "loaded", None),
        ("users", 1, 0, 0, 0, 0, 0 if is_first else 3, False, left, why),
    ]


def test_a_read_that_broke_off_is_noted(house: House) -> None:
    users = rows()["users"]
    proof = record_line("syncReceipts", receipt("users", users, complete=False))
    house.run([schema_line("syncReceipts"), *whole(1, *users), proof])
    assert loads(house, "users", "came, whole, outcome, note") == [
        (3, False, "loaded", "read not to its end: nothing deleted")
    ]


def test_tenants_are_counted_apart(house: House) -> None:
    """A tenant's load says nothing of the others; one run may bring several."""
    schema = schema_line("orgs")
    schema["schema"]["properties"] = {"tenant": {"type": "string"}} | schema["schema"]["properties"]
    schema["key_properties"] = ["tenant", "sourcedId"]
    one, two = rows()["orgs"]

    def load(version: int, *records: dict[str, Any]) -> None:
        house.run([schema, *(record_line("orgs", record, version) for record in records), activate("orgs", version)])

    north, south = {"tenant": "north"}, {"tenant": "south"}
    load(1, one | north, two | north)
    load(2, one | north, one | south, two | south)
    load(3, one | south, dict(two, name="Other") | south)
    assert loads(house, "orgs", f"load, tenant, {NUMBERS}") == [
        (1, "north", 2, 2, 0, 0, 0, 2, True),
        (2, "north", 1, 0, 0, 1, 1, 1, True),
        (2, "south", 2, 2, 0, 0, 0, 2, True),
        (3, "south", 2, 0, 1, 1, 0, 2, True),
    ]
    house.run([schema, activate("orgs", 4)])
    assert loads(house, "orgs", "load, tenant, came, whole")[-1] == (4, None, 0, False)


def test_copies_count_once(house: House) -> None:
    users = rows()["users"]
    house.run(lines({"users": [*users, users[0]]}))
    assert loads(house, "users")[0][:2] == (3, 3)


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_batches_count_as_records_do(house: House, tmp_path: Path, kind: str) -> None:
    users = rows()["users"]
    for night, some in enumerate((users, users[1:]), start=1):
        path = tmp_path / f"{night}.{kind}"
        if kind == "parquet":
            parquet(some, path, dateLastModified="TIMESTAMPTZ")
        else:
            path.write_bytes(encode(some))
        messages = [schema_line("users"), batch("users", path, kind, version=night), activate("users", night)]
        proof = record_line("syncReceipts", receipt("users", some))
        house.run([schema_line("syncReceipts"), *messages, proof], history=True)
    assert loads(house, "users") == [(3, 3, 0, 0, 0, 3, True), (2, 0, 0, 2, 1, 2, True)]
    assert house.query(
        "SELECT _sdc_first_load, _sdc_ended_load, count(*) FROM users_history GROUP BY ALL ORDER BY 2"
    ) == [
        (1, 2, 1),
        (1, None, 2),
    ]


@pytest.mark.parametrize(("seed", "hard"), [(0, False), (1, True), (2, False)], ids=["soft", "hard", "soft again"])
def test_as_of_a_load_is_what_stood_after_it(house: House, seed: int, hard: bool) -> None:
    """Random nights, whole or not, with marks, moves, losses and returns: the sums are right, and history is exact."""
    dice = random.Random(seed)
    model = {user["sourcedId"]: user for user in rows()["users"]}
    base, stood = dict(model), []
    for night in range(1, 8):
        is_whole = dice.random() < 0.7
        for key in dice.sample(sorted(base), 2):
            base[f"n{night}{key}"] = dict(base[key], sourcedId=f"n{night}{key}", givenName=str(night))
        for key in dice.sample(sorted(base), 2):
            base[key] = dict(base[key], givenName=str(night), dateLastModified="2027-01-01T00:00:00Z")
        came = {key: row for key, row in base.items() if dice.random() < 0.8}
        marked = {key: dict(row, status="tobedeleted") for key, row in came.items() if dice.random() < 0.1}
        messages = whole(night, *(came | marked).values())
        house.run(messages if is_whole else messages[:-1], history=True, hard_delete=hard)
        stood.append(house.query('SELECT "sourcedId", "givenName" FROM users WHERE _sdc_deleted_at IS NULL ORDER BY 1'))
    before = 0
    for load, (came_, new, changed, same, deleted, total, _) in enumerate(loads(house, "users"), start=1):
        as_of = f"_sdc_first_load <= {load} AND coalesce(_sdc_ended_load > {load}, true)"
        assert (
            house.query(f'SELECT "sourcedId", "givenName" FROM users_history WHERE {as_of} ORDER BY 1')
            == stood[load - 1]
        )
        assert came_ == new + changed + same
        assert total == before + new - deleted == len(stood[load - 1])
        of = f"FILTER (_sdc_ended_load = {load} AND _sdc_deleted_at IS"
        ended = f"count(*) FILTER (_sdc_first_load = {load}), count(*) {of} NULL), count(*) {of} NOT NULL)"
        assert house.query(f"SELECT {ended} FROM users_history") == [(new + changed, changed, deleted)]
        before = total


def test_a_history_that_is_turned_on_later_holds_the_load_before(house: House) -> None:
    """Rows that were there stood after that load, so the two loads can be compared."""
    one, two, three = rows()["users"]
    house.run(whole(1, one, two))
    house.run(whole(2, one, two))
    house.run(whole(3, one, three), history=True)
    versions = '"sourcedId", _sdc_first_load, _sdc_ended_load'
    assert house.query(f"SELECT {versions} FROM users_history ORDER BY 1") == [
        ("u1", 2, None),
        ("u2", 2, 3),
        ("u3", 3, None),
    ]


def test_a_load_without_history_ends_what_was_known(house: House) -> None:
    """It is not known what stood after that load; the next one with history begins again with what is there."""
    one, two, three = rows()["users"]
    house.run(whole(1, one, two), history=True)
    house.run(whole(2, one, three))
    house.run(whole(3, one, two), history=True)
    stood = []
    for load in range(1, 4):
        as_of = f"_sdc_first_load <= {load} AND coalesce(_sdc_ended_load > {load}, true)"
        stood.append([key for (key,) in house.query(f'SELECT "sourcedId" FROM users_history WHERE {as_of} ORDER BY 1')])
    assert stood == [["u1", "u2"], ["u1", "u3"], ["u1", "u2"]]


def test_a_history_of_an_older_release_goes_on_with_load_0(house: House) -> None:
    """Versions from before loads were numbered: 0 where they began, and where they ended."""
    one, two, three = rows()["users"]
    house.run(whole(1, one, two), history=True)
    house.run(whole(2, two), history=True)
    with duckdb.connect(str(house.path)) as database:
        database.execute("DROP TABLE oneroster._loads")
        for column in ("_sdc_first_load", "_sdc_ended_load"):
            database.execute(f"ALTER TABLE oneroster.users_history DROP COLUMN {column}")
        database.execute("ALTER TABLE oneroster.users_history ADD COLUMN _sdc_last_seen_at TIMESTAMPTZ")
    house.run(whole(3, dict(two, givenName="Other"), three), history=True)
    versions = '"sourcedId", _sdc_first_load, _sdc_ended_load, _sdc_deleted_at IS NOT NULL'
    assert house.query(f"SELECT {versions} FROM users_history ORDER BY 1, 2") == [
        ("u1", 0, 0, True),
        ("u2", 0, 1, False),
        ("u2", 1, None, False),
        ("u3", 1, None, False),
    ]
    assert loads(house, "users", f"load, {NUMBERS}") == [(1, 2, 1, 1, 0, 0, 2, True)]
    assert "_sdc_last_seen_at" not in house.rows("users_history", "_sdc_ended_at IS NULL")["u2"]


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
def test_derived_rows_end_with_their_parent(house: House, hard: bool) -> None:
    """The last user with a profile is gone, so no profile comes at all: both end in the same load."""
    users, profiles = rows()["users"], rows()["userProfiles"]

    def load(night: int, some: list[Any], theirs: list[Any]) -> None:
        proofs = [receipt("users", some), receipt("userProfiles", theirs, contentDigest=None)]
        house.run(
            [
                schema_line("syncReceipts"),
                *whole(night, *some),
                *whole(night, *theirs, stream="userProfiles"),
                *(record_line("syncReceipts", proof) for proof in proofs),
            ],
            history=True,
            hard_delete=hard,
        )

    load(1, users, profiles)
    load(2, [user for user in users if user["sourcedId"] != "u2"], [])
    for table in ("users", "userProfiles"):
        where = "\"sourcedId\" IN ('u2', 'p2')"
        assert house.query(f"SELECT _sdc_ended_load FROM {table}_history WHERE {where}") == [(2,)]
        assert house.query(f"SELECT count(*) FROM {table} WHERE {where} AND _sdc_deleted_at IS NULL") == [(0,)]
    assert loads(house, "userProfiles") == [(1, 1, 0, 0, 0, 1, True), (0, 0, 0, 0, 1, 0, True)]


def test_the_history_is_kept_for_some_days(house: House) -> None:
    """Versions that ended before are removed, others stay, however old; the loads stay."""
    one, two, three = rows()["users"]
    house.run(whole(1, one, two, three), history=True)
    house.run(whole(2, dict(one, givenName="Other"), two), history=True)
    for column in ("_sdc_first_seen_at", "_sdc_ended_at"):
        with duckdb.connect(str(house.path)) as database:
            database.execute(f"UPDATE oneroster.users_history SET {column} = {column} - INTERVAL 10 DAY")
    versions = 'SELECT "sourcedId", _sdc_first_load, _sdc_ended_load FROM users_history ORDER BY ALL'
    house.run(whole(3, dict(one, givenName="Other"), two), history=True, history_keep_days=11)
    assert len(house.query(versions)) == 4
    house.run(whole(4, dict(one, givenName="Third"), two), history=True, history_keep_days=9)
    assert house.query(versions) == [("u1", 2, 4), ("u1", 4, None), ("u2", 1, None)]
    assert len(loads(house, "users")) == 4


def test_history_is_kept_for_a_day_at_least(house: House) -> None:
    with pytest.raises(Exception, match="history_keep_days"):
        house.run(lines(rows()), history=True, history_keep_days=0)


def test_the_file_can_be_read_as_soon_as_the_state_is_out(house: House) -> None:
    """Nothing is left to be replayed from a log, and nothing holds the file."""
    house.run(whole(1, *rows()["users"]), history=True)
    house.run(whole(2, *rows()["users"][1:]), history=True)
    assert house.strays() == []
    reads = "import duckdb, sys; duckdb.execute(f\"ATTACH '{sys.argv[1]}' AS w (READ_ONLY)\")"
    print_it = "print(duckdb.execute('SELECT max(load) FROM w.oneroster._loads').fetchall()[0][0])"
    seen: list[str] = []

    class Output(io.StringIO):
        def write(self, text: str) -> int:
            if text.strip():
                command = [sys.executable, "-c", f"{reads}; {print_it}", str(house.path)]
                seen.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
            return len(text)

    target = TargetOneRosterDuckDB(config={"filepath": str(house.path)})
    with redirect_stdout(Output()):
        target.listen(io.BytesIO(encode(lines({"orgs": rows()["orgs"]}, state={"bookmarks": {}}))))  # type: ignore[arg-type]
    target.close()
    assert seen == ["3"]


def test_the_schema_table_tells_what_each_column_held(house: House) -> None:
    """Rows with a value, how many words if there are few, and the words of vocabularies with their numbers."""
    one, two, three = rows()["users"]
    house.run(whole(1, one, two, three))
    house.run(whole(2, dict(one, grades=["01", "02"]), two))
    house.run(lines({"enrollments": rows()["enrollments"]}))
    columns = 'present, "distinct", words'
    found = {
        (load, column): tuple(values)
        for load, column, *values in house.query(
            f"SELECT load, column_name, {columns} FROM _schema WHERE \"table\" = 'users' ORDER BY 1, 2"
        )
    }
    assert found[1, "sourcedId"] == (3, 3, None)
    assert found[1, "grades"] == (1, 1, None)
    assert found[2, "grades"] == (1, 2, None)
    assert found[2, "sourcedId"] == (2, 2, None)
    assert found[1, "pronouns"] == (0, 0, None)
    assert found[1, "userIds"][0] == 1
    assert found[1, "status"] == (3, 1, '{"active":3}')
    assert {load for load, _ in found} == {1, 2}
    assert house.query(f"SELECT {columns} FROM _schema WHERE \"table\" = 'enrollments' AND column_name = 'role'") == [
        (2, 2, '{"student":1,"teacher":1}')
    ]
    assert house.query(
        "SELECT count(*) FROM _schema WHERE column_name LIKE '\\_sdc%' ESCAPE '\\' OR column_name = 'tenant'"
    ) == [(0,)]


def test_many_words_are_not_counted(house: House) -> None:
    """Up to 50 different values; a column of a vocabulary with more of them may hold anything."""
    one = rows()["orgs"][0]
    house.run(lines({"orgs": [dict(one, sourcedId=str(n), name=str(n % 50), type=f"ext:{n}") for n in range(51)]}))
    columns = 'column_name, present, "distinct", words'
    found = {column: rest for column, *rest in house.query(f"SELECT {columns} FROM _schema")}
    assert found["sourcedId"] == [51, None, None]
    assert found["name"] == [51, 50, None]
    assert found["type"] == [51, None, None]
    assert found["parentSourcedId"] == [0, 0, None]


def test_values_that_begin_late_in_a_large_table_are_counted(house: House) -> None:
    """The first 10,000 rows only tell which columns hold many different values; all rows are counted."""
    one = rows()["orgs"][0] | {"type": "school"}
    first = [dict(one, sourcedId=str(n), name="Equal", identifier=None) for n in range(10_000)]
    rest = [dict(one, sourcedId=str(n), name=str(n), identifier=str(n % 7)) for n in range(10_000, 10_200)]
    house.run(lines({"orgs": [*first, *rest]}))
    columns = 'column_name, present, "distinct", words'
    found = {column: rest for column, *rest in house.query(f"SELECT {columns} FROM _schema")}
    assert found["sourcedId"] == [10_200, None, None]
    assert found["name"] == [10_200, None, None]
    assert found["identifier"] == [200, 7, None]
    assert found["type"] == [10_200, 1, '{"school":10200}']


def test_the_schema_table_keeps_tenants_apart_and_no_passwords(house: House) -> None:
    schema = schema_line("users")
    schema["schema"]["properties"] = {"tenant": {"type": "string"}} | schema["schema"]["properties"]
    schema["key_properties"] = ["tenant", "sourcedId"]
    one, two, _ = rows()["users"]
    for version, tenant in enumerate(("north", "south"), start=1):
        records = [row | {"tenant": tenant, "password": "Zweistein"} for row in (one, two)[:version]]
        house.run([schema, *(record_line("users", record, version) for record in records)], include_passwords=True)
    assert house.query("SELECT load, tenant, present FROM _schema WHERE column_name = 'sourcedId' ORDER BY 1") == [
        (1, "north", 1),
        (2, "south", 2),
    ]
    assert house.query("SELECT count(*) FROM _schema WHERE column_name = 'password'") == [(0,)]


def test_columns_of_an_older_file_may_be_in_another_order(house: House) -> None:
    """A release that adds a column adds it at the end: numbers go by the names of the columns, not by their places."""
    house.run(lines(rows()))
    with duckdb.connect(str(house.path)) as connection:
        for table in ("_loads", "_schema"):
            names = [row[0] for row in connection.execute(f"DESCRIBE oneroster.{table}").fetchall()]
            turned = ", ".join(f'"{name}"' for name in reversed(names))
            connection.execute(f"CREATE OR REPLACE TABLE oneroster.{table} AS SELECT {turned} FROM oneroster.{table}")
    house.run(lines(rows()))
    assert loads(house, "users", f"load, outcome, {NUMBERS}") == [
        (1, "loaded", 3, 3, 0, 0, 0, 3, False),
        (2, "loaded", 3, 0, 0, 3, 0, 3, False),
    ]
    columns = 'load, present, "distinct"'
    assert house.query(
        f"SELECT {columns} FROM _schema WHERE \"table\" = 'users' AND column_name = 'sourcedId' ORDER BY 1"
    ) == [
        (1, 3, 3),
        (2, 3, 3),
    ]


def test_a_stream_without_rows_is_noted_with_zeros_in_any_load(house: House) -> None:
    """Nothing is counted in a table that holds nothing, and its columns are told all the same."""
    district = rows()
    district["demographics"] = []
    for _ in range(2):
        house.run(lines(district))
    assert loads(house, "demographics", f"load, outcome, {NUMBERS}") == [
        (load, "loaded", 0, 0, 0, 0, 0, 0, False) for load in (1, 2)
    ]
    found = house.query(
        'SELECT load, count(*), sum(present), sum("distinct") FROM _schema WHERE "table" = \'demographics\' GROUP BY 1 ORDER BY 1'
    )
    assert [row[0] for row in found] == [1, 2]
    assert all(columns > 5 and row == (0, 0) for _, columns, *rest in found for row in [tuple(rest)])
