"""The words of the audit: cell, finding, severity and verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from hashlib import sha256
from typing import NamedTuple

ALL = "*"
"""Stands in a cell for what is summed."""


class Cell(NamedTuple):
    """File, school, role and term. What has none is empty; what is summed is `*`."""

    file: str = ""
    school: str = ""
    role: str = ""
    term: str = ""


class Severity(IntEnum):
    """How much a finding counts, the least first."""

    NOTE = 0
    WARN = 1
    HOLD = 2
    UNKNOWN = 3


class Verdict(StrEnum):
    """The answer for a cell, and for the load."""

    PASSED = "passed"
    NOTED = "noted"
    HELD = "held"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Finding:
    """An answer that somebody should read: counts only."""

    check: str
    severity: Severity
    cell: Cell = field(default_factory=Cell)
    column: str = ""
    before: int | None = None
    now: int | None = None
    count: int = 0
    """Number of rows behind it."""
    share: float | None = None
    """0 to 1."""
    root: str = ""
    """Id of the finding from which it follows; it holds nothing by itself then."""
    planned: bool = False
    """True if the calendar said so before."""
    approved_by: str = ""
    first_load: int = 0

    @property
    def id(self) -> str:
        """The same on every night: a digest of check, cell and column."""
        text = "\x1f".join((self.check, *self.cell, self.column))
        return sha256(text.encode()).hexdigest()[:12]
