"""A question in metrics, and what is said where it cannot be answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import MartsError

LIMIT = 200
"""Rows of an answer, at most."""


class CannotSay(MartsError):
    """The question cannot be answered; the message is a sentence that says why."""


@dataclass(frozen=True)
class Asked:
    """A question: ids of dimensions, a date as ISO 8601 has it, `order` highest or lowest first, empty for by name."""

    metric: str
    by: tuple[str, ...] = ()
    where: dict[str, tuple[str, ...]] = field(default_factory=dict)
    since: str = ""
    limit: int = LIMIT
    order: str = ""
