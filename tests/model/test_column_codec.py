"""Records given as columns have the same bytes as the same records as Structs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oneroster_core.codec import (
    Objective,
    ScaleValue,
    UserId,
    content_digest,
    encode_rows,
    line_order,
    record_class,
    record_lines,
)
from oneroster_core.column_codec import ColumnEncoder
from oneroster_core.model import FILES, Field, File, Kind, file

TEXTS = st.text(max_size=6) | st.sampled_from(
    ["", "a", '"', "\\", "a\nb", "\r", "\t", "\0", "\x1f", "\x7f", "\u2028", "é", "नवनी", "🎒", ',"status":', "null"]
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TRUE_FALSE: st.booleans(),
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.NUMBER: st.floats(),
    Kind.REFS: st.lists(TEXTS, max_size=3),
    Kind.STRINGS: st.lists(TEXTS, max_size=3) | st.tuples(TEXTS),
    Kind.WORDS: st.lists(TEXTS, max_size=3),
    Kind.USER_IDS: st.lists(st.builds(UserId, TEXTS, st.none() | TEXTS), max_size=3),
    Kind.SCALE_VALUES: st.lists(st.builds(ScaleValue, st.none() | TEXTS, TEXTS), max_size=2),
    Kind.OBJECTIVES: st.lists(st.builds(Objective, TEXTS, st.none() | st.lists(TEXTS, max_size=2)), max_size=2),
    Kind.OBJECT: st.dictionaries(TEXTS, ANYTHING, max_size=3),
}


def column(field: Field, rows: int) -> st.SearchStrategy[Any]:
    """A column of the field's kind, all blank, with some blank, or of anything at all."""
    own = VALUES.get(field.kind, TEXTS)
    kinds: tuple[st.SearchStrategy[Any], ...] = (st.none(), own, st.none() | own, st.none() | own | ANYTHING)
    return st.sampled_from(kinds).flatmap(lambda one: st.lists(one, min_size=rows, max_size=rows))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_columns_and_structs_are_written_alike(data: st.DataObject) -> None:
    """Any stream, any values: content, digest and lines are the same, byte for byte."""
    stream: File = data.draw(st.sampled_from(FILES))
    secrets, rows = data.draw(st.booleans()), data.draw(st.integers(1, 4))
    columns: list[list[Any]] = [data.draw(column(field, rows)) for field in line_order(stream, secrets=secrets)]
    slow = encode_rows(list(map(record_class(stream, secrets=secrets), *columns)))
    fast = ColumnEncoder(stream, secrets=secrets).rows(columns)
    assert fast.content == slow.content
    assert fast.lines == slow.lines
    assert content_digest(fast.content) == content_digest(slow.content)
    for tenant in (None, "north"):
        assert record_lines(fast, stream.name, 7, "t", tenant) == record_lines(slow, stream.name, 7, "t", tenant)


@pytest.mark.parametrize("status", [None, "active"], ids=["nothing but ids", "a status beside them"])
def test_columns_that_are_blank_in_all_rows_are_written_for_each(status: str | None) -> None:
    orgs = file("orgs")
    given_columns: dict[str, list[Any]] = {"sourcedId": ["a", "b", "c"], "status": [status] * 3}
    columns: list[list[Any]] = [given_columns.get(field.name, [None] * 3) for field in line_order(orgs)]
    slow = encode_rows(list(map(record_class(orgs), *columns)))
    assert ColumnEncoder(orgs).rows(columns).lines == slow.lines


def test_records_without_any_value_are_written() -> None:
    orgs = file("orgs")
    columns: list[list[Any]] = [[None, None] for _ in line_order(orgs)]
    fast = ColumnEncoder(orgs).rows(columns)
    slow = encode_rows(list(map(record_class(orgs), *columns)))
    assert (fast.content, fast.lines) == (slow.content, slow.lines)
