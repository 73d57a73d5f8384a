"""Rows that become columns of Arrow: the same values, bytes, counts and row numbers as by way of records."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tap_oneroster._core.codec import encode_rows
from tap_oneroster._core.model import Kind, Version, file
from tap_oneroster.bundle.read.records import RecordReader
from tap_oneroster.bundle.read.rows import PlainChunk, RowReader
from tap_oneroster.policy import Policy
from tap_oneroster.source import Records

from tests.support.cells import CELL, CSV, IDS, PLAIN

pytest.importorskip("pyarrow")
from tap_oneroster.bundle.read.columns import ColumnReader, ColumnRecords


def text_of(name, rows, *, extra=(), end="\r\n"):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([[*file(name).header(Version.V1_2), *extra], *rows])
    return text.getvalue().encode("utf-8", errors="replace")


class Read:
    """What came of a file."""

    def __init__(self, name, data, *, columnar, block_size=96 * 1024):
        of, shape = file(name), Policy()
        self.rejected: list[tuple[int, str]] = []
        self.odd: Counter[str] = Counter()
        self.deviations: Counter[str] = Counter()
        self.records: list[Any] = []
        self.content: list[bytes] = []
        self.values: list[dict[str, Any]] = []
        self.numbers: list[int] = []
        self.quick = 0
        rows = RowReader(
            of,
            io.BytesIO(data),
            "a file",
            self.deviations,
            lambda number, rule: self.rejected.append((number, rule)),
            block_size=block_size,
        )
        reader = RecordReader(of, rows.header, Version.V1_2, shape, self.deviations)
        columns = ColumnReader(of, rows.header, Version.V1_2, shape, reader)
        for chunk in rows.chunks(columns.split) if columnar else rows.chunks():
            self.numbers += chunk.numbers
            batch = columns.read(chunk, self.odd) if columnar else None
            if batch:
                assert isinstance(batch, ColumnRecords)
                self.quick += len(batch)
                self.records += batch.records
                self.content += batch.content
                made = [
                    dict(zip(batch.arrays, row, strict=True))
                    for row in zip(*(a.to_pylist() for a in batch.arrays.values()), strict=True)
                ]
                self.values += [{n: as_json(of.field(n).kind, v) for n, v in row.items()} for row in made]
                school = of.school
                if school:
                    among = [place % 2 == 0 for place in range(len(batch))]
                    for picked in (None, among):
                        assert batch.counts(school, picked) == Records.counts(batch, school, picked)
                stamps = set(zip(batch.values("status"), batch.values("dateLastModified"), strict=True))
                assert not batch.is_uniform or len(stamps) == 1
            else:
                records = reader.read(chunk, self.odd)
                self.records += records
                encoded = encode_rows(records)
                self.content += encoded.content
                self.values += list(map(json.loads, encoded.lines.split(b"\n")[:-1]))
        self.stamped = columns.stamped or reader.stamped


def as_json(kind, value):
    """A value of Arrow as it is in JSON."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return json.loads(value) if kind == Kind.OBJECT and value is not None else value


def check(name, data, block_size=96 * 1024):
    """How many rows became columns, all of them like their records."""
    made = Read(name, data, columnar=False)
    quick = Read(name, data, columnar=True, block_size=block_size)
    assert quick.records == made.records
    assert quick.content == made.content
    assert quick.values == made.values
    assert quick.numbers == made.numbers
    assert quick.rejected == made.rejected
    assert quick.odd == made.odd
    assert quick.deviations == made.deviations
    assert quick.stamped == made.stamped
    return quick.quick


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(CSV), st.integers(0, 3), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_cells_give_the_values_of_their_records(data, of, extra, end, plain):
    width = len(of.columns(Version.V1_2)) + extra - 1
    ids = st.sampled_from(IDS + ([] if plain else ["", " ", "NULL", " NULL", "e\0"]))
    cell = PLAIN if plain else CELL
    rows = data.draw(st.lists(st.tuples(ids, st.lists(cell, min_size=width, max_size=width)), min_size=1, max_size=5))
    keys = ["metadata.a", 'metadata.b "c"', "metadata.ü"][:extra]
    quick = check(of.name, text_of(of.name, [[key, *cells] for key, cells in rows], extra=keys, end=end))
    event(f"plain={plain}, columns: {quick > 0}")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*'"",\n\r\r\n', "\r\n", "a", "b", " ", "é", "\t", "x,y,z,,,,\n"]), max_size=40))
