"""The fast way to split plain CSV: it says what a CSV parser says, or nothing."""

from __future__ import annotations

import csv
import io

from hypothesis import example, given
from hypothesis import strategies as st
from tap_oneroster.bundle.read.fast_split import split, text

PIECES = st.sampled_from(
    ["a", "b,c", "", " ", '"', '""', '"a"', '"a,b"', '""""', ",", "\n", "\r\n", "\r", "\x1f", "\0", "é"]
)
PLAIN = st.text("ab ,é", max_size=4)


def parsed(text):
    """Rows as the standard library reads them."""
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def check(plain, width):
    cells = split(plain.encode(), width)
    if cells is not None:
        columns = [list(map(text, column)) for column in cells.columns]
        assert [list(row) for row in zip(*columns, strict=True)] == parsed(plain)
        assert columns == [list(cells.texts(position)) for position in range(width)]
    return cells


@given(st.lists(PIECES, max_size=14).map("".join), st.integers(1, 4))
@example('a,"b"\nc,"d,e"', 2)
@example('"a"\n""\n', 1)
@example('a,b""\n', 2)
def test_what_it_answers_is_what_a_parser_says(text, width):
    check(text, width)


@given(st.data(), st.integers(2, 5), st.sampled_from(["\n", "\r\n"]))
def test_it_answers_for_plain_rows_quoted_or_not(data, width, end):
    rows = data.draw(st.lists(st.lists(PLAIN, min_size=width, max_size=width), min_size=1, max_size=6))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows(rows)
    assert check(text.getvalue(), width) is not None
