"""Ids of derived rows are name-based UUIDs (version 5), whatever makes them."""

from __future__ import annotations

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st
from oneroster_core.model import FILES
from oneroster_core.model.ids import derived_id

NAMESPACE = UUID("688ae30d-602f-58b8-9e96-02dbe56a67bf")
DERIVED = [file for file in FILES if file.derived]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    st.sampled_from(DERIVED), st.lists(st.none() | TEXTS, min_size=1, max_size=4), st.integers(min_value=0, max_value=9)
)
def test_an_id_is_what_uuid5_makes_of_the_same_name(file, identity, ordinal):
    """The prepared hash gives the same id as the standard library, for any text."""
    name = "\x1f".join((file.name, *(part or "" for part in identity), str(ordinal)))
    assert derived_id(file, tuple(identity), ordinal) == str(uuid5(NAMESPACE, name))
