"""Airflow for real: the DAG file is parsed, scheduled and run; kills; secrets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from oneroster_sample.faults import FAULTS
from oneroster_sample.fleet import SampleFleet

from tests.loaders.postgres import Server
from tests.support.airflow import airflow_for, noop_plugins
from tests.support.fleet import most_at_once

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(1800)]
FLEET = Path(sys.executable).with_name("oneroster-fleet")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    server = Server()
    yield server.database().url
    server.close()


def test_a_thousand_dags_are_parsed(tmp_path: Path, database: str) -> None:
    """In 20 seconds of CPU, without an import error; a task that starts builds its own DAG only."""
    path = noop_plugins(tmp_path / "bin")
    from benchmarks.fleet import noop_file

    (tmp_path / "fleet.yml").write_text(noop_file(1000) + "- {id: bad, colour: red}\n")
    airflow = airflow_for(tmp_path, database, {"PATH": path, "FLEET_STATE": f"file://{tmp_path}/states"})
    code = (
        "import json, time; from airflow.dag_processing.dagbag import DagBag; t = time.process_time(); "
        f"bag = DagBag({str(airflow.dags)!r}); spent = time.process_time() - t; d = bag.dags['oneroster__d0001']; "
        "its = d.tasks[0]; bad = bag.dags['oneroster__bad']; "
        "print(json.dumps([len(bag.dags), len(bag.import_errors), spent, its.pool, its.retries, d.catchup, d.max_active_runs, "
        "sorted(d.tags), sorted(bad.tags), bad.doc_md]))"
    )
    said = json.loads(airflow.python(code).splitlines()[-1])
    assert said[:2] == [1001, 0]
    assert said[2] < 60, "20 s on a quiet machine"
    assert said[3:8] == ["vendor", 3, False, 1, ["vendor"]]
    assert said[8] == ["misconfigured"]
    assert "no such key: colour" in said[9]


def users_of(path: Path) -> set[str]:
    """The tenants of the users of a warehouse: its own district's, or none."""
    with duckdb.connect(path, read_only=True) as warehouse:
        known = warehouse.execute("select 1 from information_schema.tables where table_name = 'users'").fetchall()
        found = (
            {row[0] for row in warehouse.execute("select distinct tenant from oneroster.users").fetchall()}
            if known
            else set()
        )
    assert found <= {path.stem}
    return found


def test_a_night(tmp_path: Path, database: str) -> None:
    """Real districts: success, held back from retries, retried; a killed command; a killed worker; no secret anywhere."""
    with SampleFleet(5, faults={2: "wrong-secret", 3: "down"}) as fleet:
        fleet.write(tmp_path, concurrent=2)
        path = tmp_path / "fleet.yml"
        text = path.read_text().replace("defaults:\n", "defaults:\n  retries: 1\n  retry_delay: 5s\n")
        path.write_text(
            text.replace(
                "{client_id: env, client_secret: env}", "{client_id: env, client_secret: 'airflow:sample_d0001'}", 1
            )
        )
        secrets = fleet.secrets()
        secret = secrets.pop("FLEET_D0001_CLIENT_SECRET")
        variables = {**secrets, "FLEET_STATE": f"file://{tmp_path}/states"}
        variables["AIRFLOW_CONN_SAMPLE_D0001"] = json.dumps({"conn_type": "generic", "password": secret})
        airflow = airflow_for(tmp_path, database, variables)
        try:
            airflow.start()
            airflow.until("all DAGs are known", lambda: len(airflow.dag_ids()) >= 5)

            def kill_one() -> bool:
                """Kill the command of d0005 once, while it runs."""
                done = subprocess.run(["pgrep", "-f", "oneroster-fleet run d0005"], capture_output=True, text=True)
                for pid in done.stdout.split():
                    with suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
                return bool(done.stdout.split())

            airflow.until("d0005 runs", kill_one)

            airflow.until("all runs are over", lambda: airflow.are_over(5))
            runs, tries = airflow.runs(), airflow.tries()
            tokens = [r.status for r in fleet.providers["d0002"].requests]
        finally:
            airflow.stop()
    assert {id_.removeprefix("oneroster__"): states for id_, states in runs.items()} == {
        "d0001": ["success"], "d0002": ["failed"], "d0003": ["failed"], "d0004": ["success"], "d0005": ["success"],
    }  # fmt: skip
    assert tries["oneroster__d0002"] == [("failed", 1)], "misconfigured is not tried again"
    assert tokens == [401]
    assert tries["oneroster__d0003"] == [("failed", 2)]
    assert tries["oneroster__d0005"] == [("success", 2)], "the killed one came back"
    warehouses = {p.stem for p in tmp_path.glob("d*.duckdb") if users_of(p)}
    assert warehouses == {"d0001", "d0004", "d0005"}, "each that ended well has its own rows, and no other has any"
    texts = b"".join(
        p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != "fleet.env" and p.suffix != ".duckdb"
    )
    texts += subprocess.run([*DUMP, database], capture_output=True, check=True).stdout
    assert len(texts) > 10_000
    assert not [
        value
        for name, value in {**secrets, "x_SECRET": secret}.items()
        if name.endswith("SECRET") and value.encode() in texts
    ]


