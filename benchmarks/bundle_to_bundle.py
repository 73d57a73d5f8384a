"""A 1.1 bundle to a 1.2 bundle through `tap-oneroster | target-oneroster-csv`, all checks and receipts on.

./run meltano install target-csv     # for the other pair; without it, it is left out
./run python -m benchmarks.bundle_to_bundle --enrollments 1000000

The other pair is the simplest tap on the SDK and MeltanoLabs target-csv, which check and convert nothing; it takes a
smaller district. Two processes share the work: on two idle cores the pipe takes as long as the slower of them, so their
CPU seconds are shown beside the wall time. The target checks, sorts and writes when the tap has ended, so the two cannot
overlap all the way.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from benchmarks._measure import program, run_pipe, write_config
from benchmarks.target_bundle import TARGET_CSV

if TYPE_CHECKING:
    from collections.abc import Sequence

FILES = ("academicSessions", "orgs", "courses", "classes", "users", "enrollments")
_PEER_ENROLLMENTS = 100_000


class _Took(NamedTuple):
    """What one run of a way took."""

    wall: float
    tap_cpu: float
    target_cpu: float
    target_peak: float


def main() -> None:
    """Write a district as 1.1, convert it to 1.2 several times, and print the cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--enrollments", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        rows = write_bundle(District.of_size(options.enrollments), here / "1.1", version="1.1", only=FILES)
        tap: dict[str, object] = {"mode": "csv", "csv_path": str(here / "1.1"), "settle_seconds": 0}
        files = {"batch_config": {"encoding": {"format": "parquet"}, "storage": {"root": str(here / "files")}}}
        target = write_config(here, "target", output_path=str(here / "out" / "1.2"), oneroster_version="1.2")
        ways = {
            way: [
                [program("tap-oneroster"), "--config", config],
                [program("target-oneroster-csv"), "--config", target],
            ]
            for way, config in (
                ("records between", write_config(here, "records", **tap)),
                ("Parquet between", write_config(here, "Parquet", **tap, **files)),
            )
        }
        figures: dict[str, list[_Took]] = {way: [] for way in ways}
        for _ in range(options.runs):
            for way, commands in ways.items():
                figures[way].append(_once(commands))
        records = dict.fromkeys(ways, sum(rows.values()) + _roles(here / "out" / "1.2"))
        if TARGET_CSV.exists():
            peer = "minimal SDK tap, MeltanoLabs target-csv"
            records[peer], commands = _peer(here)
            figures[peer] = [_once(commands)]
        else:
            print("target-csv is not installed and is left out: ./run meltano install target-csv", file=sys.stderr)
    count = records["records between"]
    print(
        f"{count:,} records ({options.enrollments:,} enrollments; roles made from users among them), 1.1 to 1.2\n\n"
        "| way | records/s | records/CPU s | wall s | CPU s, tap | CPU s, target | peak MB, target |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    for way, took in figures.items():
        wall, tap_cpu, target_cpu, _ = (median(column) for column in zip(*took, strict=True))
        print(
            f"| {way} | {records[way] / wall:,.0f} | {records[way] / (tap_cpu + target_cpu):,.0f} | {wall:.1f} | {tap_cpu:.1f} "
            f"| {target_cpu:.1f} | {max(one.target_peak for one in took):.0f} |"
        )
    if len(records) > len(ways):
        print(f"\nThe last line is of {records[peer]:,} records.")


def _peer(here: Path) -> tuple[int, list[list[str]]]:
    """Return the other pair's commands, and how many records it takes."""
    rows = write_bundle(District.of_size(_PEER_ENROLLMENTS), here / "less", version="1.1", only=FILES)
    (here / "csv").mkdir()
    tap = [sys.executable, str(Path(__file__).with_name("minimal_tap.py")), "--config"]
    target = write_config(here, "target-csv", output_path=str(here / "csv"))
    return sum(rows.values()), [
        [*tap, write_config(here, "minimal", path=str(here / "less"))],
        [str(TARGET_CSV), "--config", target],
    ]


def _once(commands: Sequence[Sequence[str]]) -> _Took:
    wall, (tap, target) = run_pipe(commands)
    return _Took(wall, tap.cpu_seconds, target.cpu_seconds, target.peak_mb)


def _roles(bundle: Path) -> int:
    with (bundle / "roles.csv").open("rb") as text:
        return sum(1 for _ in text) - 1


if __name__ == "__main__":
    main()
