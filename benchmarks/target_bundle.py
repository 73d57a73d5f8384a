"""Singer lines to a bundle: the target with all checks and receipts on, against a minimal SDK target with validation.

./run python -m benchmarks.target_bundle --enrollments 2000000
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from benchmarks._measure import measure, table

FILES = ("academicSessions", "orgs", "courses", "classes", "users", "roles", "enrollments")
_BASELINE_LINES = 200_000
_RECORD = b'{"type":"RECORD","stream":"enrollments"'


def main() -> None:
    """Make a district, bring it to Singer lines, write bundles of them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enrollments", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        write_bundle(District.of_size(options.enrollments), here / "source", version="1.2", only=FILES)
        sorted_lines = here / "sorted.jsonl"
        tap = [
            _program("tap-oneroster"),
            "--config",
            _config(here, "tap", mode="csv", csv_path=str(here / "source"), settle_seconds=0),
        ]
        with sorted_lines.open("wb") as out:
            subprocess.run(tap, stdout=out, stderr=subprocess.DEVNULL, check=True)
        with ProcessPoolExecutor(1) as other:  # a process that was large makes its children look large
            mixed, baseline, few, records = other.submit(_mix, sorted_lines).result()
        minimal = _config(here, "minimal", output_path=str(here / "minimal"))
        ours = [_program("target-oneroster-csv"), "--config"]
        command = [sys.executable, str(Path(__file__).with_name("target_minimal.py")), "--config", minimal]
        ways = [measure("minimal SDK target, validation on", few, command, runs=1, stdin=baseline)]
        for name, lines, output in (
            ("target-oneroster-csv, rows in order", sorted_lines, "a"),
            ("target-oneroster-csv, rows in any order", mixed, "b"),
            ("the same, to a zip", mixed, "c.zip"),
        ):
            config = _config(here, output, output_path=str(here / "out" / output))
            ways.append(measure(name, records, [*ours, config], runs=options.runs, stdin=lines))
        again = _config(here, "again", output_path=str(here / "out" / "a"))
        ways.append(
            measure(
                "in order, against the bundle it replaces",
                records,
                [*ours, again],
                runs=options.runs,
                stdin=sorted_lines,
            )
        )
    print(table(f"{records:,} records, {options.enrollments:,} of them enrollments", ways))


def _mix(lines: Path) -> tuple[Path, Path, int, int]:
    """The same run with its enrollments in any order, a short one for the baseline, and the records of both."""
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
    # Every n-th record of every stream, in its own order, so that both write the same kinds of rows.
    everything = [*head, *seats, *tail]
    records = sum(line.startswith(b'{"type":"RECORD"') for line in everything)
    step = max(1, records // _BASELINE_LINES)
    chosen = [line for n, line in enumerate(everything) if n % step == 0 and line.startswith(b'{"type":"RECORD"')]
    schemas = [line for line in everything if line.startswith(b'{"type":"SCHEMA"')]
    baseline.write_bytes(b"".join((*schemas, *chosen)))
    return mixed, baseline, len(chosen), records


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _config(folder: Path, name: str, **settings: object) -> str:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(settings))
    return str(path)


if __name__ == "__main__":
    main()
