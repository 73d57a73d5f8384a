"""Columns of dates and times that are already written as the warehouse has them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oneroster_core.coerce.dates import are_utc_millis, read_datetime

CANONICAL = st.datetimes().map(lambda one: f"{one:%H:%M:%S}.{one.microsecond // 1000:03d}Z")
DAYS = st.dates().map(str) | st.sampled_from(
    ["2026-02-29", "2028-02-29", "2026-00-10", "2026-13-01", "2026-04-31", "2026-01-00", "1849-12-31", "9999-12-31"]
)
TIMES = CANONICAL | st.sampled_from(
    ["00:00:00.000Z", "23:59:59.999Z", "24:00:00.000Z", "29:00:00.000Z", "19:59:60.000Z", "12:60:00.000Z",
     "14:08:04.512z", "14:08:04.51Z", "14:08:04.5120Z", "14:08:04.512", "14:08:04,512Z", "1٤:08:04.512Z"]
)  # fmt: skip
MOMENTS = st.builds("{}T{}".format, DAYS, TIMES)
TEXTS = MOMENTS | st.sampled_from(["", "\n", "2026-10-10", "2026-10-10 14:08:04.512Z"])


@settings(max_examples=500, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=3) | st.lists(MOMENTS.filter(str.isascii), min_size=2, max_size=6))
def test_a_column_is_canonical_if_each_of_its_texts_is(texts: list[str]) -> None:
    """A day that does not exist, an hour 24 or a year that nobody means: then each text is read on its own."""
    assert are_utc_millis(texts) == all(read_datetime(text) == (text, None) for text in texts)


def test_two_moments_in_one_text_are_none() -> None:
    """A line break inside of a text is not the end of it."""
    moment = "2026-10-10T14:08:04.512Z"
    assert are_utc_millis([moment, moment])
    assert not are_utc_millis([f"{moment}\n{moment}"])
    assert not are_utc_millis([f"{moment}\n{moment}", ""])


def test_a_day_is_judged_again_after_another_column() -> None:
    """Days that were valid are remembered, and those that were not are refused each time."""
    assert are_utc_millis(["2026-10-10T14:08:04.512Z"])
    for _ in range(2):
        assert not are_utc_millis(["2026-10-10T14:08:04.512Z", "2026-10-32T14:08:04.512Z"])


@pytest.mark.parametrize("place", [0, 99, 100, 199, 200, 236])
def test_a_day_that_does_not_exist_is_found_anywhere_in_a_long_column(place: int) -> None:
    """The days of a column are taken a hundred at a time, and the rest one by one."""
    texts = ["2026-10-10T14:08:04.512Z"] * 237
    assert are_utc_millis(texts)
    texts[place] = "2026-02-30T14:08:04.512Z"
    assert not are_utc_millis(texts)
