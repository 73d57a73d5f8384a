"""Singer lines to a bundle, all checks and receipts on, against MeltanoLabs target-csv and a minimal SDK target.

./run meltano install target-csv     # the baseline; without it, it is left out
./run python -m benchmarks.target_bundle --enrollments 2000000

Both baselines take a share of the records, the same kinds of rows: at some 15,000 records a second the whole would take
minutes, and target-csv keeps all of them in memory. Ratios are of records for each second of CPU.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from benchmarks._measure import Measured, measure, program, table, write_config

FILES = ("academicSessions", "orgs", "courses", "classes", "users", "roles", "enrollments")
_BASELINE_LINES = 200_000
_RECORD = b'{"type":"RECORD","stream":"enrollments"'
TARGET_CSV = Path(__file__).parents[1] / ".meltano" / "loaders" / "target-csv" / "venv" / "bin" / "target-csv"


def main() -> None:
    """Make a district, convert it to Singer lines, write bundles from them, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--enrollments", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peak", action="store_true", help="only the peak memory of one run, rows in any order")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        with ProcessPoolExecutor(1) as other:  # the peak of a child process includes its parent's memory at the start
            mixed, baseline, few, records = other.submit(_lines, here, options.enrollments).result()
        title = f"{records:,} records, {options.enrollments:,} of them enrollments; baselines take {few:,}"
        ours = [program("target-oneroster-csv"), "--config"]
        if options.peak:
            config = write_config(here, "a", output_path=str(here / "out" / "a"))
            print(table(title, [measure("rows in any order", records, [*ours, config], runs=1, stdin=mixed)]))
            return
        ways = _baselines(here, baseline, few)
        for name, lines, output in (
            ("target-oneroster-csv, rows in order", here / "sorted.jsonl", "a"),
            ("target-oneroster-csv, rows in any order", mixed, "b"),
            ("the same, to a zip", mixed, "c.zip"),
            ("in order, against the bundle it replaces", here / "sorted.jsonl", "a"),
        ):
            config = write_config(here, output, output_path=str(here / "out" / output))
            ways.append(measure(name, records, [*ours, config], runs=options.runs, stdin=lines))
    print(table(title, ways))


def _baselines(here: Path, lines: Path, records: int) -> list[Measured]:
    """Measure MeltanoLabs target-csv with its defaults, if Meltano has installed it, and the simplest target."""
    ways = []
    if TARGET_CSV.exists():
        config = write_config(here, "target-csv", output_path=str(here / "target-csv"))
        (here / "target-csv").mkdir()
        ways.append(
            measure("MeltanoLabs target-csv", records, [str(TARGET_CSV), "--config", config], runs=1, stdin=lines)
        )
    else:
        print("target-csv is not installed and is left out: ./run meltano install target-csv", file=sys.stderr)
    minimal = write_config(here, "minimal", output_path=str(here / "minimal"))
    command = [sys.executable, str(Path(__file__).with_name("target_minimal.py")), "--config", minimal]
    return [*ways, measure("minimal SDK target, validation on", records, command, runs=1, stdin=lines)]


def _lines(here: Path, enrollments: int) -> tuple[Path, Path, int, int]:
    """Write a district as Singer lines with the tap; return the results of `_mix`."""
    write_bundle(District.of_size(enrollments), here / "source", version="1.2", only=FILES)
    config = write_config(here, "tap", mode="csv", csv_path=str(here / "source"), settle_seconds=0)
    with (here / "sorted.jsonl").open("wb") as out:
        command = [program("tap-oneroster"), "--config", config]
        subprocess.run(command, stdout=out, stderr=subprocess.DEVNULL, check=True)
    return _mix(here / "sorted.jsonl")


def _mix(lines: Path) -> tuple[Path, Path, int, int]:
    """Return the run with shuffled enrollments, a short one for the baseline, and the record counts of both."""
    head: list[bytes] = []
    seats: list[bytes] = []
    tail: list[bytes] = []
    with lines.open("rb") as source:
        for line in source:
            if line.startswith(_RECORD):
                seats.append(line)
            else:
                (tail if seats else head).append(line)
    random.Random(5).shuffle(seats)
    mixed, baseline = lines.with_name("mixed.jsonl"), lines.with_name("baseline.jsonl")
    with mixed.open("wb") as out:
        out.writelines((*head, *seats, *tail))
    # Every n-th record of every stream, in its order, so that both write the same kinds of rows.
    everything = [*head, *seats, *tail]
    records = sum(line.startswith(b'{"type":"RECORD"') for line in everything)
    step = max(1, records // _BASELINE_LINES)
    chosen = [line for n, line in enumerate(everything) if n % step == 0 and line.startswith(b'{"type":"RECORD"')]
    schemas = [line for line in everything if line.startswith(b'{"type":"SCHEMA"')]
    baseline.write_bytes(b"".join((*schemas, *chosen)))
    return mixed, baseline, len(chosen), records


if __name__ == "__main__":
    main()
