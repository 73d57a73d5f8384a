"""REST to Singer lines: the tap with receipts on, against a plain SDK RESTStream.

Run it with ``./run python -m benchmarks.rest_pull``; ``--records`` makes it shorter, ``--memory``
adds the run of a million records whose peak memory counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._measure import Measured, measure, table

if TYPE_CHECKING:
    from collections.abc import Iterator

_BASELINE = "plain SDK RESTStream"


@contextmanager
def provider(records: int, latency: float) -> Iterator[dict[str, Any]]:
    """Start a provider in its own process and warm it up; yield the settings to connect to it."""
    command = [sys.executable, "-u", "-m", "oneroster_sample", "serve", "--port", "0", "--no-gradebook"]
    command += ["--enrollments", str(records), "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        sheet: dict[str, str] = {}
        try:
            # Compile modules once, as in an installed package, so that compilation is not measured.
            os.environ["PYTHONDONTWRITEBYTECODE"] = ""
            while "client secret" not in sheet:
                line = (process.stdout.readline() if process.stdout else "").rstrip()
                if process.poll() is not None:
                    raise SystemExit("the provider did not start")
                key, _, value = line.rpartition("  ")
                sheet[key.strip()] = value.strip()
            yield {
                "base_url": sheet["base URL"],
                "token_url": sheet["token URL"],
                "client_id": sheet["client id"],
                "client_secret": sheet["client secret"],
            }
        finally:
            process.terminate()


def ours(folder: Path, connection: dict[str, Any], name: str, **settings: Any) -> list[str]:
    """Return a command that reads enrollments with the tap."""
    config, catalog = folder / f"{name}.json", folder / "catalog.json"
    config.write_text(json.dumps({"mode": "rest", "oneroster_version": "1.2", **connection, **settings}))
    command = [sys.executable, "-m", "tap_oneroster", "--config", str(config)]
    if not catalog.exists():
        found = json.loads(subprocess.run([*command, "--discover"], capture_output=True, check=True).stdout)
        for stream in found["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = stream["stream"] == "enrollments"
        catalog.write_text(json.dumps(found))
    return [*command, "--catalog", str(catalog)]


def plain(folder: Path, connection: dict[str, Any], **settings: Any) -> list[str]:
    """Return a command that reads enrollments with the baseline."""
    config = folder / "plain.json"
    config.write_text(json.dumps({**connection, **settings}))
    return [sys.executable, "-m", "benchmarks.rest_minimal_tap", "--config", str(config)]


def compare(records: int, latency: float, flights: tuple[int, ...], runs: int) -> list[Measured]:
    """Return the results of the baseline, and of the tap with these numbers of pages in flight."""
    with provider(records, latency) as connection, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        warm = ours(folder, connection, "warm", page_size=1000, max_concurrency=4)
        subprocess.run(warm, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        rows = [measure(_BASELINE, records, plain(folder, connection, page_size=1000), runs=runs)]
        for flight in flights:
            command = ours(folder, connection, f"f{flight}", page_size=1000, max_concurrency=flight)
            rows.append(measure(f"tap-oneroster, {flight} in flight", records, command, runs=runs))
    return rows


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=200_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--memory", action="store_true")
    chosen = options.parse_args()
    for latency, flights in ((0.0, (1, 8)), (0.04, (1, 8)), (0.2, (16,))):
        rows = compare(chosen.records, latency, flights, chosen.runs if not latency else 1)
        print(table(f"{chosen.records:,} enrollments, pages of 1,000, {latency * 1000:.0f} ms a request", rows))
        times = [f"{row.name}: {rows[0].wall_seconds / row.wall_seconds:.1f} times as fast" for row in rows[1:]]
        print(f"\nBy the clock, against the {_BASELINE}: {'; '.join(times)}.", end="")
        if len(rows) > 2:
            print(f" Against one in flight: {rows[1].wall_seconds / rows[2].wall_seconds:.1f} times.", end="")
        print("\n")
    if chosen.memory:
        with provider(1_000_000, 0.0) as connection, tempfile.TemporaryDirectory() as scratch:
            command = ours(Path(scratch), connection, "big", page_size=5000, max_concurrency=8)
            rows = [measure("tap-oneroster, 8 in flight, pages of 5,000", 1_000_000, command, runs=2)]
            print(table("1,000,000 enrollments", rows))


if __name__ == "__main__":
    main()
