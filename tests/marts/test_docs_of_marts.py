"""The documentation that is made from the project: a page a mart, and dbt's own in one file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tools import marts_docs, marts_pages

from .questions import answer

if TYPE_CHECKING:
    from .warehouses import Desk

ROOT = Path(__file__).parents[2]
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "marts").glob("*.md"))}
OF_PERSONS = {"teacher_load", "transfer", "worklist"}


def rounded(cell: str) -> str:
    """A cell of an answer, to six digits if it is a number with more."""
    return f"{float(cell):.6f}" if re.fullmatch(r"-?\d+\.\d{6,}", cell) else cell


def test_each_table_has_a_page_that_says_what_it_counts_and_the_site_shows_it() -> None:
    """That a page is as the YAML files have it is a test of tools.derive."""
    assert sorted(PAGES) == marts_pages.names()
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    table = (ROOT / "docs" / "marts.md").read_text(encoding="utf-8")
    for name, text in PAGES.items():
        assert re.findall(r"^## (.+)", text, re.MULTILINE) == [
            "What it counts",
            "What it leaves out",
            "Columns",
            "A query",
        ]
        assert "One row " in text
        assert f"marts/{name}.md" in site
        assert f"(marts/{name}.md)" in table


@pytest.mark.parametrize("name", PAGES)
def test_the_query_of_a_page_runs_on_both_warehouses(name: str, duckdb_desk: Desk, postgres_desk: Desk) -> None:
    """Only pages of marts that name persons read the schema of persons."""
    ((query),) = re.findall(r"```sql\n(.+?)```", PAGES[name], re.DOTALL)
    assert ("restricted." in query) == (name in OF_PERSONS)
    if name not in OF_PERSONS:  # a DuckDB file each
        found, expected = (
            [[rounded(cell) for cell in row] for row in answer(desk, query)[1]] for desk in (duckdb_desk, postgres_desk)
        )
        assert sorted(found) == sorted(expected)
    else:
        assert answer(postgres_desk, query)[1]


def test_the_documentation_of_dbt_is_one_file_without_a_warehouse(tmp_path: Path) -> None:
    path = tmp_path / "dbt" / "index.html"
    marts_docs.write(path)
    text = path.read_text(encoding="utf-8")
    assert str(ROOT) not in text
    assert str(tmp_path) not in text
    assert '"send_anonymous_usage_stats": false' in text
    for name in ("licence_gap", "worklist", "fct_spell"):
        assert f'"model.oneroster_marts.{name}"' in text
    exposures = yaml.safe_load((ROOT / "oneroster-marts/models/shared/exposures.yml").read_text(encoding="utf-8"))
    for exposure in exposures["exposures"]:
        assert f'"exposure.oneroster_marts.{exposure["name"]}"' in text
