"""A 1.1 bundle to a 1.2 bundle through `tap-oneroster | target-oneroster-csv`, all checks and receipts on.

./run python -m benchmarks.bundle_to_bundle --enrollments 1000000

Two processes share the work: on two idle cores the pipe takes as long as the slower of them, so its CPU seconds are
shown beside the wall time. The target checks, sorts and writes when the tap has ended, so the two cannot overlap all the way.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

FILES = ("academicSessions", "orgs", "courses", "classes", "users", "enrollments")
_FAIR = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}


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
        (here / "target.json").write_text(
            json.dumps({"output_path": str(here / "out" / "1.2"), "oneroster_version": "1.2"})
        )
        ways: dict[str, dict[str, object]] = {
            "records between": {},
            "Parquet between": {
                "batch_config": {"encoding": {"format": "parquet"}, "storage": {"root": str(here / "files")}}
            },
        }
        figures: dict[str, list[tuple[float, float, float, float]]] = {way: [] for way in ways}
        for _ in range(options.runs):
            for way, more in ways.items():
                (here / "tap.json").write_text(json.dumps(tap | more))
                figures[way].append(_once(here))
        records = sum(rows.values()) + _roles(here / "out" / "1.2")
    print(
        f"{records:,} records ({options.enrollments:,} enrollments; roles made from users among them), 1.1 to 1.2\n\n"
        "| way | records/s | wall s | CPU s, tap | CPU s, target | peak MB, target |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |"
    )
    for way, took in figures.items():
        wall, tap_cpu, target_cpu = (median(column) for column in list(zip(*took, strict=True))[:3])
        peak = max(figure[3] for figure in took)
        print(f"| {way} | {records / wall:,.0f} | {wall:.1f} | {tap_cpu:.1f} | {target_cpu:.1f} | {peak:.0f} |")


def _once(here: Path) -> tuple[float, float, float, float]:
    """Return wall seconds, CPU seconds of tap and target, and the target's peak."""
    started = time.perf_counter()
    tap = subprocess.Popen(
        [_program("tap-oneroster"), "--config", str(here / "tap.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_FAIR,
    )
    target = subprocess.Popen(
        [_program("target-oneroster-csv"), "--config", str(here / "target.json")],
        stdin=tap.stdout,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_FAIR,
    )
    assert tap.stdout is not None
    tap.stdout.close()
    usages = []
    for process in (tap, target):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{process.args!r} ended with {process.returncode}")
        usages.append(usage)
    wall = time.perf_counter() - started
    cpu = [usage.ru_utime + usage.ru_stime for usage in usages]
    return wall, cpu[0], cpu[1], usages[1].ru_maxrss / 1024


def _roles(bundle: Path) -> int:
    with (bundle / "roles.csv").open("rb") as text:
        return sum(1 for _ in text) - 1


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


if __name__ == "__main__":
    main()
