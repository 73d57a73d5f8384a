"""Records as lines, as files of JSON lines and as Parquet: the tap alone, and with a loader behind it.

./run python -m benchmarks.batch --rows 2000000
./run python -m benchmarks.batch --rows 100000 --postgres     (after ./run meltano install target-postgres)
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from benchmarks._measure import Measured, measure, program, table

if TYPE_CHECKING:
    from collections.abc import Iterator

LOADER = Path(__file__).parents[1] / ".meltano/loaders/target-postgres/venv/bin/target-postgres"


def main() -> None:
    """Make a district, read one file of it in each way, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--stream", default="enrollments", choices=["enrollments", "users"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--postgres", action="store_true", help="into target-postgres and a PostgreSQL of its own")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        enrollments = options.rows if options.stream == "enrollments" else options.rows * 4
        made = write_bundle(District.of_size(enrollments), folder / "bundle", version="1.2", only=[options.stream])
        rows = made[options.stream]
        ways = _postgres(folder, rows, options.runs) if options.postgres else _tap(folder, rows, options.runs)
        print(table(f"{options.stream}, {rows:,} rows", list(ways)))


def _tap(folder: Path, rows: int, runs: int) -> Iterator[Measured]:
    for name, batch in (
        ("records", None),
        ("jsonl, gzip", {"format": "jsonl"}),
        ("jsonl, not compressed", {"format": "jsonl", "compression": "none"}),
        ("parquet, zstd", {"format": "parquet", "compression": "zstd"}),
        ("parquet, snappy", {"format": "parquet"}),
    ):
        yield measure(name, rows, [program("tap-oneroster"), "--config", _config(folder, batch)], runs=runs)
        files = list((folder / "files").glob("*"))
        size = sum(file.stat().st_size for file in files) / runs / 2**20
        print(f"{name}: {len(files) // runs} files, {size:.1f} MB", file=sys.stderr)
        shutil.rmtree(folder / "files", ignore_errors=True)


def _postgres(folder: Path, rows: int, runs: int) -> Iterator[Measured]:
    """Measure tap, loader and pipe; the CPU of the server, which is the same in all cases, is only in the wall time."""
    from tests.loaders.pipe import defaults
    from tests.loaders.postgres import Server

    server = Server()
    with closing(server):
        for name, batch, size in (
            ("records", None, 0),
            ("jsonl, 10,000 rows a file", {"format": "jsonl"}, 10_000),
            ("jsonl, 100,000 rows a file", {"format": "jsonl"}, 100_000),
        ):
            url = server.database().url.replace("postgresql://", "postgresql+psycopg://")
            loader = folder / "loader.json"
            where = {"sqlalchemy_url": url, "default_target_schema": "oneroster"}
            loader.write_text(json.dumps({**defaults("target-postgres"), **where}), encoding="utf-8")
            tap = shlex.join([program("tap-oneroster"), "--config", _config(folder, batch, size)])
            command = f"{tap} | {shlex.join([str(LOADER), '--config', str(loader)])}"
            yield measure(name, rows, ["bash", "-o", "pipefail", "-c", command], runs=runs)


def _config(folder: Path, encoding: dict[str, Any] | None, size: int = 0) -> str:
    settings: dict[str, Any] = {"mode": "csv", "csv_path": str(folder / "bundle"), "settle_seconds": 0}
    if encoding:
        settings["batch_config"] = {"encoding": encoding, "storage": {"root": str(folder / "files")}}
        if size:
            settings["batch_config"]["batch_size"] = size
    path = folder / "tap.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return str(path)


if __name__ == "__main__":
    main()
