"""Times of inputs as text: the same moment on DuckDB and PostgreSQL, in UTC, or refused on both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .warehouses import TODAY, Server, duckdb_desk, postgres_desk

if TYPE_CHECKING:
    from pathlib import Path

TIMES = {
    "2026-11-16T05:00:00Z": "2026-11-16 05:00:00",
    "2026-11-16T05:00:00.5+02:00": "2026-11-16 03:00:00.5",
    "2026-11-16 05:00:00": "2026-11-16 05:00:00",
    "2026-11-16T05:00": "2026-11-16 05:00:00",
    "2026-11-16": "2026-11-16 00:00:00",
    "2026-02-30T05:00:00Z": None,
    "2026-11-16T25:00:00Z": None,
    "yesterday": None,
}


@pytest.mark.parametrize("warehouse", ["duckdb", "postgres"])
def test_a_time_is_read_alike_and_the_same_file_can_be_given_again(
    warehouse: str, sample: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "lms.csv"
    header = "lms,class_key_kind,class_key,user_key_kind,user_key,role,state,read_at"
    rows = [f"L,sourcedId,c,sourcedId,{n},student,active,{time}" for n, time in enumerate(TIMES)]
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    settings = {"today": TODAY, "inputs": {"lms_memberships": str(path)}}
    if warehouse == "duckdb":
        desk = duckdb_desk(tmp_path, sample, **settings)
    else:
        server: Server = request.getfixturevalue("server")
        desk = postgres_desk(tmp_path, server, sample, **settings)
    for command in ("build", "test", "build"):  # the view of the input stays on its table
        assert desk(command, "--select", "input_lms_memberships") == 0, desk.err
    text = "cast(read_at as varchar) as read_at, cast(user_key as integer) as n"
    read = {row["n"]: row["read_at"] for row in desk.rows("restricted.input_lms_memberships", text)}
    assert read == {n: said for n, said in enumerate(TIMES.values()) if said}
