"""CSV bundle to Singer lines: the tap with receipts on, against a minimal SDK tap.

./run python -m benchmarks.csv_to_singer --rows 2000000
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from benchmarks._measure import measure, program, table, write_config


def main() -> None:
    """Make a district, read one file of it in both ways, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--stream", default="enrollments", choices=["enrollments", "users"])
    parser.add_argument(
        "--version", default="1.2", choices=["1.1", "1.2"], help="of the bundle; users of 1.1 also make roles"
    )
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder, archive = Path(scratch, "bundle"), Path(scratch, "bundle.zip")
        enrollments = options.rows if options.stream == "enrollments" else options.rows * 4
        district = District.of_size(enrollments)
        for path in (folder, archive):
            counts = write_bundle(district, path, version=options.version, mode="bulk", only=[options.stream])
        rows = counts[options.stream]
        here = Path(__file__).parent
        tap = [program("tap-oneroster"), "--config"]
        ways = [
            measure(
                "minimal SDK tap",
                rows,
                [
                    sys.executable,
                    str(here / "minimal_tap.py"),
                    "--config",
                    write_config(Path(scratch), "m", path=str(folder)),
                ],
                runs=options.runs,
            )
        ]
        commands = {}
        for name, path in (("folder", folder), ("zip", archive)):
            config = write_config(Path(scratch), name, mode="csv", csv_path=str(path), settle_seconds=0)
            commands[name] = [*tap, config]
            ways.append(measure(f"tap-oneroster, {name}", rows, commands[name], runs=options.runs))
        if (options.stream, options.version) == ("users", "1.1"):  # the minimal tap makes no roles either
            catalog = Path(scratch, "catalog.json")
            catalog.write_text(json.dumps(_without_roles(commands["folder"])), encoding="utf-8")
            command = [*commands["folder"], "--catalog", str(catalog)]
            ways.append(measure("tap-oneroster, folder, roles not selected", rows, command, runs=options.runs))
        config = write_config(
            Path(scratch),
            "maps",
            mode="csv",
            csv_path=str(folder),
            settle_seconds=0,
            stream_maps={options.stream: {"extra": "'x'"}},
        )
        ways.append(measure("tap-oneroster, folder, stream map", rows, [*tap, config], runs=1))
    print(table(f"{options.stream} of {options.version}, {rows:,} rows", ways))


def _without_roles(tap: list[str]) -> Any:
    """Return the tap's catalog in which the stream of roles is not selected."""
    found = subprocess.run([*tap, "--discover"], capture_output=True, check=True)
    catalog = json.loads(found.stdout)
    roles = next(stream for stream in catalog["streams"] if stream["stream"] == "roles")
    next(each for each in roles["metadata"] if not each["breadcrumb"])["metadata"]["selected"] = False
    return catalog


if __name__ == "__main__":
    main()
