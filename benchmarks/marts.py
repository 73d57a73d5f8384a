"""How long the marts of a large district take on DuckDB, and how much memory: 740 schools, 500,000 students, 4 M enrollments, 2 M results.

    ./run test-marts --collect-only -q    # makes the environment of the marts
    ./run python -m benchmarks.marts [--copies 185] [--keep FOLDER]

A made-up district of four schools is loaded with tap and target, and stands in the warehouse many times under other ids; of its
results a part is kept. Inputs are not given. The command fails if the build failed, or took more than 180 s or 2 GB at the
size that is the default.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = Path(sys.executable).parent
MOST_SECONDS, MOST_MEMORY = 180, 2000
COPIES, RESULTS = 185, 2_000_000
_IDENTITIES = {"identifier", "username", "email", "userMasterIdentifier"}


def load(folder: Path) -> Path:
    """Load four schools of 676 students."""
    sample: list[str | Path] = [PROGRAMS / "oneroster-sample", "bundle", folder / "district.zip"]
    size = ("--schools", "4", "--students-per-school", "676", "--results", "year")
    subprocess.run([*sample, *size], check=True, stdout=subprocess.DEVNULL)
    (folder / "tap.json").write_text(json.dumps({"mode": "csv", "csv_path": str(folder / "district.zip")}))
    (folder / "target.json").write_text(json.dumps({"filepath": str(folder / "base.duckdb")}))
    tap: list[str | Path] = [PROGRAMS / "tap-oneroster", "--config", folder / "tap.json"]
    target: list[str | Path] = [PROGRAMS / "target-oneroster-duckdb", "--config", folder / "target.json"]
    with subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as read:
        subprocess.run(target, stdin=read.stdout, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "base.duckdb"


def multiply(base: Path, path: Path, copies: int) -> dict[str, int]:
    """Write a warehouse in which each row of another one stands many times, with ids of its own."""
    counts = {}
    with duckdb.connect(str(path), config={"memory_limit": "2GB", "preserve_insertion_order": False}) as db:
        db.execute(f"attach '{base}' as base (read_only); create schema oneroster")
        tables = db.execute(
            "select table_name, list((column_name, data_type) order by column_index) from duckdb_columns()"
            " where database_name = 'base' and schema_name = 'oneroster' and not starts_with(table_name, '_')"
            " and table_name in (select table_name from duckdb_tables()) group by all"
        ).fetchall()
        ((results,),) = db.execute("select count(*) from base.oneroster.results").fetchall()
        for table, columns in tables:
            share = min(1, RESULTS * copies / COPIES / copies / results) if table == "results" else 1
            cells = ", ".join(f'{_cell(name, kind)} as "{name}"' for name, kind in columns)
            db.execute(
                f'create table oneroster."{table}" as select {cells} from base.oneroster."{table}", range({copies}) as copies(n)'
                + (f' where hash("sourcedId") % 10000 < {share * 10000}' if share < 1 else "")
            )
            ((counts[table],),) = db.execute(f'select count(*) from oneroster."{table}"').fetchall()
    return counts


def _cell(name: str, kind: str) -> str:
    if kind == "VARCHAR" and (name.lower().endswith("sourcedid") or name in _IDENTITIES):
        return f"n || '-' || \"{name}\""
    if kind == "VARCHAR[]" and name.endswith("SourcedIds"):
        return f"list_transform(\"{name}\", lambda its: n || '-' || its)"
    if name == "userIds":  # the same in all copies they would make one person of several
        return "null"
    return f'"{name}"'


def main() -> None:
    """Make the warehouse, build, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--copies", type=int, default=COPIES)
    parser.add_argument("--keep", type=Path, help="the folder for the warehouse, which stays")
    options = parser.parse_args()
    with nullcontext(options.keep) if options.keep else TemporaryDirectory() as place:
        folder = Path(place)
        folder.mkdir(exist_ok=True)
        warehouse = folder / "warehouse.duckdb"
        if not warehouse.exists():
            base = folder / "base.duckdb"
            counts = multiply(base if base.exists() else load(folder), warehouse, options.copies)
            print(
                ", ".join(f"{counts[name]:,} {name}" for name in ("orgs", "users", "classes", "enrollments", "results"))
            )
        config = {"warehouse": "duckdb", "filepath": str(warehouse), "target_path": str(folder / "target")}
        config |= {name: str(folder / f"{name}.duckdb") for name in ("marts_path", "restricted_path")}
        for name in ("marts_path", "restricted_path"):
            Path(config[name]).unlink(missing_ok=True)
        (folder / "marts.json").write_text(json.dumps(config | {"today": "2026-11-16"}))
        started = time.perf_counter()
        program = str(ROOT / ".marts" / "bin" / "oneroster-marts")
        process = subprocess.Popen([program, "build", "--config", str(folder / "marts.json")])
        _, status, usage = os.wait4(process.pid, 0)
        wall, cpu, peak = time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
        print(f"build: {wall:.0f} s wall, {cpu:.0f} s CPU, {peak:,.0f} MB peak")
        ran = json.loads((folder / "target" / "run_results.json").read_text())["results"]
        slowest = sorted(ran, key=lambda its: -its["execution_time"])[:12]
        print("\n".join(f"{its['execution_time']:7.1f} s  {its['unique_id']}" for its in slowest))
    if os.waitstatus_to_exitcode(status):
        raise SystemExit("the build failed")
    if options.copies == COPIES and (wall > MOST_SECONDS or peak > MOST_MEMORY):
        raise SystemExit(f"more than {MOST_SECONDS} s or {MOST_MEMORY} MB")


if __name__ == "__main__":
    main()
