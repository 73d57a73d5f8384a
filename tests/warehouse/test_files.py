"""Files of the warehouse: modes, what lies in the way, and what cannot be read."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import duckdb
import pytest
from target_oneroster.errors import Misconfigured, TargetError

from tests.target.mini import encode, lines, record_line, row, rows, schema_line

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import House


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_files_are_private(house: House, tmp_path: Path) -> None:
    """The warehouse and its Parquet files are for their owner only; what was there keeps its mode."""
    before = os.umask(0o022)
    try:
        parquet = tmp_path / "parquet"
        house.run(lines(rows()), parquet_path=str(parquet))
        files = [house.path, *parquet.iterdir()]
        assert {mode(path) for path in files} == {0o600}
        assert mode(parquet) == 0o700
        for path in files:
            path.chmod(0o640)
        house.run(lines(rows()), parquet_path=str(parquet))
        assert {mode(path) for path in files} == {0o640}
    finally:
        os.umask(before)


def test_a_truncated_file_is_damaged(house: House) -> None:
    """Cut in its middle, or before its first block ends."""
    house.run(lines(rows()))
    for size in (house.path.stat().st_size // 2, 5000):
        with house.path.open("r+b") as file:
            file.truncate(size)
        with pytest.raises(TargetError, match="is damaged"):
            house.run(lines(rows()))


def test_a_link_to_nothing_is_named(house: House) -> None:
    """It is not another run's file."""
    house.path.symlink_to("nowhere")
    with pytest.raises(Misconfigured, match="is a link to a file that is not there"):
        house.run(lines(rows()))


def test_a_pipe_is_named(house: House) -> None:
    """It is not waited for."""
    os.mkfifo(house.path)
    with pytest.raises(Misconfigured, match="neither a file nor a link"):
        house.run(lines(rows()))


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE VIEW oneroster.courses AS SELECT 1 AS a", "oneroster.courses is a view, and a table"),
        ("CREATE TABLE oneroster.schools (a INT)", "oneroster.schools is a table, and a view"),
    ],
)
def test_a_view_in_the_place_of_a_table_is_named(house: House, statement: str, words: str) -> None:
    """And the other way round."""
    house.run(lines({"orgs": rows()["orgs"]}), views=False)
    with duckdb.connect(str(house.path)) as database:
        database.execute(statement)
    with pytest.raises(Misconfigured, match=words):
        house.run(lines(rows()))


@pytest.mark.parametrize("part", [{"time_extracted": "yesterday"}, {"version": "first"}, {"version": 10**30}])
def test_a_part_of_a_line_that_cannot_be_read_is_named(house: House, part: dict[str, object]) -> None:
    """It is no property of the record, and its value is not told."""
    line = record_line("orgs", row(rows(), "orgs", "s1")) | part
    with pytest.raises(TargetError, match="Stream orgs: time_extracted or version of a record cannot be") as caught:
        house.run([schema_line("syncReceipts"), schema_line("orgs"), line])
    assert str(next(iter(part.values()))) not in str(caught.value)


def test_a_record_that_is_nested_without_end_is_named(house: House) -> None:
    """By the number of its line, as other lines that are no JSON."""
    line = record_line("orgs", row(rows(), "orgs", "s1") | {"metadata": "DEEP"})
    deep = encode([schema_line("orgs"), line]).replace(b'"DEEP"', b'{"a":' * 100_000 + b"1" + b"}" * 100_000)
    with pytest.raises(TargetError, match="Line 2 of the input is not a JSON object"):
        house.run(deep)


def test_a_value_of_a_parquet_file_that_cannot_be_read_is_named(house: House, tmp_path: Path) -> None:
    """The failure names stream and property, never the value."""
    path = tmp_path / "batch.parquet"
    duckdb.execute(f"COPY (SELECT 's' AS \"sourcedId\", 'secret' AS \"dateLastModified\") TO '{path}' (FORMAT parquet)")
    batch = {"type": "BATCH", "stream": "orgs", "encoding": {"format": "parquet"}, "manifest": [str(path)]}
    with pytest.raises(TargetError, match="Stream orgs, property dateLastModified: a value cannot be read") as caught:
        house.run([schema_line("syncReceipts"), schema_line("orgs"), batch])
    assert "secret" not in str(caught.value)
