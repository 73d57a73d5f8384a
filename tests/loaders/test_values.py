"""Values that loaders stumble over: long, foreign, quoted, and what a loader might take for null or a number."""

from __future__ import annotations

import csv
import re

import pytest
from oneroster_core.present_rows import present_rows
from oneroster_sample.bundle import write_bundle

from .pipe import ROOT, catalog, feed, pipe
from .stores import STORES, Postgres

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "loaders" / "snowflake.md").read_text(encoding="utf-8")

TEXTS = [
    "x" * 40_000,
    "Ωμέγα ẞ 学校 😀 e\u0301",
    "two\nlines\r\nand a third",
    "tab\there, \"quoted\", 'single'; {braces} [brackets]",
    "\\N",
    "\\.",
    "back\\slash\\n",
    "NULL",
    "null",
    "None",
    "true",
    "007",
    "1e5",
    "2020-01-31",
    "%s :name $1 {{ x }}",
    "=1+1",
    "0" * 40,
]

each_loader = pytest.mark.parametrize("name", STORES)


def key(number):
    """Ids that differ in case only, two by two."""
    return f"{'aA'[number % 2]}-{number // 2}"


@pytest.fixture
def drop(district, tmp_path):
    """Users whose names and metadata are those texts, and whose ids differ in case only."""
    folder = tmp_path / "drop"
    write_bundle(district, folder, only={"users"})
    with (folder / "users.csv").open(encoding="utf-8", newline="") as file:
        one = next(csv.DictReader(file))
    names = [*one, "metadata.note", "metadata.very.deep"]
    rows = [
        {**one, "sourcedId": key(number), "familyName": text, "metadata.note": text, "metadata.very.deep": f"<{text}>"}
        for number, text in enumerate(TEXTS)
    ]
    with (folder / "users.csv").open("w", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, names).writeheader()
        csv.DictWriter(file, names).writerows(rows)
    return {"mode": "csv", "csv_path": str(folder), "settle_seconds": 0}


@each_loader
def test_texts_arrive_as_they_are_from_each_tenant(name, drop, make_store, tmp_path):
    """In a column and inside of metadata; ids that differ in case, or only in their tenant, are rows of their own.

    The tenant is the first column and part of the key; with it, nothing is deleted.
    """
    store = make_store(name)
    for tenant in ("north", "south"):
        config = {**drop, "tenant": tenant}
        pipe(config, store.executable, store.settings, tmp_path, catalog=catalog(config, tmp_path, "users"))
        arrived = {row["sourcedId"]: row for row in store.rows("users")}
        assert len(arrived) == len(TEXTS)
        for number, text in enumerate(TEXTS):
            row = arrived[key(number)]
            assert row["familyName"] == text
            assert row["metadata"] == {"note": text, "very.deep": f"<{text}>"}
    rows = store.named("users")
    assert len({(row["tenant"], row["sourcedId"]) for row in rows}) == len(rows) == 2 * len(TEXTS)
    assert not any(row.get("_sdc_deleted_at") for row in rows)
    if name != "target-duckdb":  # it sorts columns by name
        assert next(iter(next(iter(store.raw("users"))))) == "tenant"


def test_types_in_duckdb(bundle, make_store, tmp_path):
    """Names in lower case; lists and objects as JSON, dates as text, times without a zone (in UTC)."""
    store = make_store("target-duckdb")
    config = {"mode": "csv", "csv_path": str(bundle("1.2"))}
    pipe(config, store.executable, store.settings, tmp_path, catalog=catalog(config, tmp_path, "results", "users"))
    columns = {
        row["column_name"]: row["column_type"]
        for stream in ("results", "users", "syncreceipts")
        for row in store.query(f"describe oneroster.{stream}")
    }
    wanted = {
        "sourcedid": "VARCHAR",
        "enableduser": "BOOLEAN",
        "datelastmodified": "TIMESTAMP",
        "scoredate": "VARCHAR",
        "score": "DOUBLE",
        "grades": "JSON",
        "userids": "JSON",
        "metadata": "JSON",
        "received": "HUGEINT",
    }
    assert {name: columns[name] for name in wanted} == wanted


