"""The tables as Parquet files in a lake: a folder for each table, here or in a store, each file replaced whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from target_oneroster.errors import Misconfigured, TargetError
from target_oneroster.warehouse.parquet_files import ParquetFiles

from tests.target.mini import lines, rows

from .conftest import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store() -> Iterator[Any]:
    """A store in memory."""
    fs = fsspec.filesystem("memory")
    yield fs
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


def two_nights(house: House, tmp_path: Path, place: str) -> list[tuple[Any, ...]]:
    """Load two districts into a lake, one of them twice; return the rows of orgs that the warehouses hold."""
    found = []
    for district in ("north", "south"):
        its = House(tmp_path / f"{district}.duckdb")
        for _ in range(2 if district == "north" else 1):
            its.run(lines(rows()), parquet_path=place.format(stream="{stream}", district=district))
        found += its.query(f"SELECT '{district}', \"sourcedId\" FROM orgs")
        assert its.outcome.files > 5
    return sorted(found)


def test_a_lake_on_this_machine(house: House, tmp_path: Path) -> None:
    """One part for each table and district; a query over all says whose each row is."""
    expected = two_nights(house, tmp_path, f"{tmp_path}/lake/{{stream}}/tenant={{district}}/")
    assert {path.name for path in (tmp_path / "lake").rglob("*") if path.is_file()} == {"part-0.parquet"}
    answer = duckdb.sql(
        f"SELECT tenant, \"sourcedId\" FROM read_parquet('{tmp_path}/lake/orgs/*/*.parquet', hive_partitioning = true)"
    )
    assert sorted(answer.fetchall()) == expected
    assert expected


def test_a_lake_in_a_store(house: House, tmp_path: Path, store: Any) -> None:
    """The same, and nothing of the upload is left."""
    expected = two_nights(house, tmp_path, "memory://lake/{stream}/tenant={district}/")
    paths = store.find("/lake")
    assert {path.rpartition("/")[2] for path in paths} == {"part-0.parquet"}
    found: list[tuple[Any, ...]] = []
    for district in ("north", "south"):
        local = tmp_path / "orgs.parquet"
        store.get_file(f"/lake/orgs/tenant={district}/part-0.parquet", str(local))
        found += duckdb.sql(f"SELECT '{district}', \"sourcedId\" FROM '{local}'").fetchall()
    assert sorted(found) == expected
    assert not list(tmp_path.glob(".*"))


def test_a_store_without_a_folder_for_each_table(house: House, store: Any) -> None:
    """The files have the names of their tables, as in a folder; a file given as a URL is one of this machine."""
    house.run(lines(rows()), parquet_path="memory://lake/north")
    assert store.exists("/lake/north/orgs.parquet")
    folder = house.path.parent / "with a space"
    house.run(lines(rows()), parquet_path=folder.as_uri())
    assert (folder / "orgs.parquet").is_file()


def test_an_upload_that_fails_leaves_the_old_file_and_writes_no_state(
    house: House, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line without the words of the library; what a killed upload left is removed by the next one."""
    place = "memory://lake/{stream}/tenant=north"
    house.run(lines(rows()), parquet_path=place)
    path = "/lake/orgs/tenant=north/part-0.parquet"
    before = store.cat_file(path)
    put = MemoryFileSystem.put_file

    def broken(self: Any, local: str, remote: str, **options: Any) -> None:
        put(self, local, remote, **options)
        if "/orgs/" in remote:
            raise OSError("key hunter2 was refused")

    with monkeypatch.context() as patched:
        patched.setattr(MemoryFileSystem, "put_file", broken)
        patched.setattr(MemoryFileSystem, "rm_file", lambda *_: None)  # as if it was killed here
        with pytest.raises(TargetError, match=r"parquet_path: orgs could not be written there \(OSError\)") as caught:
            house.run(lines(rows()), parquet_path=place)
    assert "hunter2" not in caught.value.message
    assert house.state == []
    assert store.cat_file(path) == before
    assert len(store.find("/lake/orgs")) == 2
    house.run(lines(rows()), parquet_path=place)
    assert store.find("/lake/orgs") == [path]


@pytest.mark.parametrize("place", ["http://lake.example/x", "nowhere://lake/x"])
def test_a_store_that_cannot_be_used_is_refused_before_the_first_row(place: str) -> None:
    with pytest.raises(Misconfigured, match="parquet_path: "):
        ParquetFiles(place)
