"""The DuckDB loader of meltano.yml loses nothing, whatever the first row of a batch looks like."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import duckdb
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

TEXTS = ["Ana", "José", "O'Brien", "Lee, Jr.", 'called "B"', "a;b", "x|y", "two\nlines", "01/02/2020", "007", "true"]


def test_every_row_of_every_batch_arrives(loader: Callable[[str], Path], tmp_path: Path) -> None:
    """With text columns only, DuckDB would take the first row of many a batch for the names of the columns."""
    rows = {
        f"s{stream}": {f"{stream}-{row}": TEXTS[(stream + row) % len(TEXTS)] for row in range(1 + 3 * stream)}
        for stream in range(12)
    }
    schema = {"type": "object", "properties": {name: {"type": ["string", "null"]} for name in ("sourcedId", "title")}}
    lines = []
    for stream, texts in rows.items():
        lines.append({"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": ["sourcedId"]})
        for row, text in texts.items():
            lines.append({"type": "RECORD", "stream": stream, "record": {"sourcedId": row, "title": text}})
    config = tmp_path / "config.json"
    settings = {"filepath": str(tmp_path / "x.duckdb"), "default_target_schema": "s", "batch_size_rows": 4}
    config.write_text(json.dumps(settings))
    done = subprocess.run(
        [loader("target-duckdb"), "--config", config],
        input="\n".join(map(json.dumps, lines)),
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    with duckdb.connect(tmp_path / "x.duckdb", read_only=True) as database:
        arrived = {
            stream: dict(database.execute(f"SELECT sourcedid, title FROM s.{stream}").fetchall()) for stream in rows
        }
    assert arrived == rows