def test_any_text_is_read_as_the_parser_reads_it(pieces):
    """Quotes in odd places, bare carriage returns, ragged and blank rows: never other rows than the parser's."""
    data = text_of("orgs", [["1", "", "", "first", "school", "", ""]]) + "".join(pieces).encode()
    try:
        made = Read("orgs", data, columnar=False)
    except Exception as error:
        with pytest.raises(type(error), match=r"cannot be read on|without even"):
            Read("orgs", data, columnar=True)
        return
    assert check("orgs", data) <= len(made.records)


@pytest.mark.parametrize("name", ["Zoë", 'say "hi"', "Smith, Jr.", "a\\b", "漢字", "😀", "NULL", 'Ωλ "x", \\y', ""])
def test_names_that_people_bear_become_columns(name):
    data = text_of("orgs", [[str(i), "", "", name, "school", name, ""] for i in range(3)])
    assert check("orgs", data) == 3


def test_one_odd_row_sends_its_block_by_way_of_records_and_no_other():
    rows = [[f"org {i}", "", "", "x" * 50, "school", "", ""] for i in range(5000)]
    rows[2500][3] = "a\tb"
    assert 4000 < check("orgs", text_of("orgs", rows), block_size=20_000) < 5000


@pytest.mark.parametrize("key", ["\ufeffid", "\ufeff id", "id"])
def test_a_byte_order_mark_at_the_start_of_a_block_stays_where_it_is(key):
    """Arrow would take it for no text: the same bytes have the same digest on every path."""
    rows = [[f"{key} {i}", "", "", "x" * 50, "school", "", ""] for i in range(500)]
    for size in (96 * 1024, 100, 4000):
        check("orgs", text_of("orgs", rows), block_size=size)


@pytest.mark.parametrize("before", [0, 20_000])
def test_a_cell_that_is_too_long_is_refused_by_both_ways(before):
    short = ["2"] + [""] * 6
    data = text_of("orgs", [*[short] * before, ["1", "", "", "x" * 140_000, "school", "", ""], *[short] * 9])
    for columnar in (False, True):
        with pytest.raises(Exception, match="field larger than field limit"):
            Read("orgs", data, columnar=columnar, block_size=1 << 20)


def test_a_number_that_no_column_holds_goes_by_way_of_records():
    header = file("lineItems").header(Version.V1_2)
    rows = [
        [{"sourcedId": str(i), "resultValueMax": "1e400" if i else "1"}.get(n, "") for n in header] for i in range(2)
    ]
    check("lineItems", text_of("lineItems", rows))
    integers = [f for f in CSV for c in f.columns(Version.V1_2) if c.kind == Kind.INTEGER]
    for of in integers:
        cells = {c.name: "99999999999999999999" for c in of.columns(Version.V1_2) if c.kind == Kind.INTEGER}
        row = [{"sourcedId": "1", **cells}.get(n, "") for n in of.header(Version.V1_2)]
        assert check(of.name, text_of(of.name, [row])) == 0


def test_plain_chunks_know_their_columns_as_text():
    """Who asks for cells, as derived streams do, gets text, whatever the chunk is made of."""
    of = file("orgs")
    rows = RowReader(of, io.BytesIO(text_of("orgs", [["1", "", "", "é", "school", "", ""]])), "a file", Counter())
    reader = RecordReader(of, rows.header, Version.V1_2, Policy(), Counter())
    (chunk,) = rows.chunks(ColumnReader(of, rows.header, Version.V1_2, Policy(), reader).split)
    assert isinstance(chunk, PlainChunk)
    assert list(chunk.rows()) == [("1", "", "", "é", "school", "", "")]
    assert list(chunk.part(0, 0).rows()) == []
