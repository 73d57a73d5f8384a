"""Each mart holds what the generator says, from 1.1 and 1.2, from bundles and services, on each warehouse.

The district changes between two loads: students move to another school, go to a second one, and come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from oneroster_marts import project
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from oneroster_sample.events import parse_events

from .questions import PAGE, answer, questions
from .snowflakes import snowflake_desk
from .truth import MARTS, Truth, differences, rounded
from .warehouses import duckdb_desk, load_from_service, load_sample, postgres_desk, write_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .warehouses import Desk, Server

EVENTS = ("2:transfer:00002:3", "2:dual:00001:2", "2:reentry:00003:2")
MODELS = project.folder() / "models"
TABLES = [
    *(f"shared.{path.stem.removeprefix('shared_')}" for path in sorted((MODELS / "shared").glob("*.sql"))),
    *(f"restricted.{path.stem}" for path in sorted((MODELS / "marts").glob("*.sql"))),
]
VERSIONS = ("1.1", "1.2")
WAREHOUSES = ("duckdb", "postgres", "snowflake")


class Landed(NamedTuple):
    """A warehouse with a district of two loads, the settings that go with it, and its truth."""

    warehouse: Path
    settings: dict[str, Any]
    truth: Truth


def land(folder: Path, seed: int, version: str, by: str = "csv") -> Landed:
    """Load a district on two days."""
    district = District(seed=seed, schools=3, students_per_school=30, weekly=True, events=parse_events(EVENTS))
    then = district.changed(2)
    if by == "rest":
        write_bundle(then, folder / "district.zip", version=version, truth=folder / "truth.json")
        load_from_service(folder, district, version)
        warehouse = load_from_service(folder, then, version)
    else:
        load_sample(folder, district, version=version)
        warehouse = load_sample(folder, then, version=version, truth=folder / "truth.json")
    inputs = write_inputs(folder, then, version)
    truth = Truth(then, version, folder, district, by)
    return Landed(warehouse, {"today": truth.today, "inputs": inputs}, truth)


def desk_of(folder: Path, landed: Landed) -> Desk:
    """The marts of a warehouse on DuckDB."""
    desk = duckdb_desk(folder, landed.warehouse, **landed.settings)
    assert desk("build") == 0, desk.err
    return desk


def wrong(desk: Desk, truth: Truth) -> dict[str, list[str]]:
    """What is not as the truth says, by mart."""
    found = {mart: differences(mart, desk.rows(f"restricted.{mart}"), getattr(truth, mart)()) for mart in MARTS}
    return {mart: rows[:6] for mart, rows in found.items() if rows}


class Many:
    """What tests of a parameter need, made when it is first asked for."""

    def __init__(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self._factory = tmp_path_factory
        self._landed: dict[tuple[int, str, str], Landed] = {}
        self._desks: dict[tuple[int, str, str], Desk] = {}

    def landed(self, seed: int, version: str, by: str = "csv") -> Landed:
        key = (seed, version, by)
        if key not in self._landed:
            self._landed[key] = land(self._factory.mktemp("landed"), *key)
        return self._landed[key]

    def desk(self, seed: int, version: str, by: str = "csv") -> Desk:
        key = (seed, version, by)
        if key not in self._desks:
            self._desks[key] = desk_of(self._factory.mktemp("desk"), self.landed(*key))
        return self._desks[key]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Many:
    return Many(tmp_path_factory)


@pytest.fixture(scope="module", params=WAREHOUSES)
def desk(
    request: pytest.FixtureRequest, many: Many, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """The marts of one district on each warehouse."""
    landed = many.landed(21, "1.2")
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "duckdb":
        yield many.desk(21, "1.2")
    elif request.param == "postgres":
        made = postgres_desk(folder, server, landed.warehouse, **landed.settings)
        assert made("build") == 0, made.err
        yield made
    else:
        with snowflake_desk(folder, landed.warehouse, **landed.settings) as made:
            assert made("build") == 0, made.err
            yield made


@pytest.mark.parametrize("desk", ["postgres", "snowflake"], indirect=True)
def test_each_table_has_the_rows_that_it_has_on_duckdb(desk: Desk, many: Many) -> None:
    """The measures that the truth leaves out, too, and what is hidden."""
    other = many.desk(21, "1.2")
    for table in TABLES:
        rows, expected = (
            [
                {name: rounded(row[name]) for name in row if name != "day" or "feed" not in table}
                for row in each.rows(table)
            ]
            for each in (desk, other)
        )
        assert sorted(rows, key=str) == sorted(expected, key=str), table


@pytest.mark.parametrize("desk", ["snowflake"], indirect=True)
def test_the_queries_of_the_page_of_questions_run_on_the_replacement(desk: Desk, many: Many) -> None:
    for title, query in questions(PAGE.read_text(encoding="utf-8")).items():
        found, expected = (answer(its, query) for its in (desk, many.desk(21, "1.2")))
        assert found == expected, title


@pytest.mark.parametrize("version", VERSIONS)
def test_a_district_of_a_service_gives_the_marts_of_its_bundle(version: str, many: Many) -> None:
    """Which rows arrived differs: a service sends those that are deleted, and collections that no bundle has."""
    service, bundle = (many.desk(21, version, by) for by in ("rest", "csv"))
    compared = 0
    for table in TABLES:
        if "feed_health" not in table:
            rows = service.rows(table)
            assert rows == bundle.rows(table), table
            compared += len(rows)
    assert compared > 5_000


@pytest.mark.parametrize("by", ["csv", "rest"])
@pytest.mark.parametrize("version", VERSIONS)
def test_each_mart_holds_the_truth_in_each_version(version: str, by: str, many: Many) -> None:
    assert wrong(many.desk(21, version, by), many.landed(21, version, by).truth) == {}


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("seed", range(1, 11))
def test_each_mart_holds_the_truth_of_ten_districts(
    seed: int, version: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    landed = land(tmp_path_factory.mktemp("landed"), seed, version)
    assert wrong(desk_of(tmp_path_factory.mktemp("desk"), landed), landed.truth) == {}


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_holds_the_truth_on_each_warehouse(mart: str, desk: Desk, many: Many) -> None:
    """The table mart x warehouse x truth: each cell is a test."""
    rows = desk.rows(f"restricted.{mart}")
    expected = getattr(many.landed(21, "1.2").truth, mart)()
    assert len(rows) >= len(expected) > 0
    assert differences(mart, rows, expected) == []
