"""Numbers of rows with the same references: as a plain count gives them, in little memory."""

from __future__ import annotations

import tracemalloc
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tap_oneroster.twin.ordinals import Ordinals


@given(st.lists(st.lists(st.integers(-20, 20), max_size=12), max_size=12), st.integers(0, 8))
def test_numbers_are_those_of_a_plain_count(batches, most):
    """However often the keys are packed on the way."""
    ordinals = Ordinals()
    seen: Counter[int] = Counter()
    ordinals.most_new = most
    for batch in batches:
        expected = []
        for key in batch:
            expected.append(seen[key])
            seen[key] += 1
        assert ordinals.number(batch) == expected


def test_a_key_that_came_once_takes_few_bytes():
    """A plain count takes about 100."""
    ordinals = Ordinals()
    ordinals.most_new = 1_000
    tracemalloc.start()
    try:
        for start in range(0, 100_000, 2_000):
            assert not any(ordinals.number(hash((start, n)) for n in range(2_000)))
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used < 100_000 * 16
    assert len(ordinals._runs) < 10
