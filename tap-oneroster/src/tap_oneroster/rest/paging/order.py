"""Whether ids stand in order, in one of the ways in which databases sort text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["looks_sorted"]

_PARTS = re.compile(r"(\d+)")


def _natural(text: str) -> list[Any]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part.lower()) for part in _PARTS.split(text)]


def _letters(text: str) -> str:
    """As collations that pass over punctuation see it."""
    return "".join(filter(str.isalnum, text)).lower()


_ORDERS: tuple[Callable[[str], Any], ...] = (str, str.lower, _letters, _natural)


def looks_sorted(ids: Sequence[str | None]) -> bool:
    """Whether the ids ascend; which collation a service sorts by is its own affair."""
    texts = [one for one in ids if one]
    return any(_ascends(list(map(key, texts))) for key in _ORDERS)


def _ascends(keys: Sequence[Any]) -> bool:
    return all(one <= other for one, other in itertools.pairwise(keys))
