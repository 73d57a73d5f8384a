"""Measure whole commands from outside: CPU seconds, wall seconds, peak memory."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Measured", "measure", "table"]


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


def _once(command: Sequence[str], stdin: Path | None, env: Mapping[str, str]) -> tuple[float, float, float]:
    with (stdin or Path(os.devnull)).open("rb") as source, Path(os.devnull).open("wb") as sink:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=source, stdout=sink, stderr=subprocess.DEVNULL, env={**os.environ, **_FAIR, **env}
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


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
