"""Errors as one line that says what to do, without any value of a record."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import click
import duckdb


class TargetError(click.ClickException):
    """The run did not complete. The message is one line without any value of a record; the exit code is 1."""


class Held(TargetError):
    """A safety limit holds the result back until a person has checked it."""

    exit_code = 3


class Misconfigured(TargetError):
    """A setting is invalid, or the object that it names cannot be used; a retry would not help."""

    exit_code = 4


def is_exhausted(error: duckdb.Error) -> bool:
    """True if the engine lacks memory or disk space, so that the rows are not to blame."""
    return isinstance(error, duckdb.OutOfMemoryException) or "No space left" in str(error)


def one_line(error: Exception, nothing_done: str = "Nothing was published.", folder: Path | None = None) -> str:
    """Return an unexpected error as one line without any value; `nothing_done` describes the outcome of the run.

    Messages of the engine may quote cells, so they are dropped; messages of the operating system contain a path at
    most, so they are kept. `folder` is the folder of staged rows.
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
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"The staging engine needs more memory. {nothing_done} Raise engine_memory, and run again."
    if isinstance(error, duckdb.Error):
        return f"The staging engine failed ({type(error).__name__}). {nothing_done}"
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" in {Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}" if trace else ""
    return f"Unexpected {type(error).__name__}{place}. {nothing_done} Please report this line."
