"""Processes that die with their parent: a process group of their own, and on Linux a signal at the parent's death."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["signal_group", "start"]

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
