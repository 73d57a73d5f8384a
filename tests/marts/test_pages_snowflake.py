"""Pages, answers and lists of the replacement for Snowflake are those of DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneroster_sample.district import District

from .snowflakes import snowflake_desk
from .warehouses import TODAY, Desk, duckdb_desk, load_sample

if TYPE_CHECKING:
    from pathlib import Path


def made(desk: Desk, site: Path) -> tuple[dict[str, str], str, str]:
    """The pages by name, the lists, and an answer."""
    assert desk("pages", "--out", str(site), "--restricted", "--names") == 0, desk.err
    pages = {str(path.relative_to(site)): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    assert desk("push", "--restricted", "--since", "2026-10-01") == 0, desk.err
    lists = desk.out
    assert desk("ask", "students by school") == 0, desk.err
    return pages, lists, desk.out


def test_pages_answers_and_lists_are_those_of_duckdb(tmp_path: Path) -> None:
    for name in ("duckdb", "snowflake"):
        (tmp_path / name).mkdir()
    warehouse = load_sample(tmp_path, District(seed=3, schools=1, students_per_school=20))
    desk = duckdb_desk(tmp_path / "duckdb", warehouse, today=TODAY)
    assert desk("build") == 0, desk.err
    expected = made(desk, tmp_path / "duckdb" / "site")
    with snowflake_desk(tmp_path / "snowflake", warehouse, today=TODAY) as other:
        assert other("build") == 0, other.err
        found = made(other, tmp_path / "snowflake" / "site")
    assert len(found[0]) == 6
    assert found == expected
