"""The project as dbt's manifest has it keeps the rules of dbt-project-evaluator; test_worklist.py follows demographics in it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .warehouses import Desk

READS = {
    "staging": set(),
    "inputs": set(),
    "core": {"staging", "inputs", "core", "seeds"},
    "marts": {"core", "inputs", "marts", "seeds"},
    "shared": {"marts", "core", "inputs", "seeds"},
}
"""Which layers a model of a layer may read."""
ALSO = {
    "feed_health": {"stg_oneroster__sync_receipts"},
    "teacher_load": {"stg_oneroster__line_items", "stg_oneroster__results"},
}
"""Marts of rows as they came, which no model of core has."""
SIZES = re.compile(r"(\w+_cell|hidden_\w+)")
"""Models of core that say what of a mart is hidden, and so read it."""
NAMES = {
    "staging": r"stg_oneroster__[a-z_]+",
    "inputs": r"input_[a-z_]+",
    "core": r"(?!stg_|input_|shared_)[a-z_]+",
    "marts": r"(?!stg_|input_|shared_|dim_|fct_|bridge_)[a-z_]+",
    "shared": r"shared_[a-z_]+",
}
KEYED = re.compile(r"(marts|shared)\.|core\.(dim|fct|bridge)_")


@pytest.fixture(scope="module")
def manifest(duckdb_desk: Desk) -> dict[str, Any]:
    """What dbt wrote of the project, by id; the names of models are those of their ids."""
    text = (duckdb_desk.folder / "manifest.json").read_text(encoding="utf-8")
    nodes: dict[str, Any] = json.loads(text)["nodes"]
    return nodes


def layer(node: dict[str, Any]) -> str:
    """The folder of a model, or `seeds`."""
    return "seeds" if node["resource_type"] == "seed" else node["fqn"][1]


def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The models, without tests, seeds and snapshots."""
    return [node for node in manifest.values() if node["resource_type"] == "model"]


def parents(manifest: dict[str, Any], node: dict[str, Any]) -> list[dict[str, Any]]:
    """What a model reads."""
    return [manifest[name] for name in node["depends_on"]["nodes"]]


def test_only_staging_reads_tables_of_the_loader_and_each_table_has_one_view(manifest: dict[str, Any]) -> None:
    """Also where the name of a table is written into the SQL."""
    tables = [
        (table, its) for its in models(manifest) for table in re.findall(r'"oneroster"\."\w+"', its["compiled_code"])
    ]
    assert {layer(its) for _, its in tables} == {"staging"}
    assert len(tables) == len(dict(tables)) > 15
    assert [
        its["name"]
        for its in models(manifest)
        if re.search(r"\b(from|join) (oneroster|restricted|shared)\.", its["raw_code"])
    ] == []


def test_each_layer_reads_those_below_it(manifest: dict[str, Any]) -> None:
    for its in models(manifest):
        allowed = READS[layer(its)] | ({"marts"} if layer(its) == "core" and SIZES.fullmatch(its["name"]) else set())
        also = ALSO.get(its["name"], set())
        read = {parent["name"] for parent in parents(manifest, its) if layer(parent) not in allowed}
        assert read == also, its["name"]


def test_a_model_is_named_by_its_layer_and_written_to_its_schema(manifest: dict[str, Any]) -> None:
    for its in models(manifest):
        assert re.fullmatch(NAMES[layer(its)], its["name"])
        assert its["schema"] == ("shared" if layer(its) == "shared" else "restricted"), its["name"]
        assert its["alias"] == its["name"].removeprefix("shared_")


def test_each_seed_and_snapshot_is_described_with_its_grain(manifest: dict[str, Any]) -> None:
    """Of models, test_marts.py says so."""
    others = [node for node in manifest.values() if node["resource_type"] in {"seed", "snapshot"}]
    assert [its["name"] for its in others if not its["description"].startswith("One row ")] == []
    assert [its["name"] for its in others if not all(column["description"] for column in its["columns"].values())] == []


def test_the_key_of_each_mart_dimension_and_fact_is_tested(manifest: dict[str, Any]) -> None:
    tests = [node for node in manifest.values() if node["resource_type"] == "test"]
    keyed = {its["attached_node"] for its in tests if its["test_metadata"]["name"] in {"unique", "unique_together"}}
    filled = {its["attached_node"] for its in tests if its["test_metadata"]["name"] == "not_null"}
    due = {name for name, its in manifest.items() if KEYED.match(".".join(its["fqn"][1:])) and its in models(manifest)}
    assert len(due) > 30
    assert due - (keyed & filled) == set()
