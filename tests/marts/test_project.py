"""The dbt project as text: what differs between warehouses stands in one file."""

from __future__ import annotations

import re

import pytest
from oneroster_marts import project

FOLDER = project.folder()
FILES = [path for path in sorted(FOLDER.rglob("*.sql")) if "target" not in path.parts and ".marts" not in path.parts]
BRANCHES = re.compile(
    r"target\.(type|name)|adapter\.(dispatch|type)|\b(duckdb|postgres|snowflake|default)__", re.IGNORECASE
)
DIALECT = re.compile(
    r"\b(unnest|flatten|date_trunc|dateadd|datediff|percentile_cont|median|quantile\w*|try_cast|interval|generate_series"
    r"|list_\w+|array_\w+|json_\w+|to_json|extension|ilike)\s*\(|::|\bqualify\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_only_one_file_knows_the_warehouses(path):
    text = path.read_text(encoding="utf-8")
    if path.name == "warehouse.sql":
        assert BRANCHES.search(text)
        return
    assert not BRANCHES.search(text)
    without_macros = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|--[^\n]*", "", text, flags=re.DOTALL)
    assert not DIALECT.search(without_macros)


def test_each_mart_has_a_file_of_its_own_beside_its_description():
    models = FOLDER / "models"
    for path in models.rglob("*.sql"):
        described = path.with_suffix(".yml")
        if path.parent.name == "shared" and not described.exists():  # a twin is described with its mart
            described = models / "marts" / f"{path.stem.removeprefix('shared_')}.yml"
        assert f"- name: {path.stem}\n" in described.read_text(encoding="utf-8"), path


def test_the_names_of_unit_tests_are_short_enough_for_postgresql():
    """It takes 63 bytes, and dbt makes a table of that name with a few letters more."""
    texts = [path.read_text(encoding="utf-8").partition("unit_tests:")[2] for path in FOLDER.rglob("models/**/*.yml")]
    names = [name for text in texts for name in re.findall(r"^- name: (\w+)", text, re.MULTILINE)]
    assert len(names) > 15
    assert [name for name in names if len(name) > 56] == []
