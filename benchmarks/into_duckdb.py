"""A CSV bundle into DuckDB: our pipe, with records and with batches, against dlt's filesystem source with Arrow.

Bare DuckDB, which reads the file into a typed table and proves nothing, shows how far either is from the engine.

./run python -m benchmarks.into_duckdb --enrollments 2000000
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import duckdb
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from benchmarks._measure import program, run_pipe, write_config

if TYPE_CHECKING:
    from collections.abc import Sequence

DLT = """
import sys, dlt
from dlt.sources.filesystem import filesystem, read_csv_duckdb
folder, database, way = sys.argv[1:4]
rows = filesystem(bucket_url="file://" + folder, file_glob="enrollments.csv") | read_csv_duckdb(use_pyarrow=True, chunk_size=100_000)
pipeline = dlt.pipeline("bench", destination=dlt.destinations.duckdb(database), dataset_name="oneroster", pipelines_dir=database + ".dlt")
key = {"primary_key": "sourcedId"} if way == "merge" else {}
pipeline.run(rows.with_name("enrollments"), write_disposition=way, **key)
"""
BARE = """
import sys, duckdb
from oneroster_core.model import file
from target_oneroster.warehouse.schema import Table
folder, database = sys.argv[1:3]
kinds = {name: kind for name, kind in Table(file("enrollments")).content.items() if name != "metadata"}
columns = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in kinds.items())
rows = f"read_csv('{folder}/enrollments.csv', all_varchar = true)"
with duckdb.connect(database) as connection:
    connection.execute("CREATE SCHEMA IF NOT EXISTS oneroster")
    connection.execute(f"CREATE OR REPLACE TABLE oneroster.enrollments AS SELECT {columns} FROM {rows}")
"""
_OURS, _PEER = "tap and target, batches of Parquet", "dlt, Arrow, replace"


class Took(NamedTuple):
    """The cost of one run."""

    wall: float
    cpu: float
    peak_mb: float


def main() -> None:
    """Make a bundle, load it into DuckDB in each way, alternating, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enrollments", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-dlt", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        write_bundle(District.of_size(options.enrollments), here / "bundle", version="1.2", only=["enrollments"])
        ways = _ways(here, dlt=not options.no_dlt)
        first: dict[str, list[Took]] = {name: [] for name in ways}
        again: dict[str, list[Took]] = {name: [] for name in ways}
        for _ in range(options.runs):
            for path in [*here.glob("*.duckdb*")]:
                subprocess.run(["rm", "-rf", path], check=True)
            for figures in (first, again):
                for name, commands in ways.items():
                    figures[name].append(_run(commands))
        for path in here.glob("*.duckdb"):
            _count(path, options.enrollments)
    print(f"{options.enrollments:,} enrollments, {os.cpu_count()} cores, median of {options.runs}\n")
    _print("into a new file", first, options.enrollments)
    _print("the same again", again, options.enrollments)


def _ways(here: Path, *, dlt: bool) -> dict[str, list[list[str]]]:
    storage = {"encoding": {"format": "parquet"}, "storage": {"root": f"file://{here}/batches"}}
    ways = {
        "tap and target, records": _pipe(here, "records"),
        _OURS: _pipe(here, "batch", batch_config=storage),
    }
    if dlt and (python := _dlt(here)):
        (here / "load.py").write_text(DLT)
        for way in ("replace", "merge"):
            command = [str(python), str(here / "load.py"), str(here / "bundle"), str(here / f"dlt-{way}.duckdb"), way]
            ways[f"dlt, Arrow, {way}"] = [command]
    (here / "bare.py").write_text(BARE)
    ways["bare DuckDB"] = [[sys.executable, str(here / "bare.py"), str(here / "bundle"), str(here / "bare.duckdb")]]
    return ways


def _print(title: str, figures: dict[str, list[Took]], records: int) -> None:
    print(f"| {title} | records/s (wall) | wall s | CPU s | peak MB |\n| --- | ---: | ---: | ---: | ---: |")
    for name, took in figures.items():
        wall, cpu = median(t.wall for t in took), median(t.cpu for t in took)
        peak = max(t.peak_mb for t in took)
        print(f"| {name} | {records / wall:,.0f} | {wall:.2f} | {cpu:.2f} | {peak:.0f} |")
    if _PEER in figures:
        pairs = list(zip(figures[_OURS], figures[_PEER], strict=True))
        faster = sum(ours.wall <= peer.wall for ours, peer in pairs)
        print(f"\nIn {faster} of {len(pairs)} runs, batches of Parquet took no longer than dlt's replace.")
    print()


def _pipe(here: Path, name: str, **tap: object) -> list[list[str]]:
    source = write_config(here, f"{name}-tap", mode="csv", csv_path=str(here / "bundle"), settle_seconds=0, **tap)
    sink = write_config(here, f"{name}-target", filepath=str(here / f"{name}.duckdb"))
    return [
        [program("tap-oneroster"), "--config", source],
        [program("target-oneroster-duckdb"), "--config", sink],
    ]


def _run(commands: Sequence[Sequence[str]]) -> Took:
    """Run a pipe of commands to its end."""
    wall, used = run_pipe(commands)
    return Took(wall, sum(one.cpu_seconds for one in used), max(one.peak_mb for one in used))


def _dlt(here: Path) -> Path | None:
    """Return the Python of an environment with dlt; print a line and return None if it cannot be installed."""
    python = here / "dlt" / "bin" / "python"
    for command in (
        ["venv", "--quiet", "--python", sys.executable, str(here / "dlt")],
        ["pip", "install", "--quiet", "--python", str(python), "dlt[duckdb,filesystem]", "pyarrow"],
    ):
        done = subprocess.run([program("uv"), *command], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"dlt is left out, it could not be installed: {done.stderr.strip()[-200:]}")
            return None
    return python


def _count(path: Path, expected: int) -> None:
    with duckdb.connect(str(path), read_only=True) as database:
        (rows,) = database.execute("SELECT count(*) FROM oneroster.enrollments").fetchall()[0]
    if rows != expected:
        raise SystemExit(f"{path.name}: {rows} rows of {expected}")


if __name__ == "__main__":
    main()
