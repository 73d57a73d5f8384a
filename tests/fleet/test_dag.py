"""What is written for Airflow: the DAG file, its data, pools and settings. Airflow itself runs in tests/airflow."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from oneroster_fleet.engine import SETTINGS
from oneroster_fleet.fleet_file import read_fleet

if TYPE_CHECKING:
    from tests.support.fleet import Desk

DISTRICTS = """\
- id: north-usd
  name: North
  provider: aeries
  schedule: '40 4 * * *'
  secrets: {client_id: env, client_secret: 'airflow:north'}
  tap: {base_url: 'https://north.example', max_shrink_percent: 5}
- {id: bad-isd, provider: aeries, tap: {client_secret: hunter2}}
- {id: worse, provider: nobody}
"""


def test_the_data_is_a_fleet_file(desk: Desk) -> None:
    """The resolved districts, one on each line, without secrets; whatever form the fleet file has."""
    desk.file(DISTRICTS)
    assert desk("dag", "--out", "dags")[0] == 0
    text = (desk.folder / "dags/oneroster_fleet.json").read_text()
    assert "hunter2" not in text
    found = json.loads(text)
    assert found["generated"]["connections"] == {"north-usd": {"FLEET_NORTH_USD_CLIENT_SECRET": ["north", "password"]}}
    north, bad, worse = found["districts"]
    assert (north["schedule"], north["time_zone"], north["retries"]) == ("40 4 * * *", "America/Chicago", 3)
    assert bad["faults"] == [
        "fleet.yml:16: bad-isd: secret: client_secret: stands in clear; put a reference under secrets"
    ]
    assert "provider" not in worse, "there is no pool of this name"
    (desk.folder / "fleet.yml").rename(desk.folder / "elsewhere.yml")
    again = read_fleet(desk.folder / "dags/oneroster_fleet.json", plugins=False)
    before = read_fleet(desk.folder / "elsewhere.yml", plugins=False)
    assert again.districts["north-usd"] == before.districts["north-usd"]
    assert (again.folder, again.log_dir, again.providers) == (before.folder, before.log_dir, before.providers)
    assert [str(f) for f in again.faults] == [
        f"oneroster_fleet.json:{n}: {d}: generated: {faults[0]}" for n, d, faults in ((3, "bad-isd", bad["faults"]), (4, "worse", worse["faults"]))
    ]  # fmt: skip


def test_a_run_from_the_data(desk: Desk) -> None:
    """As the DAG's task runs it: paths are relative to the fleet file's folder, and a misconfigured one ends with 4."""
    desk.file("- {id: a}\n- {id: b, colour: red}\n")
    desk("dag", "--out", "dags")
    (desk.folder / "fleet.yml").unlink()
    desk.set("ONEROSTER_FLEET_FILE", str(desk.folder / "dags/oneroster_fleet.json"))
    desk.set("ONEROSTER_FLEET_RETRIES_LEFT", "2")
    assert desk.run("a").returncode == 0
    assert (desk.folder / "out/a").exists()
    assert desk.record("a")["retries_left"] == 2
    assert desk.run("b").returncode == 4
    assert "no such key: colour" in desk.record("b")["why"]


def test_the_dag_file(desk: Desk) -> None:
    """It can be read, needs no package of ours, and is the same for all fleets; without --out it is printed."""
    desk.file(DISTRICTS)
    desk("dag", "--out", "dags")
    text = (desk.folder / "dags/oneroster_fleet.py").read_text()
    compile(text, "oneroster_fleet.py", "exec")
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    assert "oneroster_fleet" not in imported
    assert {"airflow", "json", "subprocess"} <= imported
    assert len(text.splitlines()) < 160
    assert "\n".join(desk("dag")[1]) + "\n" == text


def test_pools_and_settings(desk: Desk) -> None:
    """A pool for each provider, with as many slots as it has runs; settings each with a reason."""
    desk.file(DISTRICTS)
    pools = json.loads("".join(desk("dag", "--pools")[1]))
    assert {name: its["slots"] for name, its in pools.items()} == {"aeries": 2}
    lines = desk("dag", "--settings")[1]
    assert len(lines) == len(SETTINGS)
    assert "export AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT=60  # " in "\n".join(lines)
    for name in (
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT",
        "CORE__MAX_ACTIVE_TASKS_PER_DAG",
    ):
        assert f"AIRFLOW__{name}" in SETTINGS
