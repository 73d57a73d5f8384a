"""A row of the warehouse shape: every field of its file, in the model's order; empty fields are None."""

from __future__ import annotations

from functools import cache
from typing import Any

from ._core.model import file

Row = dict[str, Any]


@cache
def _blank(name: str) -> Row:
    return dict.fromkeys(field.name for field in file(name).fields)


def row(name: str, values: Row) -> Row:
    """Return a complete row of that file."""
    return _blank(name) | values
