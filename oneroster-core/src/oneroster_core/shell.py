"""Files that the command line names, read with an error of one line where they are not what they should be."""

from __future__ import annotations

import io
import json
from typing import IO

from click import ClickException

__all__ = ["json_object", "unreadable"]


def unreadable(option: str, error: Exception) -> ClickException:
    """What to say of a file that an option names and that could not be read."""
    if isinstance(error, FileNotFoundError):
        return ClickException(f"{option}: no such file")
    if isinstance(error, OSError):
        return ClickException(f"{option}: the file cannot be opened")
    return ClickException(f"{option}: not a file with one JSON object in it")


def json_object(option: str, file: IO[str] | None) -> IO[str] | None:
    """The same text again, once it is known to be a JSON object."""
    if file is None:
        return None
    try:
        text = file.read()
        found = json.loads(text)
    except (OSError, ValueError) as error:
        raise unreadable(option, error) from None
    if not isinstance(found, dict):
        raise unreadable(option, TypeError())
    return io.StringIO(text)
