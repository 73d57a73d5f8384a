"""Cells that are written a column at a time are those that are written one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from target_oneroster._core.codec import ScaleValue, UserId
from target_oneroster._core.model import FILES, Kind
from target_oneroster.records.cells import cell_text, column_text

TEXT = st.text("ab ,{}:\n\té", max_size=4)
END = st.none() | TEXT
FIELDS = {field.kind: field for file in FILES for field in file.fields if column_text(field)}
ELEMENTS = {
    Kind.USER_IDS: st.builds(UserId, END, END),
    Kind.SCALE_VALUES: st.builds(ScaleValue, END, END),
}


def test_all_kinds_of_lists_are_written_by_columns():
    assert FIELDS.keys() == {
        kind for kind in Kind if kind.is_list and kind in {f.kind for o in FILES for f in o.fields}
    }


@given(st.data(), st.sampled_from(list(FIELDS)))
def test_a_column_has_the_cells_of_its_values(data, kind):
    """Elements may hold commas, braces, blanks and line breaks, or nothing."""
    field = FIELDS[kind]
    values = data.draw(st.lists(st.none() | st.lists(ELEMENTS.get(kind, TEXT), max_size=3), max_size=5))
    write, write_all = cell_text(field), column_text(field)
    assert write
    assert write_all
    assert write_all(values) == [write(value) if value else "" for value in values]
