"""BATCH messages and their files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from pathlib import Path


def batch(stream: str, path: Path, kind: str, compression: str | None = None, **more: Any) -> dict[str, Any]:
    encoding = {"format": kind} | ({"compression": compression} if compression else {})
    return {"type": "BATCH", "stream": stream, "encoding": encoding, "manifest": [f"file://{path}"]} | more


def parquet(records: list[dict[str, Any]], path: Path, **types: str) -> Path:
    """A file of rows with these types; `metadata` is text of JSON, as Parquet has no open objects."""
    source = path.with_suffix(".source")
    source.write_text("".join(json.dumps(record) + "\n" for record in records))
    names = {name: None for record in records for name in record}
    columns = ", ".join(
        f"CAST(to_json({name}) AS VARCHAR) AS metadata" if name == "metadata" else f'CAST("{name}" AS {types[name]}) AS "{name}"' if name in types else f'"{name}"'
        for name in names
    )  # fmt: skip
    with duckdb.connect() as database:
        database.execute(f"COPY (SELECT {columns} FROM read_json('{source}')) TO '{path}' (FORMAT parquet)")
    source.unlink()
    return path
