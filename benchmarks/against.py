"""Each hot path against the same path of another checkout, in turns: does a change make anything slower?

git clone . /tmp/before && (cd /tmp/before && git checkout COMMIT && ./run setup)
./run python -m benchmarks.against /tmp/before
./run python -m benchmarks.against /tmp/before --only rest

A path that the other checkout does not have (Parquet into a bundle) is compared with its records.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from benchmarks import rest_pull
from benchmarks._measure import Measured, measure, program, write_config
from benchmarks.target_bundle import FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
    parser.add_argument("--only", choices=_GROUPS, help="run these paths only")
    options = parser.parse_args()
    groups = [_GROUPS[options.only]] if options.only else list(_GROUPS.values())
    other = options.checkout / ".venv" / "bin"
    print("| path | records | CPU s before | CPU s now | before : now | peak MB before | peak MB now |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as scratch:
        inputs = _Inputs(Path(scratch), options.enrollments)
        for way in (way for ways in groups for way in ways(inputs, other)):
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


class _Inputs:
    """Files that the paths read, each made when the first path needs it."""

    def __init__(self, here: Path, enrollments: int) -> None:
        self.here = here
        self.enrollments = enrollments
        self._district = District.of_size(enrollments)

    @cached_property
    def old_bundle(self) -> int:
        """Write the bundle of 1.1, and return how many records it has."""
        return self._written("1.1", "1.1", [n for n in FILES if n != "roles"])

    @cached_property
    def new_bundle(self) -> int:
        """Write the bundle of 1.2, and return how many records it has."""
        return self._written("1.2", "1.2", FILES)

    @cached_property
    def users(self) -> int:
        """Write the users of 1.1, and return how many there are."""
        return self._written("users", "1.1", ["users"])

    @cached_property
    def seats(self) -> int:
        """Write the enrollments of 1.2, and return how many there are."""
        return self._written("seats", "1.2", ["enrollments"])

    def _written(self, folder: str, version: str, names: Sequence[str]) -> int:
        return sum(write_bundle(self._district, self.here / folder, version=version, only=names).values())

    @property
    def batches(self) -> dict[str, Any]:
        """Settings of a tap that writes Parquet."""
        return {"encoding": {"format": "parquet"}, "storage": {"root": str(self.here / "files")}}


def _csv_to_singer(inputs: _Inputs, other: Path) -> Iterator[Way]:
    for name, rows, folder in (
        ("CSV to Singer, enrollments", inputs.seats, "seats"),
        ("CSV to Singer, 1.1 users (their roles not counted)", inputs.users, "users"),
        ("CSV to Singer, a whole 1.1 bundle", inputs.old_bundle, "1.1"),
    ):
        config = write_config(inputs.here, folder, **_csv(inputs.here / folder))
        yield _both(name, rows, other, "tap-oneroster", config)


def _into_a_bundle(inputs: _Inputs, other: Path) -> Iterator[Way]:
    here, records = inputs.here, inputs.new_bundle
    lines = _lines(here, "lines", **_csv(here / "1.2"))
    plain = write_config(here, "bundle", output_path=str(here / "out"))
    roomy = write_config(here, "roomy", output_path=str(here / "out"), engine_memory="400MB")
    yield _both("Singer to a bundle, records", records, other, "target-oneroster-csv", plain, lines)
    theirs = [str(other / "target-oneroster-csv"), "--config", plain]
    yield Way(
        "the same, engine_memory 400MB", records, [program("target-oneroster-csv"), "--config", roomy], theirs, lines
    )
    _lines(here, "batches", **_csv(here / "1.2"), batch_config=inputs.batches)
    shutil.move(here / "files", here / "kept")
    again = f"mkdir -p {here / 'files'} && cp {here / 'kept'}/* {here / 'files'} && {program('target-oneroster-csv')} --config {plain} < {here / 'batches'}"
    yield Way("the same, Parquet", records, ["bash", "-c", again], ["bash", "-c", f"{shlex.join(theirs)} < {lines}"])


def _bundle_to_bundle(inputs: _Inputs, other: Path) -> Iterator[Way]:
    here, records = inputs.here, inputs.old_bundle
    plain = write_config(here, "bundle", output_path=str(here / "out"))
    before = _pipe(other, write_config(here, "1.1", **_csv(here / "1.1")), plain)
    for name, more in (("records between", {}), ("Parquet between", {"batch_config": inputs.batches})):
        ours = _pipe(_HERE, write_config(here, f"from {name}", **_csv(here / "1.1"), **more), plain)
        yield Way(f"1.1 bundle to 1.2 bundle, {name}", records, ours, before)


def _into_duckdb(inputs: _Inputs, other: Path) -> Iterator[Way]:
    here, seats = inputs.here, inputs.seats
    warehouse = write_config(here, "warehouse", filepath=str(here / "new.duckdb"))
    for name, more in (("records", {}), ("Parquet", {"batch_config": inputs.batches})):
        tap = write_config(here, f"into {name}", **_csv(here / "seats"), **more)
        now, before = (
            _pipe(folder, tap, warehouse, "target-oneroster-duckdb", here / "new.duckdb") for folder in (_HERE, other)
        )
        yield Way(f"CSV into a new DuckDB file, {name}", seats, now, before)


def _rest(inputs: _Inputs, other: Path) -> Iterator[Way]:
    records = inputs.enrollments // 3
    with rest_pull.provider(records, 0.0) as connection:
        ours = rest_pull.ours(inputs.here, connection, "rest", page_size=1000, max_concurrency=1)
        yield Way("REST, 0 ms", records, ours, [str(other / Path(ours[0]).name), *ours[1:]])


_GROUPS: dict[str, Callable[[_Inputs, Path], Iterator[Way]]] = {
    "csv": _csv_to_singer,
    "bundle": _into_a_bundle,
    "bundle-to-bundle": _bundle_to_bundle,
    "duckdb": _into_duckdb,
    "rest": _rest,
}


def _both(name: str, records: int, other: Path, command: str, config: str, stdin: Path | None = None) -> Way:
    now, before = ([str(folder / command), "--config", config] for folder in (_HERE, other))
    return Way(name, records, now, before, stdin)


def _pipe(
    bin_: Path, tap: str, target: str, command: str = "target-oneroster-csv", new: Path | None = None
) -> list[str]:
    clear = f"rm -f {new}; " if new else ""
    pipe = f"{bin_ / 'tap-oneroster'} --config {shlex.quote(tap)} | {bin_ / command} --config {target}"
    return ["bash", "-o", "pipefail", "-c", clear + pipe]


def _csv(folder: Path) -> dict[str, Any]:
    return {"mode": "csv", "csv_path": str(folder), "settle_seconds": 0}


def _lines(here: Path, name: str, **settings: Any) -> Path:
    """Return a file of what our tap writes with these settings."""
    with (here / name).open("wb") as out:
        command = [program("tap-oneroster"), "--config", write_config(here, f"{name} of", **settings)]
        subprocess.run(command, stdout=out, stderr=subprocess.DEVNULL, check=True, env=dict(os.environ))
    return here / name


if __name__ == "__main__":
    main()
