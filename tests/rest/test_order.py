"""Collations: which neighbours they order differently."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tap_oneroster.rest.paging.order import disputed, looks_sorted

if TYPE_CHECKING:
    from collections.abc import Callable


def _natural(text: str) -> list[Any]:
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"(\d+)", text.lower()))]


COLLATIONS: list[Callable[[str], Any]] = [
    lambda text: text,
    str.lower,
    lambda text: "".join(one for one in text if one.isalnum()).lower(),
    _natural,
]
# Few characters, so that ids have much in common; letters of both cases, digits of two scripts, and a line end.
IDS = st.lists(st.text("0129abzAZ-_.\nÜü٢", min_size=1, max_size=6), max_size=5)
ALIKE = st.lists(st.from_regex(r"[a-cX]{1,2}-?[0-3]{2}_[0-9]?[ab]*", fullmatch=True), max_size=5)


@settings(max_examples=500, deadline=None)
@example(["a9", "a10"])
@example(["B-1", "a-2"])
@example(["a-9b", "a-9-0"])
@example(["12a", "1a0"])
@example(["ab٢", "a٢"])
@given(IDS | ALIKE | ALIKE.map(lambda ids: sorted(ids, key=str.lower)))
def test_the_first_neighbours_that_each_collation_would_swap_are_found(ids: list[str]) -> None:
    """Each collation is applied to each id, without a shortcut for ids that are alike."""
    expected = {}
    for number, key in enumerate(COLLATIONS):
        swapped = [(one, other) for one, other in pairwise(ids) if key(one) > key(other)]
        if swapped:
            expected[number] = swapped[0]
    assert disputed(ids) == expected
    assert looks_sorted(ids) == (len(expected) < len(COLLATIONS))
