"""Failures as one line that says what to do, never with a value of a record."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import click
import duckdb

__all__ = ["Held", "Misconfigured", "TargetError", "one_line"]


class TargetError(click.ClickException):
    """The run did not complete. The message is one line without any value of a record; the exit code is 1."""


class Held(TargetError):
    """A brake holds the result back: someone has to look."""

    exit_code = 3


class Misconfigured(TargetError):
    """A setting, or what a setting names, is refused: another try is of no use."""

    exit_code = 4


def one_line(error: Exception, nothing_done: str = "Nothing was published.", folder: Path | None = None) -> str:
    """Return an unexpected failure as one line without any value; `nothing_done` says what became of the run.

    Texts of the engine may quote cells, and texts of the machine name a path at most: only the
    latter pass. `folder` is where rows are staged.
    """
    if isinstance(error, click.ClickException):
        return error.message
    if (isinstance(error, OSError) and error.errno == errno.ENOSPC) or (
        isinstance(error, duckdb.Error) and "No space left" in str(error)
    ):
        where = folder or Path(tempfile.gettempdir())
        move = ", or set TMPDIR" if where == Path(tempfile.gettempdir()) else ""
        return f"No space left on device: rows are staged in {where}. {nothing_done} Free some space there{move}, and run again."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if isinstance(error, duckdb.Error):
        return f"The staging engine failed ({type(error).__name__}). {nothing_done}"
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" in {Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}" if trace else ""
    return f"Unexpected {type(error).__name__}{place}. {nothing_done} Please report this line."