def test_types_in_postgres(bundle, make_store, tmp_path):
    """Names as they are, so queries quote them; arrays and jsonb, times without a zone (in UTC)."""
    store = make_store("target-postgres")
    config = {"mode": "csv", "csv_path": str(bundle("1.2"))}
    pipe(config, store.executable, store.settings, tmp_path, catalog=catalog(config, tmp_path, "results", "users"))
    columns = dict(
        line.split("|")
        for line in store.place.execute(
            "select attname, format_type(atttypid, null) from pg_attribute"
            " where attrelid in ('oneroster.users'::regclass, 'oneroster.results'::regclass,"
            " 'oneroster.\"syncReceipts\"'::regclass) and attnum > 0"
        )
    )
    wanted = {
        "sourcedId": "text",
        "enabledUser": "boolean",
        "dateLastModified": "timestamp without time zone",
        "scoreDate": "date",
        "score": "numeric",
        "grades": "text[]",
        "userIds": "jsonb[]",
        "metadata": "jsonb",
        "received": "bigint",
        "_sdc_table_version": "bigint",
    }
    assert {name: columns[name] for name in wanted} == wanted


def test_types_in_snowflake(bundle, make_store, tmp_path):
    """Names in upper case; lists and objects as VARIANT, times without a zone (in UTC); a MERGE for each batch."""
    store = make_store("target-snowflake", batch_size_rows=200)
    config = {"mode": "csv", "csv_path": str(bundle("1.2"))}
    pipe(config, store.executable, store.settings, tmp_path, catalog=catalog(config, tmp_path, "results", "users"))
    columns = {
        row["name"]: row["type"].partition("(")[0]
        for stream in ("results", "users", "syncReceipts")
        for row in store.place.query(f"describe table oneroster.{stream}")
    }
    wanted = {
        "SOURCEDID": "VARCHAR",
        "ENABLEDUSER": "BOOLEAN",
        "DATELASTMODIFIED": "TIMESTAMP_NTZ",
        "SCOREDATE": "DATE",
        "SCORE": "FLOAT",
        "GRADES": "VARIANT",
        "USERIDS": "VARIANT",
        "METADATA": "VARIANT",
        "RECEIVED": "NUMBER",
        "_SDC_TABLE_VERSION": "NUMBER",
    }
    assert {name: columns[name] for name in wanted} == wanted
    [batches] = store.place.query("select count(*) as n from information_schema.tables where table_name like '%_ROWS'")
    rows = {stream: len(store.raw(stream)) for stream in ("results", "users", "syncReceipts")}
    assert batches["N"] == sum(-(-count // 200) for count in rows.values()) > len(rows)
    [promised] = [store.place.query(sql) for sql in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)]
    statements = present_rows("oneroster", {"users": ["sourcedId", "enabledUser", "role"]}, "snowflake")
    for statement in (text for text in statements if text.startswith("CREATE")):
        store.place.query(statement)
    here = store.place.query("select * from oneroster_current.users")
    assert {row["COLLECTION"]: row["DISTINCT"] for row in promised}["users"] == len(here) == rows["users"]


@pytest.mark.parametrize(
    ("use_copy", "stored"), [(True, "2026-03-08T08:30:00.123"), (False, "2026-03-08T03:30:00.123")]
)
def test_postgres_shifts_times_unless_it_copies(use_copy, stored, make_store, tmp_path):
    """The server stands in Chicago: without `use_copy`, what was UTC becomes that wall's time and does not say so."""
    store = make_store("target-postgres", use_copy=use_copy)
    assert isinstance(store, Postgres)
    schema = {"properties": {"sourcedId": {"type": "string"}, "at": {"type": "string", "format": "date-time"}}}
    record = {"sourcedId": "a", "at": "2026-03-08T08:30:00.123Z"}
    messages = [
        {"type": "SCHEMA", "stream": "moments", "schema": schema, "key_properties": ["sourcedId"]},
        {"type": "RECORD", "stream": "moments", "record": record},
    ]
    feed(messages, store.executable, store.settings, tmp_path)
    assert [row["at"] for row in store.raw("moments")] == [stored]