@pytest.mark.slow
def test_a_night_of_a_hundred_districts(tmp_path: Path, database: str) -> None:
    """Ten have one of five faults; the others land, each its own rows; no vendor and no machine is asked by too many."""
    kinds = list(FAULTS)
    faults = {number: kinds[number // 10 % len(kinds)] for number in range(7, 100, 10)}
    with SampleFleet(100, hosts=20, vendors=5, latency_seconds=0.01, faults=faults) as fleet:
        fleet.write(tmp_path, concurrent=3, per_host=1)
        path = tmp_path / "fleet.yml"
        path.write_text(path.read_text().replace("defaults:\n", "defaults:\n  retries: 1\n  retry_delay: 5s\n"))
        variables = {**fleet.secrets(), "FLEET_STATE": f"file://{tmp_path}/states"}
        airflow = airflow_for(tmp_path, database, variables, slots=8, supervised=True)
        try:
            airflow.start()
            airflow.until("all runs are over", lambda: airflow.are_over(100), 1700)
            runs, tries, rows = airflow.runs(), airflow.tries(), fleet.log()
        finally:
            airflow.stop()
    failed = {int(id_.rpartition("d")[2]) for id_, states in runs.items() if states == ["failed"]}
    assert failed == set(faults)
    assert {states[0] for id_, states in runs.items() if int(id_.rpartition("d")[2]) not in faults} == {"success"}
    for number, kind in faults.items():
        is_refused = kind in ("wrong-secret", "forbidden", "login-page")
        assert tries[f"oneroster__d{number:04}"] == [("failed", 1 if is_refused else 2)], kind
        if kind == "wrong-secret":
            asked = [row for row in rows if row["district"] == f"d{number:04}" and row["path"] == "/token"]
            assert len(asked) == 1
    states = {path.parent.name for path in (tmp_path / "states").glob("d*/state.json")}
    assert {f"d{n:04}" for n in range(1, 101) if n not in faults} <= states
    whole = {path.stem for path in tmp_path.glob("d*.duckdb") if users_of(path)}
    assert {f"d{n:04}" for n in range(1, 101) if n not in faults} <= whole
    assert most_at_once(rows, lambda row: row["host"]) == 1
    assert most_at_once(rows, lambda row: (int(row["district"][1:]) - 1) % 5) <= 3
    assert most_at_once(rows, lambda _: "all") >= 4


DUMP = (sys.executable, "-c", "import sys, psycopg\nwith psycopg.connect(sys.argv[1]) as c:\n for (t,) in c.execute(\"select table_name from information_schema.tables where table_schema = 'public'\").fetchall():\n  print(t, c.execute(f'select * from \"{t}\"').fetchall())")  # fmt: skip
