"""A run of one district, step by step: secrets, lock, state, pipe, state, record."""

from __future__ import annotations

import json
import os
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..clock import now, written
from ..errors import Busy, FleetError, Misconfigured, StateMoved, StoreDown
from ..plugins import children, find
from ..secrets import resolve
from ..stores.base import HOLD_RECORD, LAST, NIGHTS, encoded, merged_state, version_of
from ..words import hold_of
from .children import output_of
from .hosts import host_slot
from .log import RunLog
from .patterns import selected
from .pipe import Ended, run_pipe, words_of
from .tally import night_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..district import District, Provider
    from ..stores import Store

OUTSIDE = 77
RETRIES_LEFT = "ONEROSTER_FLEET_RETRIES_LEFT"
"""Set by an engine that retries: how often it will run this district again if this run fails."""
NIGHTS_KEPT = 14


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: its exit code, why, and how long it took."""

    code: int
    why: str
    seconds: float = 0.0
    is_told: bool = False
    """True if the log has said it, which is echoed."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run needs beside its district."""

    store: Store
    folder: Path
    log_dir: Path
    providers: Mapping[str, Provider] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    stopped: Callable[[], int] = lambda: 0
    echo: Callable[[str], None] = lambda _: None

    def __call__(self, district: District, *, full_refresh: bool = False, faults: list[str] | None = None) -> Outcome:
        """Run a district, and return how it ended. Nothing is raised: one district never ends the runs of the others."""
        begun, is_told = time.monotonic(), False
        try:
            started = now(self.environment)
            run_id = f"{started:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"
            if closed := self._closed(district):
                return Outcome(OUTSIDE, closed)
            with self.store.lock(district.id, {"run": run_id, "started": written(started), "pid": os.getpid()}) as lock:
                ended, is_told = self._logged(district, run_id, lock, full_refresh=full_refresh, faults=faults)
                try:
                    self._record(district, run_id, started, ended)
                except FleetError as error:
                    ended, is_told = Ended(ended.code or 1, f"{error}; the run itself: {ended.why}", None), False
        except Exception as error:
            ended = _ended(error)
        return Outcome(ended.code, ended.why, time.monotonic() - begun, is_told)

    def _logged(
        self, district: District, run_id: str, lock: Any, *, full_refresh: bool, faults: list[str] | None
    ) -> tuple[Ended, bool]:
        """Run a district with a log; return how it ended, and whether the log says so."""
        try:
            with RunLog(self.log_dir / district.id / f"{run_id}.log", self.echo) as log:
                try:
                    ended = (
                        Ended(Misconfigured.exit_code, faults[0], None)
                        if faults
                        else self._pipe(district, log, lock, full_refresh=full_refresh)
                    )
                except Exception as error:
                    ended = _ended(error)
                log(f"fleet: {district.id}: exit {ended.code}: {ended.why}")
        except FleetError as error:
            return _ended(error), False
        return ended, True

    def _closed(self, district: District) -> str:
        """Return why no run may start now; empty if one may."""
        at = now(self.environment)
        hold = hold_of(district, self.store.records(HOLD_RECORD, [district.id]).get(district.id))
        if hold and hold.is_in_force(at, district.zone):
            return f"on hold{f' until {hold.until}' if hold.until else ''}: {hold.why}"
        if district.is_open(at):
            return ""
        within = f" {district.window}" if district.window else ""
        apart = f", blackout {', '.join(district.blackout)}" if district.blackout else ""
        return f"outside its window{within}{apart} ({district.time_zone})"

    def _pipe(self, district: District, log: RunLog, lock: Any, *, full_refresh: bool) -> Ended:
        environments = children(district, resolve(district, self.environment), self.environment)
        document = self.store.read(district.id)
        state = None if full_refresh else merged_state(document)
        tap = [district.tap_command, "--config=ENV"]
        with tempfile.TemporaryFile() as state_file, tempfile.TemporaryFile() as catalog_file:
            inherited = [lock.inherited] if lock.inherited is not None else []
            if state is not None:
                tap += ["--state", _filled(state_file, state)]
                inherited.append(state_file.fileno())
            if district.select:
                catalog = self._catalog(district, environments[0], inherited)
                tap += ["--catalog", _filled(catalog_file, selected(catalog, district.select))]
                inherited.append(catalog_file.fileno())
            seconds = district.length("timeout").total_seconds()
            provider = self.providers.get(district.provider)
            per_host = provider.per_host if provider else None
            with host_slot(self.store, district.host, per_host, {"run": district.id}, seconds, self.stopped):
                ended = run_pipe(
                    (tap, [district.loader_command, "--config=ENV"]),
                    environments,
                    folder=str(self.folder),
                    seconds=seconds,
                    log=log,
                    stopped=self.stopped,
                    check=lock.check,
                    inherited=inherited,
                )
        if ended.state is None:
            return ended
        try:
            lock.check()
            self._write(district, ended.state, version_of(document))
        except (StateMoved, StoreDown, Busy, FleetError) as error:
            return Ended(ended.code or 1, f"{error}; what was loaded is there, and is read again", None)
        return ended

    def _write(self, district: District, state: dict[str, Any], version: str) -> None:
        self.store.write(district.id, encoded(state), version)

    def _catalog(self, district: District, environment: Mapping[str, str], inherited: Sequence[int]) -> dict[str, Any]:
        """Return what the tap can read."""
        command = [find(district.tap_command), "--config=ENV", "--discover"]
        seconds = district.length("timeout").total_seconds()
        code, out, err = output_of(
            command, environment, folder=str(self.folder), seconds=seconds, stopped=self.stopped, inherited=inherited
        )
        if code:
            last = (err.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[-1]
            kind = Misconfigured if code == Misconfigured.exit_code else FleetError
            raise kind(words_of(last))
        try:
            found: dict[str, Any] = json.loads(out)
            found["streams"]
        except (ValueError, KeyError, TypeError):
            raise FleetError("the tap's --discover did not answer with a catalog") from None
        return found

    def _record(self, district: District, run_id: str, started: datetime, ended: Ended) -> None:
        finished = now(self.environment)
        before = self.store.records(LAST, [district.id]).get(district.id, {})
        last: dict[str, Any] = {
            "exit": ended.code,
            "why": ended.why,
            "started": written(started),
            "finished": written(finished),
            "run": run_id,
            "last_success": written(finished) if ended.code == 0 else last_success(before),
        }
        left = self.environment.get(RETRIES_LEFT, "")
        if left.isdigit():
            last["retries_left"] = int(left)
        self.store.put(district.id, LAST, last)
        if ended.code == 0 and ended.state is not None:
            nights = self.store.records(NIGHTS, [district.id]).get(district.id, {}).get("nights", [])
            nights = [*nights, {"finished": written(finished), **night_of(ended.state)}][-NIGHTS_KEPT - 1 :]
            self.store.put(district.id, NIGHTS, {"nights": nights})


def _ended(error: Exception) -> Ended:
    """Return how a run ended that an error ended. The words of an error that is a defect may hold values."""
    if isinstance(error, FleetError):
        return Ended(error.exit_code, str(error), None)
    if isinstance(error, OSError):
        return Ended(1, error.strerror or type(error).__name__, None)
    at = traceback.extract_tb(error.__traceback__)[-1]
    return Ended(
        1, f"a defect of oneroster-fleet: {type(error).__name__} in {Path(at.filename).name}:{at.lineno}", None
    )


def last_success(record: Mapping[str, Any]) -> str | None:
    """Return when a district last ended well, from the record of its last run."""
    if record.get("exit") == 0:
        return record.get("finished")
    return record.get("last_success")


def _filled(file: Any, content: Any) -> str:
    """Write JSON to a file without a name, and return the path by which a child that inherits it opens it."""
    file.write(json.dumps(content).encode())
    file.flush()
    file.seek(0)
    return f"/dev/fd/{file.fileno()}"
