"""Order: whether ids ascend, and what the order of a collection says about its end."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from operator import le
from typing import TYPE_CHECKING, Any

from .answers import Refused

if TYPE_CHECKING:
    from .answers import Answer, Fetch
    from .seen import SeenIds

_PARTS = re.compile(r"(\d+)")
_WORD = re.compile(r"[a-z]+")
_ZEROS = str.maketrans("123456789", "0" * 9)
_LETTERS = {code: chr(code).lower() if chr(code).isalnum() else None for code in range(128)} | {ord("\n"): "\n"}
_DESCENDS = "sorts in descending order, too"
_ASCENDS_ONLY = "sorts in ascending order only"
NO_KEY = "does not filter by sourcedId"
_FILTERS_AS_IT_SORTS = "filters by sourcedId as it sorts"


def _natural(text: str) -> list[Any]:
    """Return the parts of a text, of which every second one is a number."""
    parts: list[Any] = _PARTS.split(text.lower())
    parts[1::2] = map(int, parts[1::2])
    return parts


def _letters(text: str) -> str:
    """Return a sort key like that of collations that ignore punctuation."""
    return "".join(filter(str.isalnum, text)).lower()


def _all_letters(texts: Sequence[str]) -> list[str]:
    lines = "\n".join(texts)
    keys = lines.translate(_LETTERS).split("\n") if lines.isascii() else []
    return keys if len(keys) == len(texts) else list(map(_letters, texts))


_ORDERS: tuple[Callable[[Sequence[str]], list[Any]], ...] = (
    list,
    lambda texts: list(map(str.lower, texts)),
    _all_letters,
    lambda texts: list(map(_natural, texts)),
)
_LOWER, _NATURAL = 1, 3


def looks_sorted(ids: Sequence[str | None]) -> bool:
    """True if the ids ascend in one of the collations that services use."""
    texts = [one for one in ids if one]
    return any(_ascends(keys(texts)) for keys in _ORDERS)


def _ascends(keys: Sequence[Any]) -> bool:
    return all(map(le, keys, itertools.islice(keys, 1, None)))


def _forms(texts: Sequence[str]) -> list[str]:
    """Return the texts with 0 for each digit and one letter for each word; none if a text is not ASCII."""
    lines = "\n".join(texts).lower()
    forms = _WORD.sub("a", lines.translate(_ZEROS)).split("\n") if lines.isascii() else []
    return forms if len(forms) == len(texts) else []


def top_of(fetch: Fetch, first: Sequence[str | None]) -> tuple[Sequence[str | None], bool]:
    """Return the last ids in the order, from a page in descending order, and True if that page was empty.

    There are none if the service cannot tell. `first` are the ids of the first page in ascending order. Rows that the
    service hides after paging do no harm: all rows above the first of the returned ids are hidden.
    """
    if _ASCENDS_ONLY in fetch.known:
        return (), False
    answer = fetch.last()
    ids = answer.page.ids if answer else []
    is_first_again = bool(first) and ids[:1] == list(first[:1])
    if answer is None or (is_first_again and len(first) > 1):
        fetch.known.add(_ASCENDS_ONLY)
        return (), False
    if is_first_again and _DESCENDS not in fetch.known:  # with one row, both orders look the same
        return (), False
    top = [one for one in ids if one] if looks_sorted(ids[::-1]) else []
    if top and first:
        fetch.known.add(_DESCENDS)
    return top, not ids


def rows_after(
    fetch: Fetch, last: str, seen: SeenIds, pairs: Mapping[int, tuple[str, str]], further: Sequence[int] = ()
) -> tuple[int, Answer] | None:
    """Return the first page of rows after an id, and its offset from there; None if the filter does not work.

    Offsets then count from the id. If no row follows, the page is empty, and offsets stay unchanged. `pairs` are ids
    that follow one another in the pages; the filter must return them in the same order. `further` are offsets to
    request if the first page is empty, because the service may hide its rows.
    """
    if NO_KEY in fetch.known or not _filters_as_it_sorts(fetch, pairs):
        return None
    if not (answer := fetch.after(last)):
        fetch.known.add(NO_KEY)
        return None
    found = _first_rows(fetch, answer, further)
    page = found[1].page
    if not any(one in seen for one in page.ids if one):
        if not len(page):
            fetch.back()
        return found
    fetch.back()
    fetch.known.add(NO_KEY)
    return None


def _first_rows(fetch: Fetch, first: Answer, further: Sequence[int]) -> tuple[int, Answer]:
    if not len(first.page):
        for offset in further:
            try:
                answer = fetch(offset, few_tries=True)
            except Refused:
                break
            if len(answer.page):
                return offset, answer
    return 0, first


def _filters_as_it_sorts(fetch: Fetch, pairs: Mapping[int, tuple[str, str]]) -> bool:
    """Return True if `sourcedId>'…'` compares ids as the service sorts them, as far as these pairs tell."""
    for order, (one, other) in pairs.items():
        agrees = f"{_FILTERS_AS_IT_SORTS} ({order})"
        if agrees in fetch.known:
            continue
        answer = fetch.after(one)
        if answer:
            fetch.back()
        if answer is None or answer.page.ids[:1] != [other]:
            fetch.known.add(NO_KEY)
            return False
        fetch.known.add(agrees)
    return True


def disputed(ids: Sequence[str | None]) -> dict[int, tuple[str, str]]:
    """Return, for each collation that orders some neighbours differently, the first two such ids."""
    texts = [one for one in ids if one]
    found: dict[int, tuple[str, str]] = {}
    for order, keys_of in enumerate(_ORDERS):
        row: int | None
        if order == _NATURAL and _LOWER not in found and (forms := _forms(texts)):
            # Texts of the same form have numbers of the same length, which are in the order of their digits.
            unlike = (row for row in range(len(texts) - 1) if forms[row] != forms[row + 1])
            row = next((row for row in unlike if _natural(texts[row]) > _natural(texts[row + 1])), None)
        else:
            keys = keys_of(texts)
            row = None if _ascends(keys) else next(n for n in range(len(keys) - 1) if keys[n] > keys[n + 1])
        if row is not None:
            found[order] = texts[row], texts[row + 1]
    return found
