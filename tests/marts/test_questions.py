"""Each query of docs/marts-questions.md gives the rows that stand under it, and the same on each warehouse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml
from oneroster_marts import project

from .questions import PAGE, answer, answered, questions, with_all_shown

if TYPE_CHECKING:
    from .warehouses import Desk

TEXT = PAGE.read_text(encoding="utf-8")
QUERIES = questions(TEXT)


def test_the_answers_of_the_page_are_those_of_the_sample(
    duckdb_desk: Desk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    desk = with_all_shown(duckdb_desk, tmp_path_factory.mktemp("shown"))
    assert len(QUERIES) == TEXT.count("```sql") == TEXT.count("\n## ") >= 12
    assert answered(TEXT, desk) == TEXT, "to write them: .marts/bin/python -m tests.marts.questions"
    assert min(len(answer(desk, query)[1]) for query in QUERIES.values()) > 1


@pytest.mark.parametrize("title", QUERIES)
def test_a_query_reads_what_is_shared_and_gives_the_same_on_postgresql(
    title: str, duckdb_desk: Desk, postgres_desk: Desk
) -> None:
    """With small numbers hidden, as in a real district."""
    tables = re.findall(r"\b(?:from|join) (\S+)", QUERIES[title])
    assert tables
    assert [table for table in tables if not table.startswith("shared.")] == []
    names, rows = answer(duckdb_desk, QUERIES[title])
    assert (names if rows else [], rows) == answer(postgres_desk, QUERIES[title])


def test_the_exposure_names_the_tables_that_the_page_reads() -> None:
    """So that `dbt ls --select +exposure:questions` says what the page depends on."""
    text = (project.folder() / "models" / "shared" / "exposures.yml").read_text(encoding="utf-8")
    exposure = next(its for its in yaml.safe_load(text)["exposures"] if its["name"] == "questions")
    tables = {table for query in QUERIES.values() for table in re.findall(r"\bshared\.(\w+)", query)}
    assert exposure["depends_on"] == [f"ref('shared_{table}')" for table in sorted(tables)]
