"""What Airflow needs: the DAG file, its data, pools and settings. Nothing here imports Airflow."""

from __future__ import annotations

import json
import os
import shutil
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from .. import __version__
from ..errors import FleetError
from ..secrets import connection_field, variable

if TYPE_CHECKING:
    from ..district import District, Fleet

NAME = "oneroster_fleet"
ALWAYS = ("id", "name", "provider", "agency", "schedule", "time_zone", "retries", "retry_delay", "timeout")
SETTINGS = {
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": ("300", "the file changes once a day, not every 30 seconds"),
    "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": ("180", "a thousand DAGs are one file"),
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": ("120", "as above"),
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": ("60", "on a busy machine a task starts later than in 5 seconds"),
    "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": ("10", "as above"),
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": (
        "120",
        "a killed worker frees its pool slot after 2 minutes",
    ),
    "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": ("1", "a DAG is one district, and has one task"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": ("False", "no DAGs but the fleet's"),
}
"""Settings of Airflow that differ from its defaults, as variables: the value, and the reason."""


def dag_file() -> str:
    """Return the DAG file."""
    return files(__package__ or __name__).joinpath("dag_file.py").read_text(encoding="utf-8")


def settings() -> str:
    """Return the settings as lines of a shell."""
    return "".join(f"export {name}={value}  # {why}\n" for name, (value, why) in SETTINGS.items())


def pools(fleet: Fleet) -> dict[str, Any]:
    """Return the pools, in the form that `airflow pools import` reads."""
    return {
        name: {"slots": its.concurrent, "description": f"runs of {name} at the same time", "include_deferred": False}
        for name, its in fleet.providers.items()
    }


def data(fleet: Fleet) -> str:
    """Return a fleet file of JSON: the resolved districts, one on each line; secrets are references, as in any."""
    head = {
        "version": 1,
        "generated": {
            "by": f"oneroster-fleet {__version__}",
            "command": _command(),
            "folder": str(fleet.folder),
            "connections": {id_: found for id_, its in fleet.districts.items() if (found := _connections(its))},
        },
        "state": fleet.state,
        "log_dir": str(fleet.log_dir),
        "board": msgspec.to_builtins(fleet.board),
        "providers": {name: _given(msgspec.to_builtins(its)) for name, its in fleet.providers.items()},
    }
    lines = ",\n".join(json.dumps(_district(fleet, its)) for its in fleet.districts.values())
    return f'{json.dumps(head)[:-1]}, "districts": [\n{lines}\n]}}\n'


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _district(fleet: Fleet, its: District) -> dict[str, Any]:
    values: dict[str, Any] = {name: value for name in ALWAYS if (value := getattr(its, name)) != ""}
    values |= {name: value for name, value in msgspec.to_builtins(its).items() if value not in (None, "")}
    if faults := fleet.faults_of.get(its.id):
        # What may be wrong in it is left out: a secret in clear must not come here.
        values = {name: values[name] for name in ALWAYS if name in values}
        values |= {"loader": {"name": its.loader.get("name", "?")}, "faults": [str(fault) for fault in faults]}
        if its.provider not in fleet.providers:
            values.pop("provider", None)
    return values


def _connections(its: District) -> dict[str, tuple[str, str]]:
    return {
        variable(its.id, setting): (reference.partition(":")[2], connection_field(setting))
        for setting, reference in its.secrets.items()
        if reference.startswith("airflow:")
    }


def _command() -> str:
    beside = Path(sys.executable).with_name("oneroster-fleet")
    return str(beside) if beside.exists() else shutil.which("oneroster-fleet") or "oneroster-fleet"


def write(fleet: Fleet, folder: Path) -> None:
    """Write the DAG file and its data into a folder; the data first, each whole or not at all."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in ((f"{NAME}.json", data(fleet)), (f"{NAME}.py", dag_file())):
            new = folder / f".{name}.{os.getpid()}.new"
            new.write_text(text, encoding="utf-8")
            new.replace(folder / name)
    except OSError as error:
        raise FleetError(f"--out: cannot be written ({error.strerror})") from None
