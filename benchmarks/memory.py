"""Peak memory of the tap and of both targets, at growing sizes of a district: does it grow with them?

./run python -m benchmarks.memory --enrollments 500000 8000000
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from benchmarks._measure import program, run_pipe, write_config
from benchmarks.target_bundle import FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

_TARGETS = ("target-oneroster-csv", "target-oneroster-duckdb")


def main() -> None:
    """Write a district of each size, send it through each pipe, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--enrollments", type=int, nargs="+", default=[100_000, 200_000])
    options = parser.parse_args()
    peaks: dict[str, list[float]] = {}
    sizes = []
    for enrollments in options.enrollments:
        with tempfile.TemporaryDirectory() as scratch:
            here = Path(scratch)
            rows = write_bundle(District.of_size(enrollments), here / "bundle", version="1.2", only=FILES)
            sizes.append(f"{enrollments:,} ({sum(rows.values()):,})")
            for name, peak in _peaks(here):
                peaks.setdefault(name, []).append(peak)
    print("peak MB, by enrollments (and all records)\n")
    print(f"| process | {' | '.join(sizes)} |\n| --- |{' ---: |' * len(sizes)}")
    for name, found in peaks.items():
        print(f"| {name} | {' | '.join(f'{peak:.0f}' for peak in found)} |")


def _peaks(here: Path) -> Iterator[tuple[str, float]]:
    """Yield the name and the peak of each process; a tap's peak is the larger of its two runs."""
    tap: dict[str, object] = {"mode": "csv", "csv_path": str(here / "bundle"), "settle_seconds": 0}
    batches = {"batch_config": {"encoding": {"format": "parquet"}, "storage": {"root": str(here / "files")}}}
    for way, more in (("records", {}), ("Parquet", batches)):
        taps = []
        for target in _TARGETS:
            into = (
                {"output_path": str(here / "out")} if target.endswith("csv") else {"filepath": str(here / "w.duckdb")}
            )
            commands = [[program("tap-oneroster"), "--config", write_config(here, "tap", **tap, **more)]]
            commands.append([program(target), "--config", write_config(here, "target", **into)])
            _, (source, sink) = run_pipe(commands)
            taps.append(source.peak_mb)
            yield f"{target}, {way}", sink.peak_mb
            for made in (here / "out", here / "files"):
                shutil.rmtree(made, ignore_errors=True)
            (here / "w.duckdb").unlink(missing_ok=True)
        yield f"tap-oneroster, {way}", max(taps)


if __name__ == "__main__":
    main()
