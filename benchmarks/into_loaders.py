"""A bundle through the tap into loaders, by real pipes: records a second, and the CPU seconds of each side.

./run python -m benchmarks.into_loaders --rows 200000 target-jsonl target-csv target-duckdb target-postgres
./run meltano install ...                                 (before it, the loaders that are not there)
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from benchmarks._measure import ended, program
from tests.loaders.pipe import ROOT, defaults
from tests.loaders.postgres import Server
from tools.project import plugins

if TYPE_CHECKING:
    from collections.abc import Callable

LOADERS: dict[str, Callable[[str], dict[str, str]]] = {  # add one line for a new loader: its settings for the output
    "target-jsonl": lambda place: {"destination_path": place},
    "target-csv": lambda place: {"output_path": place},
    "target-duckdb": lambda place: {"filepath": f"{place}/x.duckdb"},
    "target-postgres": lambda _: {"sqlalchemy_url": _postgres()},
    "target-oneroster-duckdb": lambda place: {"filepath": f"{place}/x.duckdb"},
}
_servers: list[Server] = []


def main() -> None:
    """Make a district, load it with each loader, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("loaders", nargs="*", default=list(LOADERS), metavar="loader")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bundle = Path(scratch, "bundle")
        rows = write_bundle(District.of_size(options.rows), bundle, version="1.2", only=["enrollments"])["enrollments"]
        print(f"{rows:,} enrollments\n")
        print("| loader | records/s | wall s | CPU s of the tap | CPU s of the loader |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for name in options.loaders:
            wall, tap, loader = _load(name, bundle, Path(tempfile.mkdtemp(dir=scratch)))
            print(f"| {name} | {rows / wall:,.0f} | {wall:.1f} | {tap:.1f} | {loader:.1f} |", flush=True)
    for server in _servers:
        server.close()


def _load(name: str, bundle: Path, folder: Path) -> tuple[float, float, float]:
    """Return wall seconds, and CPU seconds of both sides. The work of a server is in the wall seconds only."""
    place = folder / "place"
    place.mkdir()
    tap = _config(folder / "tap.json", mode="csv", csv_path=str(bundle), settle_seconds=0)
    loader = _config(folder / "loader.json", **defaults(name), **LOADERS[name](str(place)))
    with (folder / "tap.log").open("w") as said, (folder / "loader.log").open("w") as log:
        begun = time.perf_counter()
        source = subprocess.Popen([program("tap-oneroster"), "--config", tap], stdout=subprocess.PIPE, stderr=said)
        sink = subprocess.Popen([_executable(name), "--config", loader], stdin=source.stdout, stdout=log, stderr=log)
        assert source.stdout
        source.stdout.close()
        tap_used, loader_used = ended(source).cpu_seconds, ended(sink).cpu_seconds
        wall = time.perf_counter() - begun
    if source.returncode or sink.returncode:
        print((folder / "tap.log").read_text()[-500:], (folder / "loader.log").read_text()[-1500:], file=sys.stderr)
        raise SystemExit(f"{name}: the tap ended with {source.returncode}, the loader with {sink.returncode}")
    return wall, tap_used, loader_used


def _executable(name: str) -> str:
    executable = plugins("loaders")[name]["executable"]
    return str(ROOT / ".meltano" / "loaders" / name / "venv" / "bin" / executable)


def _postgres() -> str:
    """Return the address of a new database on a server that this run starts."""
    if not _servers:
        _servers.append(Server())
    return _servers[0].database().url.replace("postgresql://", "postgresql+psycopg://")


def _config(path: Path, **settings: Any) -> str:
    path.write_text(json.dumps(settings))
    return str(path)


if __name__ == "__main__":
    main()
