"""A whole Airflow on this machine: PostgreSQL, scheduler, DAG processor and API server, in processes of its own environment."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

import pytest

ROOT = Path(__file__).parents[2]
AIRFLOW = ROOT / ".airflow" / "bin" / "airflow"
FLEET = Path(sys.executable).with_name("oneroster-fleet")
GIVE_UP_SECONDS = 600
ABOUT = {
    "tap": {"tenant": {"type": ["string"]}, "tenant_isolated": {"type": ["boolean"]}, "mark": {"type": ["string"]}, "token": {"type": ["string"], "secret": True}},
    "target": {"filepath": {"type": ["string"]}},
}  # fmt: skip


def noop_plugins(folder: Path) -> str:
    """Write a tap and a loader of the shell that do next to nothing; return a PATH with them."""
    folder.mkdir(parents=True, exist_ok=True)
    programs = {
        "tap-noop": """echo '{"type":"STATE","value":{"bookmarks":{}}}'""",
        "target-noop": """read line; echo '{"bookmarks":{}}'""",
    }
    for name, line in programs.items():
        about = json.dumps({"version": "1", "settings": {"properties": ABOUT[name.partition("-")[0]]}})
        script = f"#!/bin/sh\ncase $1 in --about) echo '{about}';; *) {line};; esac\n"
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


class Airflow:
    """One Airflow, with its DAGs in `<home>/dags`. `start` runs it; its end kills what it started.

    `supervised` starts a part again that ended by a signal, as systemd does with `Restart=always`; `restarted` names it.
    """

    def __init__(
        self,
        home: Path,
        database: str,
        *,
        slots: int = 4,
        variables: dict[str, str] | None = None,
        supervised: bool = False,
    ) -> None:
        if not AIRFLOW.exists():
            pytest.skip("Airflow is not installed: ./run test-airflow")
        self.home, self.dags = home, home / "dags"
        self.dags.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        from oneroster_fleet.engine import SETTINGS

        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
            **{name: value for name, (value, _) in SETTINGS.items()},
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": str(slots),
            "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self._port}/execution/",
            "AIRFLOW__API__PORT": str(self._port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": "a-secret-of-this-test-only-0123456789abcdef",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            **(variables or {}),
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.restarted: list[str] = []
        self._supervised = supervised
        self._logs: list[IO[bytes]] = []

    def command(self, *arguments: str, **options: Any) -> str:
        """Run a command of Airflow that must succeed; return what it printed."""
        done: subprocess.CompletedProcess[str]
        done = subprocess.run([AIRFLOW, *arguments], env=self.environment, capture_output=True, text=True, **options)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        return done.stdout

    def python(self, code: str) -> str:
        """Run Python of Airflow's environment; return what it printed."""
        done = subprocess.run(
            [AIRFLOW.with_name("python"), "-c", code],
            env=self.environment,
            capture_output=True,
            text=True,
            cwd=self.home,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        return done.stdout

    def start(self, *names: str) -> None:
        """Start parts of Airflow, each in a process group of its own."""
        for name in names or ("api-server", "scheduler", "dag-processor"):
            self._logs.append((self.home / f"{name}.log").open("ab"))
            self.processes[name] = subprocess.Popen(
                [AIRFLOW, name], env=self.environment, stdout=self._logs[-1], stderr=self._logs[-1], cwd=self.home,
                stdin=subprocess.DEVNULL, process_group=0,
            )  # fmt: skip
        if "api-server" in self.processes:
            self.until("the API server answers", self._answers)

    def stop(self) -> None:
        """End everything that was started."""
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for log in self._logs:
            log.close()

    def until(self, what: str, is_so: Any, seconds: float = GIVE_UP_SECONDS) -> Any:
        """Wait until something is so; return it."""
        end = time.monotonic() + seconds
        while not (found := is_so()):
            self.see_to_parts()
            assert time.monotonic() < end, f"not so after {seconds:.0f} s: {what}"
            time.sleep(1)
        return found

    def see_to_parts(self) -> None:
        """Fail if a part ended by itself; start those again that ended by a signal, if somebody is to."""
        ended = {name: code for name, process in self.processes.items() if (code := process.poll()) is not None}
        if self._supervised:
            again = [name for name, code in ended.items() if code < 0]
            for name in again:  # systemd ends all of a service with its first process
                with suppress(ProcessLookupError):
                    os.killpg(self.processes[name].pid, signal.SIGKILL)
            self.restarted += again
            if again:
                self.start(*again)
        gone = [name for name, code in ended.items() if code > -1 or (code != -9 and not self._supervised)]
        assert not gone, f"{gone} ended: {(self.home / f'{gone[0]}.log').read_text()[-2000:]}"

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/api/v2/version", token="") is not None
        except (OSError, ValueError):
            return False

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Any:
        """Ask the REST API."""
        if token is None:
            token = self.ask("GET", "/auth/token", token="")["access_token"]
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", data, headers, method=method)
        for tries_left in (2, 1, 0) if method == "GET" and token else (0,):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.loads(answer.read() or b"null")
            except (OSError, HTTPException):  # a busy server closes connections that were kept open
                if not tries_left:
                    raise
                time.sleep(2)
        return None

    def dag_ids(self) -> list[str]:
        """The DAGs that Airflow knows."""
        found: list[str] = []
        while True:
            page = self.ask("GET", f"/api/v2/dags?limit=100&offset={len(found)}")["dags"]
            found += [dag["dag_id"] for dag in page]
            if len(page) < 100:
                return found

    def trigger(self, dag_ids: list[str]) -> None:
        """Start a run of each DAG."""
        token = self.ask("GET", "/auth/token", token="")["access_token"]
        for dag_id in dag_ids:
            self.ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None}, token=token)

    def runs(self) -> dict[str, list[str]]:
        """The states of all runs, by DAG."""
        found: dict[str, list[str]] = {}
        offset = 0
        while True:
            page = self.ask("GET", f"/api/v2/dags/~/dagRuns?limit=100&offset={offset}")["dag_runs"]
            for run in page:
                found.setdefault(run["dag_id"], []).append(run["state"])
            offset += len(page)
            if len(page) < 100:
                return found

    def are_over(self, districts: int) -> bool:
        """True if each of so many DAGs has a run, and all runs are over."""
        try:
            runs = self.runs()
        except OSError:  # the API server is being started again
            return False
        return len(runs) == districts and all(s in ("success", "failed") for its in runs.values() for s in its)

    def tries(self) -> dict[str, list[tuple[str, int]]]:
        """State and number of the try of all tasks, by DAG."""
        found: dict[str, list[tuple[str, int]]] = {}
        offset = 0
        while True:
            page = self.ask("GET", f"/api/v2/dags/~/dagRuns/~/taskInstances?limit=100&offset={offset}")[
                "task_instances"
            ]
            for its in page:
                found.setdefault(its["dag_id"], []).append((its["state"], its["try_number"]))
            offset += len(page)
            if len(page) < 100:
                return found


def airflow_for(
    folder: Path, url: str, variables: dict[str, str], *, slots: int = 2, supervised: bool = False
) -> Airflow:
    """An Airflow with tables in a PostgreSQL, and with the DAGs and the pools of the fleet file in a folder."""
    variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] = url.replace("postgresql:", "postgresql+asyncpg:")
    own = url.replace("postgresql:", "postgresql+psycopg2:")
    airflow = Airflow(folder / "airflow", own, slots=slots, variables=variables, supervised=supervised)
    options: dict[str, Any] = {"cwd": folder, "env": {**os.environ, **variables}, "check": True, "capture_output": True}
    subprocess.run([FLEET, "dag", "--out", airflow.dags], **options)
    pools = subprocess.run([FLEET, "dag", "--pools"], **options).stdout
    (folder / "pools.json").write_bytes(pools)
    airflow.command("db", "migrate")
    airflow.command("pools", "import", str(folder / "pools.json"))
    return airflow
