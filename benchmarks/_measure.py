"""Measure whole commands from outside: CPU seconds, wall seconds, peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Otherwise every start would compile all modules, and the plugin's time would include that.
_FAIR = {"PYTHONDONTWRITEBYTECODE": ""}


@dataclass(frozen=True)
class Measured:
    """The cost of a command: the medians of its runs, and the largest peak."""

    name: str
    records: int
    cpu_seconds: float
    wall_seconds: float
    peak_mb: float

    @property
    def per_cpu_second(self) -> float:
        """Number of records per CPU second."""
        return self.records / self.cpu_seconds


class Used(NamedTuple):
    """What a process took."""

    cpu_seconds: float
    peak_mb: float


def ended(process: subprocess.Popen[bytes]) -> Used:
    """Wait for a process, whose `returncode` is then set, and return what it took."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _once(command: Sequence[str], stdin: Path | None, env: Mapping[str, str]) -> tuple[float, float, float]:
    with (stdin or Path(os.devnull)).open("rb") as source, Path(os.devnull).open("wb") as sink:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=source, stdout=sink, stderr=subprocess.DEVNULL, env={**os.environ, **_FAIR, **env}
        )
        used = ended(process)
        wall = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return used.cpu_seconds, wall, used.peak_mb


def run_pipe(commands: Sequence[Sequence[str]]) -> tuple[float, list[Used]]:
    """Run a pipe of commands; return its wall seconds, and what each process took. Exit if one of them fails."""
    started = time.perf_counter()
    processes: list[subprocess.Popen[bytes]] = []
    for number, command in enumerate(commands, 1):
        source = processes[-1].stdout if processes else None
        sink = subprocess.DEVNULL if number == len(commands) else subprocess.PIPE
        processes.append(
            subprocess.Popen(
                command,
                stdin=source or subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **_FAIR},
            )
        )
        if source:
            source.close()  # only the process just started reads from it
    used = [ended(process) for process in processes]
    wall = time.perf_counter() - started
    for process in processes:
        if process.returncode:
            raise SystemExit(f"{process.args!r} ended with {process.returncode}")
    return wall, used


def measure(
    name: str,
    records: int,
    command: Sequence[str],
    *,
    runs: int = 3,
    stdin: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Measured:
    """Run a command several times, discard its output, and return the medians."""
    figures = [_once(command, stdin, env or {}) for _ in range(runs)]
    cpu, wall, peak = zip(*figures, strict=True)
    return Measured(name, records, median(cpu), median(wall), max(peak))


def table(title: str, rows: Sequence[Measured]) -> str:
    """Return a table of ratios; the first row is the baseline."""
    base = rows[0]
    lines = [
        title,
        "",
        "| way | records/CPU s | ratio | CPU s | wall s | peak MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.name} | {row.per_cpu_second:,.0f} | {row.per_cpu_second / base.per_cpu_second:.1f}"
        f" | {row.cpu_seconds:.2f} | {row.wall_seconds:.2f} | {row.peak_mb:.0f} |"
        for row in rows
    ]
    return "\n".join(lines)


def write_config(folder: Path, name: str, **settings: object) -> str:
    """Write a configuration file into a folder, and return its path."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return str(path)


def program(name: str) -> str:
    """Return the path of a program of this environment."""
    return str(Path(sys.executable).with_name(name))
