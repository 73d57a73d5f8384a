"""Order: whether ids ascend, and what the order of a collection says about its end."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers import Fetch, PageRows
    from .seen import SeenIds

__all__ = ["NO_KEY", "looks_sorted", "rows_after", "top_of"]

_PARTS = re.compile(r"(\d+)")
_DESCENDS = "sorts in descending order, too"
_ASCENDS_ONLY = "sorts in ascending order only"
NO_KEY = "does not filter by sourcedId"


def _natural(text: str) -> list[Any]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part.lower()) for part in _PARTS.split(text)]


def _letters(text: str) -> str:
    """Return a sort key like that of collations that ignore punctuation."""
    return "".join(filter(str.isalnum, text)).lower()


_ORDERS: tuple[Callable[[str], Any], ...] = (str, str.lower, _letters, _natural)


def looks_sorted(ids: Sequence[str | None]) -> bool:
    """True if the ids ascend in one of the collations that services use."""
    texts = [one for one in ids if one]
    return any(_ascends(list(map(key, texts))) for key in _ORDERS)


def _ascends(keys: Sequence[Any]) -> bool:
    return all(one <= other for one, other in itertools.pairwise(keys))


def top_of(fetch: Fetch, first: Sequence[str | None]) -> tuple[str | None, bool]:
    """Return the last id in the order, from a page in descending order, and True if that page was empty.

    The id is None if the service cannot tell. `first` are the ids of the first page in ascending order. Rows that the
    service hides after paging do no harm: all rows above the returned id are hidden.
    """
    if _ASCENDS_ONLY in fetch.known:
        return None, False
    answer = fetch.last()
    ids = answer.page.ids if answer else []
    is_first_again = bool(first) and ids[:1] == list(first[:1])
    if answer is None or (is_first_again and len(first) > 1):
        fetch.known.add(_ASCENDS_ONLY)
        return None, False
    if is_first_again and _DESCENDS not in fetch.known:  # with one row, both orders look the same
        return None, False
    top = ids[0] if ids and looks_sorted(ids[::-1]) else None
    if top and first:
        fetch.known.add(_DESCENDS)
    return top, not ids


def rows_after(fetch: Fetch, last: str, seen: SeenIds) -> PageRows | None:
    """Return the page of rows after an id, from which offsets then count; None if the filter does not work."""
    if NO_KEY in fetch.known:
        return None
    answer = fetch.after(last)
    if answer and len(answer.page) and not any(one in seen for one in answer.page.ids if one):
        return answer.page
    if answer:
        fetch.back()
    if answer and not len(answer.page):
        return answer.page
    fetch.known.add(NO_KEY)
    return None
