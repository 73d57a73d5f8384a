"""The ids that were read so far."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tap_oneroster.rest.paging.seen import SeenIds

IDS = st.text(min_size=1, max_size=2) | st.sampled_from(["a", "B", "é", "10", "9"])
PAGES = st.lists(st.lists(IDS, max_size=6), max_size=6)


@settings(deadline=None)
@given(PAGES, st.integers(0, 6))
def test_ids_are_known_whether_they_ascend_or_not(pages: list[list[str]], ascending: int) -> None:
    """Some first pages ascend, as services sort; the others come in any order, with ids that came before."""
    ordered = sorted({one for page in pages[:ascending] for one in page})
    read = [ordered[start : start + 3] for start in range(0, len(ordered), 3)] + pages[ascending:]
    seen, known = SeenIds(), set[str]()
    for page in read:
        again = []
        for place, one in enumerate(page):
            if one in known:
                again.append(place)
            known.add(one)
        assert seen.add(page) == again
        assert len(seen) == len(known)
        for one in [*ordered, *(one for page in pages for one in page), "", "zz"]:
            assert (one in seen) == (one in known)


def test_many_ids_that_stop_to_ascend_are_all_kept() -> None:
    """More than the set has room for at first."""
    ids = [f"{number:06}" for number in range(20_000)]
    seen = SeenIds()
    for start in range(0, len(ids), 1000):
        assert seen.add(ids[start : start + 1000]) == []
    assert seen.add(["0", ids[7], "1", ids[-1]]) == [1, 3]
    assert seen.add(ids) == list(range(len(ids)))
    assert len(seen) == len(ids) + 2
