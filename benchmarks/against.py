"""Each hot path against the same path of another checkout, in turns: does a change make anything slower?

git clone . /tmp/before && (cd /tmp/before && git checkout COMMIT && ./run setup)
./run python -m benchmarks.against /tmp/before

A path that the other checkout does not have (Parquet into a bundle) is compared with its records.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from benchmarks import rest_pull
from benchmarks._measure import Measured, measure
from benchmarks.target_bundle import FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = Path(sys.executable).parent


class Way(NamedTuple):
    """One path: its name, how many records it takes, and the command in this checkout and in the other."""

    name: str
    records: int
    ours: list[str]
    theirs: list[str]
    stdin: Path | None = None


def main() -> None:
    """Make the inputs, run each path in turns in both checkouts, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, help="another checkout, set up with ./run setup")
    parser.add_argument("--enrollments", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--paths", default="", help="only the paths whose name contains this text")
    options = parser.parse_args()
    other = options.checkout / ".venv" / "bin"
    print("| path | records | CPU s before | CPU s now | before : now | peak MB before | peak MB now |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as scratch:
        for way in _ways(Path(scratch), other, options.enrollments):
            if options.paths not in way.name:
                continue
            before: list[Measured] = []
            now: list[Measured] = []
            for _ in range(options.runs):
                for figures, command in ((before, way.theirs), (now, way.ours)):
                    figures.append(measure(way.name, way.records, command, runs=1, stdin=way.stdin))
            one, two = (median(m.cpu_seconds for m in figures) for figures in (before, now))
            peaks = [max(m.peak_mb for m in figures) for figures in (before, now)]
            print(
                f"| {way.name} | {way.records:,} | {one:.2f} | {two:.2f} | {one / two:.2f} | {peaks[0]:.0f} | {peaks[1]:.0f} |",
                flush=True,
            )


def _ways(here: Path, other: Path, enrollments: int) -> Iterator[Way]:
    district = District.of_size(enrollments)
    one = write_bundle(district, here / "1.1", version="1.1", only=[n for n in FILES if n != "roles"])
    two = write_bundle(district, here / "1.2", version="1.2", only=FILES)
    users = write_bundle(district, here / "users", version="1.1", only=["users"])["users"]
    seats = write_bundle(district, here / "seats", version="1.2", only=["enrollments"])["enrollments"]
    for name, rows, folder in (
        ("CSV to Singer, enrollments", seats, "seats"),
        ("CSV to Singer, 1.1 users (their roles not counted)", users, "users"),
        ("CSV to Singer, a whole 1.1 bundle", sum(one.values()), "1.1"),
    ):
        yield _both(name, rows, other, "tap-oneroster", _config(here, folder, **_csv(here / folder)))

    lines = _lines(here, "lines", **_csv(here / "1.2"))
    records = sum(two.values())
    plain = _config(here, "bundle", output_path=str(here / "out"))
    roomy = _config(here, "roomy", output_path=str(here / "out"), engine_memory="400MB")
    yield _both("Singer to a bundle, records", records, other, "target-oneroster-csv", plain, lines)
    theirs = [str(other / "target-oneroster-csv"), "--config", plain]
    yield Way(
        "the same, engine_memory 400MB", records, [_ours("target-oneroster-csv"), "--config", roomy], theirs, lines
    )

    batches = {"encoding": {"format": "parquet"}, "storage": {"root": str(here / "files")}}
    _lines(here, "batches", **_csv(here / "1.2"), batch_config=batches)
    shutil.move(here / "files", here / "kept")
    again = f"mkdir -p {here / 'files'} && cp {here / 'kept'}/* {here / 'files'} && {_ours('target-oneroster-csv')} --config {plain} < {here / 'batches'}"
    yield Way("the same, Parquet", records, ["bash", "-c", again], ["bash", "-c", f"{shlex.join(theirs)} < {lines}"])

    for name, more in (("records between", {}), ("Parquet between", {"batch_config": batches})):
        ours = _pipe(_HERE, _config(here, "from", **_csv(here / "1.1"), **more), plain)
        yield Way(
            f"1.1 bundle to 1.2 bundle, {name}", sum(one.values()), ours, _pipe(other, str(here / "1.1.json"), plain)
        )

    warehouse = _config(here, "warehouse", filepath=str(here / "new.duckdb"))
    for name, more in (("records", {}), ("Parquet", {"batch_config": batches})):
        tap = _config(here, f"into {name}", **_csv(here / "seats"), **more)
        now, before = (
            _pipe(folder, tap, warehouse, "target-oneroster-duckdb", here / "new.duckdb") for folder in (_HERE, other)
        )
        yield Way(f"CSV into a new DuckDB file, {name}", seats, now, before)

    with rest_pull.provider(enrollments // 3, 0.0) as connection:
        ours = rest_pull.ours(here, connection, "rest", page_size=1000, max_concurrency=1)
        yield Way("REST, 0 ms", enrollments // 3, ours, [str(other / Path(ours[0]).name), *ours[1:]])


def _both(name: str, records: int, other: Path, command: str, config: str, stdin: Path | None = None) -> Way:
    now, before = ([str(folder / command), "--config", config] for folder in (_HERE, other))
    return Way(name, records, now, before, stdin)


def _pipe(
    bin_: Path, tap: str, target: str, command: str = "target-oneroster-csv", new: Path | None = None
) -> list[str]:
    clear = f"rm -f {new}; " if new else ""
    pipe = f"{bin_ / 'tap-oneroster'} --config {shlex.quote(tap)} | {bin_ / command} --config {target}"
    return ["bash", "-o", "pipefail", "-c", clear + pipe]


def _ours(command: str) -> str:
    return str(_HERE / command)


def _csv(folder: Path) -> dict[str, Any]:
    return {"mode": "csv", "csv_path": str(folder), "settle_seconds": 0}


def _lines(here: Path, name: str, **settings: Any) -> Path:
    """Return a file of what our tap writes with these settings."""
    with (here / name).open("wb") as out:
        command = [_ours("tap-oneroster"), "--config", _config(here, f"{name} of", **settings)]
        subprocess.run(command, stdout=out, stderr=subprocess.DEVNULL, check=True, env=dict(os.environ))
    return here / name


def _config(folder: Path, name: str, **settings: Any) -> str:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return str(path)


if __name__ == "__main__":
    main()
