"""Rows that become lines without records: the same bytes and the same counts, whatever is in the cells."""

from __future__ import annotations

import csv
import io
from collections import Counter

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from tap_oneroster._core.codec import content_digest, encode_rows, record_lines
from tap_oneroster._core.model import Version, file
from tap_oneroster.bundle.read.lines import LineReader
from tap_oneroster.bundle.read.records import ChunkRecords, RecordReader
from tap_oneroster.bundle.read.rows import RowReader
from tap_oneroster.policy import Policy
from tap_oneroster.source import Records

from tests.support.cells import CELL, CSV, IDS, ODD, PLAIN


def both_ways(name, rows, *, extra=(), bom=False, end="\r\n", policy=None):
    """Chunks as encoded by the shorter way, by way of records, and what each found odd."""
    of, policy = file(name), policy or Policy()
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([[*of.header(Version.V1_2), *extra], *rows])
    data = text.getvalue().encode("utf-8-sig" if bom else "utf-8", errors="replace")
    reader = RowReader(of, io.BytesIO(data), "a file", Counter())
    lines = LineReader(
        of, reader.header, Version.V1_2, policy, RecordReader(of, reader.header, Version.V1_2, policy, Counter())
    )
    records = RecordReader(of, reader.header, Version.V1_2, policy, Counter())
    for chunk in reader.chunks():
        odd: Counter[str] = Counter()
        counted: Counter[str] = Counter()
        made = encode_rows(records.read(chunk, counted))
        if of.school:
            check_counts(ChunkRecords(of, chunk, records), of.school)
        yield lines.rows(chunk, odd), made, odd, counted
        assert lines.stamped == records.stamped or not odd


def check_counts(batch, field):
    """The count of a school's rows, which reads each distinct cell once, is that of the records."""
    for among in (None, [place % 2 == 0 for place in range(len(batch))]):
        assert batch.counts(field, among) == Records.counts(batch, field, among)


def check(name, rows, **more):
    """How many rows went the shorter way, all of them to the same bytes."""
    plain = 0
    for short, made, odd, counted in both_ways(name, rows, **more):
        if short is None:
            assert odd == {}
            continue
        plain += len(short.content)
        assert (short.lines, short.content) == (made.lines, made.content)
        assert record_lines(short, name, 1, "t") == record_lines(made, name, 1, "t")
        assert record_lines(short, name, 1, "t", "é") == record_lines(made, name, 1, "t", "é")
        assert content_digest(short.content) == content_digest(made.content)
        assert odd == counted
    return plain


@settings(max_examples=300, deadline=None)
@given(
    st.data(), st.sampled_from(CSV), st.integers(0, 3), st.booleans(), st.sampled_from(["\n", "\r\n"]), st.booleans()
)
def test_any_cells_give_the_bytes_of_their_records(data, of, extra, bom, end, plain):
    width = len(of.columns(Version.V1_2)) + extra - 1
    ids = st.sampled_from(IDS)
    rows = data.draw(
        st.lists(
            st.tuples(ids, st.lists(PLAIN if plain else CELL, min_size=width, max_size=width)), min_size=1, max_size=5
        )
    )
    keys = ["metadata.a", 'metadata.b "c"', "metadata.ü"][:extra]
    taken = check(of.name, [[key, *cells] for key, cells in rows], extra=keys, bom=bom, end=end)
    event(f"plain={plain}, shorter way: {taken > 0}")


@given(st.lists(st.sampled_from(ODD), min_size=1, max_size=6))
@example(["\\"])
@example(['"', "\\"])
def test_odd_names_give_the_bytes_of_their_records(names):
    check("orgs", [[str(i), "", "", name, "school", "", ""] for i, name in enumerate(names)])


@pytest.mark.parametrize("name", ["Zoë", 'say "hi"', "Smith, Jr.", "a\\b", "漢字", "😀", "NULL", 'Ωλ "x", \\y'])
def test_names_that_people_bear_go_the_shorter_way(name):
    """Else a whole district with one backslash in each row would take three times as long."""
    rows = [[str(i), "", "", name, "school", name, ""] for i in range(3)]
    assert check("orgs", rows) == 3


@pytest.mark.parametrize("control", ["\t", "\x01", "\x1e", "\x1f", "a\nb"])
def test_control_characters_go_by_way_of_records(control):
    assert check("orgs", [["1", "", "", f"a{control}", "school", "", ""]]) == 0


def test_users_go_the_shorter_way_with_lists_and_metadata():
    header = file("users").header(Version.V1_2)
    user = {
        "sourcedId": "ü1",
        "enabledUser": "true",
        "userIds": '{LDAP:uid="x"},{SIS:007}',
        "agentSourcedIds": "a,b",
        "grades": "09,10",
    }
    row = [user.get(name, "") for name in header]
    assert check("users", [[*row, "7", ""], [*row, "", "ß"], [*row, "", ""]], extra=["metadata.bus", "metadata.x"]) == 3


def test_more_different_cells_than_are_remembered():
    rows = [
        [str(i), "", "", f"Year {i}", "schoolYear", f"{1900 + i}-01-01", "2026-06-30", "", "2026"] for i in range(8000)
    ]
    assert check("academicSessions", rows) == 8000
