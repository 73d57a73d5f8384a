"""Blocks of Singer lines become Airbyte lines without a record being decoded."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oneroster_core.codec import encode_rows, record_class, record_lines
from oneroster_core.model import file
from tap_oneroster.airbyte.messages import translate

USERS = file("users")
TRAPS = [
    '"}',
    '","version":1',
    ',"version":7,"time_extracted":"t"}\n{"type":"RECORD","stream":"users","record":',
    "\n",
    "é\u2028",
]
texts = st.one_of(st.none(), st.sampled_from(TRAPS), st.text())


@given(
    values=st.lists(
        st.tuples(texts, texts, st.dictionaries(st.sampled_from([*TRAPS, "record", "version"]), texts)), min_size=1
    ),
    tenant=st.one_of(st.none(), st.sampled_from(TRAPS)),
)
def test_every_record_is_what_it_was(values, tenant):
    """Whatever stands in it, such as the very words that stand around it."""
    make = record_class(USERS)
    records = [make(sourcedId=one or "", givenName=other, metadata=keys) for one, other, keys in values]
    lines = record_lines(encode_rows(records), "users", 7, "t", tenant)
    block = translate(lines, 12)
    assert (block.stream, block.records) == ("users", len(records))
    before = [json.loads(line)["record"] for line in lines.splitlines()]
    after = [json.loads(line) for line in block.lines.split(b"\n")[:-1]]
    assert after == [
        {"type": "RECORD", "record": {"stream": "users", "data": record, "emitted_at": 12}} for record in before
    ]


def test_lines_that_are_not_alike_are_not_passed_on():
    """A block of two versions would leave Singer's words between its records."""
    rows = encode_rows([record_class(USERS)(sourcedId="1")])
    two = record_lines(rows, "users", 1, "t") + record_lines(rows, "users", 2, "t")
    with pytest.raises(ValueError, match="not alike"):
        translate(two, 12)
