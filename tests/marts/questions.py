"""The questions of docs/marts-questions.md: each a query over schema `shared`, and the first rows of its answer.

`./run test-marts` compares the page with the marts of the sample. To write the answers after a change:
`.marts/bin/python -m tests.marts.questions`.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import duckdb

from .warehouses import TODAY, Desk, duckdb_desk, load_sample, plain_value, write_inputs

PAGE = Path(__file__).parents[2] / "docs" / "marts-questions.md"
ROWS = 5
QUESTION = re.compile(
    r"^## (?P<title>.+?)\n(?P<text>.+?)```sql\n(?P<sql>.+?)```\n\n(?P<rows>(?:\|[^\n]*\n)*)",
    re.MULTILINE | re.DOTALL,
)


def questions(page: str) -> dict[str, str]:
    """The queries of a page by the title of their section."""
    return {its["title"]: its["sql"] for its in QUESTION.finditer(page)}


def answered(page: str, desk: Desk) -> str:
    """The page with the first rows of each answer as the marts of a desk give it."""

    def section(its: re.Match[str]) -> str:
        names, rows = answer(desk, its["sql"])
        lines = [names, ["---"] * len(names), *rows[:ROWS]]
        table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        return its[0].removesuffix(its["rows"]) + table

    return QUESTION.sub(section, page)


def answer(desk: Desk, query: str) -> tuple[list[str], list[list[str]]]:
    """Names and rows of a query's answer, each value as text."""
    if desk.snowflake:
        cursor = desk.snowflake.cursor()
        cursor.execute(query)
        names = [column.name.lower() for column in cursor.description]
        return names, [[cell(plain_value(value)) for value in row] for row in cursor.fetchall()]
    if desk.database:
        found = desk.database.execute(f"select row_to_json(its.*) from ({query}) its")
        rows = [json.loads(line) for line in found]
        return list(rows[0]) if rows else [], [[cell(value) for value in row.values()] for row in rows]
    with duckdb.connect() as connection:
        connection.execute(f"attach '{desk.settings['marts_path']}' as its (read_only)")
        connection.execute("use its")
        its = connection.execute(query)
        return [column[0] for column in its.description], [[cell(value) for value in row] for row in its.fetchall()]


def cell(value: Any) -> str:
    """A value as the page has it; nothing for null."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    text = str(value)
    return re.sub(r"\.?0+$", "", text) if re.fullmatch(r"-?\d+\.\d+", text) else text


def with_all_shown(desk: Desk, folder: Path) -> Desk:
    """The marts of a DuckDB desk in other files, with schema `shared` built anew so that small numbers are shown.

    The sample is so small that most of its numbers are hidden, as they should be. Its people are made up.
    """
    paths = {name: str(shutil.copy(desk.settings[name], folder)) for name in ("marts_path", "restricted_path")}
    own = Desk(folder, desk.settings | paths | {"target_path": str(folder / "target"), "small_cell": 1})
    models = ("hidden_demographic_cell", "hidden_product_school+", "activity_cell", "path:models/shared")
    assert own("build", *(word for name in models for word in ("--select", name))) == 0, own.err
    return own


def main() -> None:
    """Write the answers into the page."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in ("sample", "usage", "desk", "shown"):
            (folder / name).mkdir()
        inputs = write_inputs(folder / "usage")
        desk = duckdb_desk(folder / "desk", load_sample(folder / "sample"), today=TODAY, inputs=inputs)
        assert desk("build") == 0, desk.err
        text = answered(PAGE.read_text(encoding="utf-8"), with_all_shown(desk, folder / "shown"))
    PAGE.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
