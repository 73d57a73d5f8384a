"""Measures a fleet: commands on a file of a thousand districts, many real districts, and a night of Airflow.

    python -m benchmarks.fleet file [N]       check, list and what `run` adds, with N districts (default: 1,000)
    python -m benchmarks.fleet pipes [N]      N real districts with 8 jobs, beside the same pipes under xargs (default: 100)
    python -m benchmarks.fleet airflow [N]    N districts with no-op pipes in Airflow, 16 slots (default: 1,000)

The last one needs ./run test-airflow before; LIMIT=SECONDS ends it earlier, and says how many runs were over. Each prints a table.
"""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oneroster_sample.fleet import SampleFleet

if TYPE_CHECKING:
    from collections.abc import Mapping

BIN = Path(sys.executable).parent
FLEET = str(BIN / "oneroster-fleet")
JOBS, SLOTS = 8, 16


def measured(command: list[str], environment: Mapping[str, str], **options: Any) -> tuple[float, float, str]:
    """Run a command; return its seconds of wall clock and of CPU (with its children), and what it printed."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode not in (0, 1):
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    return time.monotonic() - begun, cpu, done.stdout


def noop_file(count: int) -> str:
    """Return a fleet file of districts whose pipes do nothing."""
    lines = ["version: 1", "state: env:FLEET_STATE", "defaults:", "  time_zone: America/Chicago"]
    lines += ["  tap: {name: tap-noop}", "  loader: {name: target-noop, filepath: 'out/{district}'}"]
    lines += ["providers:", f"  vendor: {{concurrent: {SLOTS}}}", "districts:"]
    lines += [f"- {{id: d{n:04}, name: District {n}, provider: vendor}}" for n in range(1, count + 1)]
    return "\n".join(lines) + "\n"


def with_file(folder: Path, count: int) -> dict[str, Any]:
    """Measure commands that read the whole file."""
    text = SampleFleet.text_of(count)
    (folder / "fleet.yml").write_text(text, encoding="utf-8")
    from tests.support.airflow import noop_plugins

    environment = {**os.environ, "FLEET_STATE": f"file://{folder}/states", "PATH": noop_plugins(folder / "bin")}
    measured([FLEET, "check"], environment, cwd=folder)  # keeps what the plugins say
    check = measured([FLEET, "check"], environment, cwd=folder)
    listed = measured([FLEET, "list"], environment, cwd=folder)
    (folder / "noop.yml").write_text(noop_file(count), encoding="utf-8")
    run = [FLEET, "run", "--file", "noop.yml", "d0001"]
    measured(run, environment, cwd=folder)
    one = measured(run, environment, cwd=folder)
    bare = measured(["sh", "-c", "tap-noop | target-noop"], environment, cwd=folder)
    return {
        "districts": count,
        "`check`, s": round(check[0], 2),
        "`list`, s": round(listed[0], 2),
        "`run ONE` over the bare pipe, s": round(one[0] - bare[0], 2),
        "`run ONE` over the bare pipe, CPU s": round(one[1] - bare[1], 2),
    }


def with_pipes(folder: Path, count: int) -> dict[str, Any]:
    """Measure real districts, and the same pipes without the fleet."""
    with SampleFleet(count) as fleet:
        fleet.write(folder, concurrent=JOBS)
        environment = {**os.environ, **fleet.secrets(), "FLEET_STATE": f"file://{folder}/states"}
        lines = []
        for id_, its in fleet.providers.items():
            tap = {"BASE_URL": its.base_url, "TOKEN_URL": its.token_url, "CLIENT_ID": its.client_id}
            tap |= {"CLIENT_SECRET": its.client_secret, "TENANT": id_, "TENANT_ISOLATED": "true"}
            words = " ".join(f"TAP_ONEROSTER_{name}={shlex.quote(value)}" for name, value in tap.items())
            target = f"TARGET_ONEROSTER_DUCKDB_FILEPATH=bare-{id_}.duckdb TARGET_ONEROSTER_DUCKDB_REQUIRE_RECEIPTS=true"
            lines.append(f"{words} tap-oneroster --config=ENV | {target} target-oneroster-duckdb --config=ENV")
        (folder / "pipes").write_text("\0".join(lines), encoding="utf-8")
        xargs = ["sh", "-c", f"xargs -0 -P{JOBS} -n1 sh -c <pipes"]
        bare = measured(xargs, environment, cwd=folder)
        ours = measured([FLEET, "run", "--all", "--jobs", str(JOBS)], environment, cwd=folder)
    states = len(list((folder / "states").glob("d*/state.json")))
    return {
        "districts": count,
        "states afterwards": states,
        "the pipes under xargs, CPU s": round(bare[1], 1),
        "`run --all`, CPU s": round(ours[1], 1),
        "ratio": round(ours[1] / bare[1], 3),
        "added to a district, CPU s": round((ours[1] - bare[1]) / count, 3),
        "the pipes under xargs, s": round(bare[0], 1),
        "`run --all`, s": round(ours[0], 1),
    }


def memory_of(process: int) -> int:
    """Return the resident bytes of a process (Linux)."""
    return int((Path("/proc") / str(process) / "statm").read_text().split()[1]) * resource.getpagesize()


def with_airflow(folder: Path, count: int) -> dict[str, Any]:
    """Measure a night of no-op pipes in Airflow: LocalExecutor, PostgreSQL."""
    from tests.loaders.postgres import Server
    from tests.support.airflow import airflow_for, noop_plugins

    path = noop_plugins(folder / "bin")
    (folder / "fleet.yml").write_text(noop_file(count), encoding="utf-8")
    server = Server()
    variables = {"FLEET_STATE": f"file://{folder}/states", "PATH": path}
    airflow = airflow_for(folder, server.database().url, variables, slots=SLOTS, supervised=True)
    try:
        said = airflow.python(
            "import time; from airflow.dag_processing.dagbag import DagBag; t=time.process_time(); "
            f"b=DagBag({str(airflow.dags)!r}); "
            "print(len(b.dags), len(b.import_errors), time.process_time()-t)"
        ).split()
        airflow.start("api-server")
        begun = time.monotonic()
        airflow.start("dag-processor", "scheduler")
        airflow.until("all DAGs are known", lambda: len(airflow.dag_ids()) == count, 1800)
        known = time.monotonic() - begun
        peak = 0

        def is_over() -> bool:
            nonlocal peak
            peak = max(peak, memory_of(airflow.processes["scheduler"].pid))
            time.sleep(10)
            # A DAG that is new begins with the last time of its schedule, so each has one run without our doing.
            return time.monotonic() - begun > float(os.environ.get("LIMIT", "10800")) or airflow.are_over(count)

        airflow.until("all runs are over", is_over, 3 * 3600)
        finished = time.monotonic() - begun
        runs = airflow.runs()
    finally:
        airflow.stop()
        server.close()
    return {
        "districts, each a DAG with a run": count,
        "slots": SLOTS,
        "import errors": int(said[-2]),
        "CPU s of one parse of the DAG file": round(float(said[-1]), 1),
        "s until Airflow knew all DAGs": round(known),
        "s until all runs were over": round(finished),
        "runs that succeeded": sum(state == ["success"] for state in runs.values()),
        "runs that are not over": sum(not all(s in ("success", "failed") for s in its) for its in runs.values()),
        "MB of the scheduler at most": peak // 2**20,
        "parts of Airflow that ended by a signal, and were started again": ", ".join(airflow.restarted) or "none",
        "load of the machine at the end": round(os.getloadavg()[1], 1),
    }


def print_table(figures: Mapping[str, Any]) -> None:
    """Print figures as a table: a line for each."""
    print("| | |\n| --- | ---: |")
    for name, value in figures.items():
        print(f"| {name} | {value} |")


def main() -> None:
    """Measure what the command line names."""
    kinds = {"file": (with_file, 1000), "pipes": (with_pipes, 100), "airflow": (with_airflow, 1000)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=kinds)
    parser.add_argument("districts", nargs="?", type=int)
    options = parser.parse_args()
    measure, count = kinds[options.what]
    with tempfile.TemporaryDirectory() as folder:
        print_table(measure(Path(folder), options.districts or count))


if __name__ == "__main__":
    main()
