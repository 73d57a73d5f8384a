"""tap | target: both sides started, watched and ended; the last state that the target acknowledged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..plugins import find
from .children import PATIENCE_SECONDS, signal_group, start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

STEP_SECONDS = 0.05
TIMED_OUT, REFUSED, HELD = 124, 4, 3


@dataclass(frozen=True, slots=True)
class Ended:
    """How a pipe ended."""

    code: int
    why: str
    """The last line of the side that failed."""
    state: dict[str, Any] | None
    """The last state that the target acknowledged; it is durable whatever the code says."""


class _Reader(threading.Thread):
    """Reads lines of a process to their end; keeps the last one that is not empty."""

    def __init__(self, stream: Any, side: str, write: Callable[[str], None] | None) -> None:
        super().__init__(daemon=True)
        self._stream, self._side, self._write = stream, side, write
        self.last = ""
        self.start()

    def run(self) -> None:
        for raw in self._stream:
            line = raw.decode("utf-8", "replace").rstrip()
            if line.strip():
                self.last = line
                if self._write:
                    self._write(f"{self._side}: {line}")
        self._stream.close()


def run_pipe(
    commands: tuple[Sequence[str], Sequence[str]],
    environments: tuple[Mapping[str, str], Mapping[str, str]],
    *,
    folder: str,
    seconds: float,
    log: Callable[[str], None],
    stopped: Callable[[], int],
    check: Callable[[], None] = lambda: None,
    inherited: Sequence[int] = (),
) -> Ended:
    """Run both sides to their end.

    Args:
        commands: The command lines of tap and target.
        environments: Their environments.
        folder: Their working folder.
        seconds: After these both are stopped.
        log: Takes each line of their logs.
        stopped: Returns the number of a signal that this process got, or 0.
        check: Called now and then; what it raises stops both sides.
        inherited: File descriptors that both keep open.
    """
    paths = [[find(command[0]), *command[1:]] for command in commands]
    options: dict[str, Any] = {"cwd": folder, "stderr": subprocess.PIPE, "pass_fds": inherited}
    tap = start(paths[0], environments[0], group=0, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **options)
    try:
        target = start(paths[1], environments[1], group=tap.pid, stdin=tap.stdout, stdout=subprocess.PIPE, **options)
    except BaseException:
        signal_group(tap.pid, signal.SIGKILL)
        tap.wait()
        raise
    assert tap.stdout is not None  # noqa: S101
    tap.stdout.close()  # the target's alone: where it stops reading, the tap has to notice
    readers = [
        _Reader(tap.stderr, "tap", log),
        _Reader(target.stderr, "target", log),
        _Reader(target.stdout, "state", None),
    ]
    code = 0
    try:
        code = _wait(tap, target, seconds, stopped, check)
    finally:
        # The tap is not waited for before this: its number names the group as long as it is there.
        signal_group(tap.pid, signal.SIGKILL)
        sides = [_code(process.wait()) for process in (tap, target)]
        for reader in readers:
            reader.join()
    last = [words_of(reader.last) for reader in readers[:2]]
    if code == TIMED_OUT:
        why = f"stopped after {seconds:.0f} s (timeout); {last[0]}"
    elif code:
        why = "stopped by a signal"
    else:
        code, side = pipe_code(*sides)
        why = (
            last[side]
            if sides[side] < 128 and last[side]
            else f"{('the tap', 'the target')[side]} ended with {sides[side]}; {last[side]}"
        )
    return Ended(code, why, _state(readers[2].last))


def _wait(
    tap: subprocess.Popen[bytes],
    target: subprocess.Popen[bytes],
    seconds: float,
    stopped: Callable[[], int],
    check: Callable[[], None],
) -> int:
    """Wait for both; return 0, or the code of what ended them."""
    begun = time.monotonic()
    checked = begun

    def is_over() -> bool:
        if target.poll() is None:
            return False
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return tap.poll() is not None
        # WNOWAIT leaves the tap in the process table, so that its number cannot become somebody else's.
        return os.waitid(os.P_PID, tap.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    step = 0.005
    while not is_over():
        now = time.monotonic()
        code = 128 + stopped() if stopped() else TIMED_OUT if now - begun > seconds else 0
        if code:
            signal_group(tap.pid, signal.SIGTERM)
            while not is_over() and time.monotonic() - now < PATIENCE_SECONDS:
                time.sleep(STEP_SECONDS)
            return code
        if now - checked > PATIENCE_SECONDS:
            check()
            checked = now
        time.sleep(step)
        step = min(STEP_SECONDS, step * 1.2)
    return 0


def pipe_code(tap: int, target: int) -> tuple[int, int]:
    """Return the code of a pipe, and the side (0: tap, 1: target) that it comes from."""
    if REFUSED in (tap, target):
        return REFUSED, 0 if tap == REFUSED else 1
    if tap:
        return (HELD if tap == HELD else 1), 0
    return target, 1 if target else 0


def _code(code: int) -> int:
    """Return the exit code as a shell shows it."""
    return 128 - code if code < 0 else code


def _state(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line) if line else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def words_of(line: str) -> str:
    """Return a line of a log without time, level and program."""
    parts = line.split(" | ", 3)
    text = parts[3] if len(parts) == 4 else line
    return text.strip().removeprefix("Error: ")[:400]
