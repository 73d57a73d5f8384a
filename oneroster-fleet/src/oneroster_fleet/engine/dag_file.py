"""One DAG for each district of oneroster_fleet.json, which lies beside this file.

Both were written by `oneroster-fleet dag --out`; write them anew after a change of the fleet file. This file needs
Airflow 3 and nothing else. Each task is one command, `oneroster-fleet run ID`, in an environment of its own.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Connection, CronTriggerTimetable, get_current_context, get_parsing_context, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

FILE = Path(__file__).with_name("oneroster_fleet.json")
FLEET: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
COMMAND = os.environ.get("ONEROSTER_FLEET_COMMAND") or FLEET["generated"]["command"]
MEANINGS = {
    1: "not complete",
    3: "held: a brake stopped it, someone has to look",
    4: "misconfigured or refused",
    75: "another run of this district is alive",
    77: "outside its window, or on hold",
    124: "stopped after its timeout",
}
SKIPPED, NO_RETRY = (75, 77), (3, 4)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
MARGIN = timedelta(minutes=5)  # the command ends itself after its timeout; Airflow's is for one that does not


def duration(text: str) -> timedelta:
    """Return the length that 10m or 2h means."""
    return timedelta(**{UNITS[text[-1]]: int(text[:-1])})


def dies_with_its_parent() -> None:
    """Ask Linux to kill this process when its parent dies: the task with Airflow's worker, the command with the task.

    The command kills tap and target in turn. Without it, a district would go on while Airflow starts it again.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


def run(district: dict[str, Any]) -> None:
    """Run a district, and turn the exit code into Airflow's words."""
    dies_with_its_parent()
    its = get_current_context()["ti"]
    environment = {name: value for name, value in os.environ.items() if not name.lstrip("_").startswith("AIRFLOW")}
    environment["ONEROSTER_FLEET_FILE"] = str(FILE)
    environment["ONEROSTER_FLEET_RETRIES_LEFT"] = str(max(0, its.max_tries + 1 - its.try_number))
    for variable, (connection, field) in FLEET["generated"]["connections"].get(district["id"], {}).items():
        environment[variable] = getattr(Connection.get(connection), field) or ""
    process = subprocess.Popen(
        [COMMAND, "run", district["id"]],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=dies_with_its_parent,  # noqa: PLW1509 - it makes one system call
    )
    try:
        for line in process.stdout or ():
            print(line, end="", flush=True)
        code = process.wait()
    finally:
        if process.poll() is None:  # Airflow stops this task: the command ends tap and target, and has time for it
            process.terminate()
            process.wait()
    if code:
        text = f"{district['id']}: exit {code}: {MEANINGS.get(code, 'stopped')}"
        kinds = {**dict.fromkeys(SKIPPED, AirflowSkipException), **dict.fromkeys(NO_RETRY, AirflowFailException)}
        raise kinds.get(code, AirflowException)(text)


def make(district: dict[str, Any]) -> DAG:
    """Return the DAG of a district."""
    faults = district.get("faults", [])
    with DAG(
        dag_id=f"oneroster__{district['id']}",
        dag_display_name=district.get("name") or district["id"],
        schedule=CronTriggerTimetable(district["schedule"], timezone=district["time_zone"]),
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=[
            word
            for word in (district.get("provider"), district.get("agency"), "misconfigured" if faults else "")
            if word
        ],
        doc_md="Misconfigured; its runs end with exit 4:\n\n" + "\n".join(f"- {line}" for line in faults)
        if faults
        else None,
    ) as dag:
        task(
            task_id="run",
            pool=district.get("provider") or "default_pool",
            retries=district["retries"],
            retry_delay=duration(district["retry_delay"]),
            retry_exponential_backoff=True,
            max_retry_delay=timedelta(hours=1),
            execution_timeout=duration(district["timeout"]) + MARGIN,
            trigger_rule="all_done",
            do_xcom_push=False,
        )(run)(district)
    return dag


ONLY = get_parsing_context().dag_id  # set where a task starts: only its DAG is made then
for each in FLEET["districts"]:
    if ONLY in (None, f"oneroster__{each['id']}"):
        globals()[f"oneroster__{each['id']}"] = make(each)
