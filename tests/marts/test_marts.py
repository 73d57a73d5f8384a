"""All marts: the same numbers on each warehouse, the unit tests of the project, and nothing of persons in what is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
import yaml
from oneroster_marts import project

if TYPE_CHECKING:
    from pathlib import Path

    from .warehouses import Desk

SHARED = sorted(path.stem.removeprefix("shared_") for path in (project.folder() / "models" / "shared").glob("*.sql"))
RAW = sorted(path.stem for path in (project.folder() / "models" / "marts").glob("*.sql"))
TABLES = [*(f"shared.{name}" for name in SHARED), *(f"restricted.{name}" for name in RAW)]


@pytest.mark.parametrize("table", TABLES)
def test_duckdb_and_postgres_give_the_same_rows(table: str, duckdb_desk: Desk, postgres_desk: Desk) -> None:
    assert duckdb_desk.rows(table) == postgres_desk.rows(table)


@pytest.mark.parametrize("name", sorted(set(SHARED) & set(RAW)))
def test_a_twin_has_the_columns_of_its_mart(name: str, duckdb_desk: Desk) -> None:
    assert duckdb_desk.columns(f"shared.{name}") == duckdb_desk.columns(f"restricted.{name}")


@pytest.mark.parametrize("desk", ["duckdb_desk", "postgres_desk"])
def test_the_unit_tests_of_the_project_pass(desk: str, request: pytest.FixtureRequest) -> None:
    its: Desk = request.getfixturevalue(desk)
    assert its("test") == 0, its.err
    assert int(its.out.split()[0]) > 80


def test_no_person_is_in_what_is_shared_or_in_what_dbt_writes(duckdb_desk: Desk, sample: Path) -> None:
    """Ids, names, e-mails and identifiers of the sample's users."""
    with duckdb.connect(str(sample), read_only=True) as connection:
        columns = ("sourcedId", "username", "identifier", "email", "familyName")
        canaries = {
            text
            for column in columns
            for (text,) in connection.execute(f'select distinct "{column}" from oneroster.users').fetchall()
            if text and len(text) > 6
        }
    assert len(canaries) > 500
    shown = [str(row) for name in SHARED for row in duckdb_desk.rows(f"shared.{name}")]
    target = duckdb_desk.folder / "target"
    shown += [path.read_text(encoding="utf-8", errors="replace") for path in target.rglob("*") if path.is_file()]
    text = "\n".join([*shown, duckdb_desk.out, duckdb_desk.err])
    assert "sourcedId" in text
    assert [canary for canary in canaries if canary in text] == []


def test_the_file_of_persons_is_for_its_owner_only(duckdb_desk: Desk) -> None:
    restricted, marts = (duckdb_desk.folder / f"{name}.duckdb" for name in ("restricted", "marts"))
    assert restricted.stat().st_mode & 0o777 == 0o600
    assert marts.stat().st_mode & 0o777 == 0o644


def test_every_model_is_described_with_its_grain_and_every_column_of_a_mart(duckdb_desk: Desk) -> None:
    described = {}
    for path in (project.folder() / "models").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", ()):
            described[model["name"]] = model
    models = {path.stem for path in (project.folder() / "models").rglob("*.sql")}
    assert models == described.keys()
    for name, its in described.items():
        assert its["description"].startswith("One row "), name
        assert all(column["description"] for column in its["columns"]), name
        schema = "shared" if name.startswith("shared_") else "restricted"
        columns = duckdb_desk.columns(f"{schema}.{name.removeprefix('shared_')}")
        assert [column["name"] for column in its["columns"]] == columns, name
