"""Processes that die with their parent: a process group of their own, and on Linux a signal at the parent's death."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import FleetError, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PATIENCE_SECONDS = 20.0
"""How long a group has to end after SIGTERM, before SIGKILL."""

_PR_SET_PDEATHSIG = 1


def _prepare() -> Any:
    """Return what a child does before it becomes its program; None where the system has no such thing.

    Everything that it needs is looked up before the fork: between fork and exec only system calls are safe.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent, kill, quit_ = ctypes.CDLL(None, use_errno=True).prctl, os.getpid(), signal.SIGKILL, os._exit

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, int(kill), 0, 0, 0)
        if os.getppid() != parent:  # it died before it could be said
            quit_(137)

    return prepare


def start(
    command: Sequence[str], environment: Mapping[str, str], *, group: int, **options: Any
) -> subprocess.Popen[bytes]:
    """Start a program in a process group; 0 makes a new one.

    The signal comes when the *thread* that started the child ends, so that thread has to wait for the child.
    """
    with warnings.catch_warnings():
        # Python warns of a fork beside threads; see above.
        warnings.simplefilter("ignore", DeprecationWarning)
        return subprocess.Popen(
            command,
            env=dict(environment),
            process_group=group,
            preexec_fn=_prepare(),  # noqa: PLW1509 - see there
            **options,
        )


def signal_group(group: int, number: int) -> None:
    """Send a signal to a process group, if there is still one."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS: the latter where only zombies are left
        return


def output_of(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    folder: str,
    seconds: float,
    stopped: Callable[[], int],
    inherited: Sequence[int] = (),
) -> tuple[int, bytes, bytes]:
    """Return exit code, output and log of a short program; it is stopped as a pipe is.

    Raises:
        Stopped: This process got a signal.
        FleetError: The program took longer than `seconds`.
    """
    begun = time.monotonic()
    process = start(
        command, environment, group=0, cwd=folder, pass_fds=inherited,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        while True:
            try:
                out, err = process.communicate(timeout=0.1)
            except subprocess.TimeoutExpired:
                if not stopped() and time.monotonic() - begun < seconds:
                    continue
                signal_group(process.pid, signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    process.communicate(timeout=PATIENCE_SECONDS)
                if stopped():
                    raise Stopped(stopped()) from None
                raise FleetError("the tap did not say within timeout what it can read") from None
            else:
                return process.returncode, out, err
    finally:
        if process.poll() is None:
            signal_group(process.pid, signal.SIGKILL)
            process.wait()
