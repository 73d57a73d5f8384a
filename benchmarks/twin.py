"""What a keyed twin costs: the tap with a policy against the tap without one, and against the stock mapper.

./run python -m benchmarks.twin --rows 1000000
./run python -m benchmarks.twin --rows 200000 --mapper PATH    meltano-map-transform, installed in an environment of its own
"""

from __future__ import annotations

import argparse
import base64
import json
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from oneroster_core.twin.keys import consumer_key, key_check
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from benchmarks._measure import Measured, measure, program, table, write_config

if TYPE_CHECKING:
    from collections.abc import Sequence

_MASTER = bytes(range(32))
_POLICY = """version: 1
consumer: benchmark
key_check: {check}
elements:
  {elements}
"""
_ELEMENTS = {
    "enrollments": "enrollments: '*'",
    "users": "users: ['*', givenName, familyName, username, email, identifier]",
}
_HASHED = ("sourcedId", "classSourcedId", "schoolSourcedId", "userSourcedId")
_COLUMNS = {"enrollments": _HASHED, "users": ("sourcedId", "identifier", "username", "email")}


def main() -> None:
    """Make a district, read one file of it in each way, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--stream", default="enrollments", choices=[*_ELEMENTS])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--mapper", help="the command meltano-map-transformer")
    options = parser.parse_args()
    stream = options.stream
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "bundle")
        district = District.of_size(options.rows if stream == "enrollments" else options.rows * 4)
        rows = write_bundle(district, folder, version="1.2", mode="bulk", only=[stream])[stream]
        policy = Path(scratch, "policy.yml")
        check = key_check(consumer_key(_MASTER, "benchmark", 1))
        policy.write_text(_POLICY.format(check=check, elements=_ELEMENTS[stream]))
        key = base64.b64encode(_MASTER).decode()
        tap = [program("tap-oneroster"), "--config"]
        plain: dict[str, object] = {"mode": "csv", "settle_seconds": 0}
        clear = write_config(Path(scratch), "clear", **plain, csv_path=str(folder))
        keyed = write_config(Path(scratch), "keyed", **plain, csv_path=str(folder), twin=str(policy), twin_key=key)
        ways = [
            measure("tap-oneroster", rows, [*tap, clear], runs=options.runs),
            measure("tap-oneroster, keyed twin", rows, [*tap, keyed], runs=options.runs),
        ]
        if options.mapper:
            ways.append(_mapper(options.mapper, Path(scratch), stream, rows, [*tap, clear]))
    print(table(f"{stream}, {rows:,} rows", ways))
    print(f"\nMore memory: {ways[1].peak_mb - ways[0].peak_mb:.0f} MB")


def _mapper(command: str, scratch: Path, stream: str, rows: int, tap: Sequence[str]) -> Measured:
    """Return the cost of the tap and the stock mapper in a pipe, which hashes four columns of the records by sha256."""
    maps = {name: f"sha256({name}) if {name} else None" for name in _COLUMNS[stream]}
    config = scratch / "mapper.json"
    config.write_text(json.dumps({"stream_maps": {stream: maps}}))
    lines = scratch / "lines.jsonl"
    with lines.open("wb") as out:
        subprocess.run(tap, stdout=out, stderr=subprocess.DEVNULL, check=True)
    mapped = measure("mapper", rows, [*shlex.split(command), "--config", str(config)], runs=1, stdin=lines)
    clear = measure("tap", rows, tap, runs=1)
    cpu, wall = mapped.cpu_seconds + clear.cpu_seconds, max(mapped.wall_seconds, clear.wall_seconds)
    return Measured("tap-oneroster | meltano-map-transformer", rows, cpu, wall, mapped.peak_mb + clear.peak_mb)


if __name__ == "__main__":
    main()
