"""The same project on a replacement for Snowflake: upper-case names, VARIANT lists, and the rows that DuckDB gives.

It shows that the SQL runs. It is no Snowflake: docs/marts.md says what that leaves open.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import fakesnow
import pytest
import snowflake.connector
from oneroster_marts import project
from oneroster_sample.district import District

from .questions import PAGE, answer, cell, questions
from .warehouses import TODAY, Desk, duckdb_desk, load_sample, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARED = sorted(path.stem.removeprefix("shared_") for path in (project.folder() / "models" / "shared").glob("*.sql"))
TYPES = {
    "VARCHAR": "varchar",
    "DATE": "date",
    "BIGINT": "bigint",
    "DOUBLE": "float",
    "BOOLEAN": "boolean",
    "TIMESTAMP WITH TIME ZONE": "timestamp_ntz",
}


def literal(value: Any, kind: str) -> str:
    """A value as Snowflake's SQL has it."""
    if value is None:
        return "null"
    if kind not in TYPES:
        text = value if isinstance(value, str) else json.dumps(value)
        return f"parse_json({literal(text, 'VARCHAR')})"
    if kind in {"BIGINT", "DOUBLE", "BOOLEAN"}:
        return str(value)
    text = value.strftime("%Y-%m-%d %H:%M:%S") if kind == "TIMESTAMP WITH TIME ZONE" else str(value)
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def copy_to_snowflake(warehouse: Path, cursor: Any) -> None:
    """Make the loader's tables as target-snowflake does: names in upper case, lists and objects as VARIANT."""
    cursor.execute("create schema oneroster")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute(
            "select table_name, list((column_name, data_type) order by ordinal_position)"
            " from information_schema.columns join information_schema.tables using (table_schema, table_name)"
            " where table_schema = 'oneroster' and table_type = 'BASE TABLE' and table_name not like '%_history'"
            " and table_name not like '\\_%' escape '\\' group by all"
        ).fetchall()
        for table, columns in tables:
            spec = ", ".join(f'"{name.upper()}" {TYPES.get(kind, "variant")}' for name, kind in columns)
            cursor.execute(f"create table oneroster.{table} ({spec})")
            rows = connection.execute(f'select * from oneroster."{table}"').fetchall()
            for start in range(0, len(rows), 200):
                selects = (
                    "select " + ", ".join(literal(value, kind) for value, (_, kind) in zip(row, columns, strict=True))
                    for row in rows[start : start + 200]
                )
                cursor.execute(f"insert into oneroster.{table} " + " union all ".join(selects))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of a school of twenty."""
    district = District(seed=3, schools=1, students_per_school=20)
    return load_sample(tmp_path_factory.mktemp("small"), district)


@pytest.fixture(scope="module")
def snowflake_desk(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The marts of that school, built in the replacement."""
    with fakesnow.server() as how:
        with snowflake.connector.connect(**how) as connection:
            connection.cursor().execute("create database district")
        with snowflake.connector.connect(**how, database="DISTRICT") as connection:
            copy_to_snowflake(small, connection.cursor())
        folder = tmp_path_factory.mktemp("snowflake")
        reached = {name: how[name] for name in ("account", "user", "password", "host", "port")}
        own: dict[str, Any] = {"warehouse": "snowflake", "database": "DISTRICT", "snowflake_warehouse": "W"}
        own |= {
            "protocol": "http",
            "oneroster_schema": "ONEROSTER",
            "target_path": str(folder / "target"),
            "today": TODAY,
            "threads": 1,
        }
        desk = Desk(folder, reached | own)
        assert desk("build") == 0, desk.err
        yield desk


@pytest.fixture(scope="module")
def cursor(snowflake_desk: Desk) -> Iterator[Any]:
    """A cursor in the database of these marts."""
    names = ("account", "user", "password", "host", "port", "protocol", "database")
    with snowflake.connector.connect(**{name: snowflake_desk.settings[name] for name in names}) as connection:
        yield connection.cursor(snowflake.connector.DictCursor)


@pytest.fixture(scope="module")
def desk(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = duckdb_desk(tmp_path_factory.mktemp("duckdb"), small, today=TODAY)
    assert made("build") == 0, made.err
    return made


def test_the_tables_that_are_shared_have_the_same_rows(cursor: Any, desk: Desk) -> None:
    for name in SHARED:
        rows = cursor.execute(f"select * from shared.{name}").fetchall()
        found = [{key.lower(): plain_value(value) for key, value in row.items()} for row in rows]
        expected = desk.rows(f"shared.{name}")
        if name == "feed_health":  # the times of two machines
            assert len(found) == len(expected)
            continue
        assert sorted(map(comparable, found)) == sorted(map(comparable, expected)), name


def test_the_queries_of_the_page_of_questions_run_there(cursor: Any, desk: Desk) -> None:
    for title, query in questions(PAGE.read_text(encoding="utf-8")).items():
        found = [[cell(value) for value in row.values()] for row in cursor.execute(query).fetchall()]
        assert found == answer(desk, query)[1], title


def comparable(row: dict[str, Any]) -> str:
    """A row as text, in which 3 and 3.0 are the same."""
    return json.dumps({k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in row.items()})


def test_pages_answers_and_lists_are_those_of_duckdb(snowflake_desk: Desk, desk: Desk, tmp_path: Path) -> None:
    found = []
    for its, name in ((snowflake_desk, "snowflake"), (desk, "duckdb")):
        site = tmp_path / name
        assert its("pages", "--out", str(site), "--restricted", "--names") == 0, its.err
        pages = {str(path.relative_to(site)): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
        assert its("push", "--restricted", "--since", "2026-10-01") == 0, its.err
        lists = its.out
        assert its("ask", "students by school") == 0, its.err
        found.append((pages, lists, its.out))
    assert len(found[0][0]) == 6
    assert found[0] == found[1]
