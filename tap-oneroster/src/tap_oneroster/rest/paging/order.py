"""Order: whether ids ascend, and what the order of a collection tells about its end."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Container, Sequence
from typing import Any

from .answers import Fetch, PageRows

__all__ = ["BY_KEY", "looks_sorted", "rows_after", "top_of"]

_PARTS = re.compile(r"(\d+)")
_DESCENDING = "descending order"
BY_KEY = "filter by sourcedId"


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


def top_of(fetch: Fetch, first: Sequence[str | None]) -> tuple[str | None, bool]:
    """Return the last id of the order, asked for in descending order, and whether that page was empty.

    The id is None where the service cannot tell. `first` are the ids of the first page in ascending
    order. Rows that are hidden after paging cannot deceive here: whatever stands above the id is hidden.
    """
    if _DESCENDING in fetch.cannot:
        return None, False
    answer = fetch.last()
    if answer is None:
        fetch.cannot.add(_DESCENDING)
        return None, False
    ids = answer.page.ids
    if first and ids[:1] == list(first[:1]):
        if len(first) > 1:  # both orders of one row look alike
            fetch.cannot.add(_DESCENDING)
        return None, False
    return (ids[0] if ids and looks_sorted(ids[::-1]) else None), not first and not ids


def rows_after(fetch: Fetch, last: str, seen: Container[str]) -> PageRows | None:
    """Return the page of rows after an id, from which offsets count then; None where the filter is of no use."""
    if BY_KEY in fetch.cannot:
        return None
    answer = fetch.after(last)
    if answer and len(answer.page) and not any(one in seen for one in answer.page.ids if one):
        return answer.page
    fetch.back()
    if answer and not len(answer.page):
        return answer.page
    fetch.cannot.add(BY_KEY)
    return None
