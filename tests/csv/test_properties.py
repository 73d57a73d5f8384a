"""Bundles as they are written in practice, in all combinations: the same records, or a line that says why not."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.csv.bundles import ORGS_HEADER, manifest, read, write

MARKS = ["", "\ufeff", "\ufeff\ufeff", "\u200b", "\ufeff\u200b", "\u2060"]
ENCODINGS = ["utf-8", "utf-16", "utf-16-le", "utf-16-be"]
ENDS = ["\n", "\r\n", "\r"]
NAMES = st.text(st.sampled_from("aé漢😀 '-"), min_size=1, max_size=6).filter(str.strip)


@st.composite
def files(draw):
    """An orgs.csv with its ids: marks, preamble, repeated headers, blank lines, with or without a last line end."""
    end, header, names = draw(st.sampled_from(ENDS)), ORGS_HEADER, draw(st.lists(NAMES, min_size=1, max_size=4))
    if draw(st.booleans()):
        header = ",".join(f'"{name}"' for name in header.split(","))
    lines = [*draw(st.sampled_from([[], ["sep=,"], [""], ["sep=,", ""]])), header]
    for number, name in enumerate(names):
        lines += [f"o{number},,,{name},school,,"]
        lines += draw(st.sampled_from([[], [], [""], [header], ["\ufeff" + header]]))
    text = end.join(lines) + draw(st.sampled_from(["", end, end + end]))
    encoding = draw(st.sampled_from(ENCODINGS))
    # Without a mark, UTF-16 is known by its first characters.
    mark = draw(st.sampled_from(["", "\ufeff"] if encoding.endswith(("le", "be")) else MARKS))
    return (mark + text).encode(encoding), [f"o{number}" for number in range(len(names))]


@settings(max_examples=150, deadline=None)
@given(
    file=files(),
    columnar=st.booleans(),
    zipped=st.booleans(),
    linked=st.booleans(),
    declared=st.sampled_from(["bulk", "delta", None]),
    last_end=st.booleans(),
    spelling=st.sampled_from(["orgs", "Orgs", "org", "orgs.csv"]),
)
@example((f"{ORGS_HEADER}\no0,,,a,school,,".encode(), ["o0"]), False, False, True, "delta", False, "orgs")
def test_every_record_arrives_in_the_declared_mode(file, columnar, zipped, linked, declared, last_end, spelling):
    """Whatever stands before the header, between the rows and at the end, and wherever the file lies."""
    data, ids = file
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        bundle = {"orgs.csv": data}
        if declared:
            lines = ["propertyName,value", "oneroster.version,1.1", f"file.{spelling},{declared}"]
            bundle["manifest.csv"] = "\r\n".join(lines).encode() + b"\r\n" * last_end
        path = write(place / ("b.zip" if zipped else "b"), bundle, None)
        if linked and zipped:
            (place / "link.zip").symlink_to(path)
            path = place / "link.zip"
        elif linked:
            (place / "current").mkdir()
            for name in bundle:
                (place / "current" / name).symlink_to(f"../b/{name}")
            path = place / "current"
        found = read(path, "orgs", columnar=columnar, accept_orphan_delta=True)
    assert (found.error, found.ids, found.last.rejected) == (None, ids, 0)
    assert (found.last.mode, found.last.snapshot) == (declared or "bulk", declared != "delta")
    assert found.bundles[0]["mode"] == (declared or "bulk")


@settings(max_examples=100, deadline=None)
@given(
    before=st.lists(st.sampled_from(["Plain", "Zoë"]), max_size=3),
    after=st.lists(st.sampled_from(["Plain", "Zoë", "Ωmega", "漢字"]), max_size=4),
    columnar=st.booleans(),
)
def test_a_file_in_two_encodings_never_becomes_other_names(before, after, columnar):
    """A line in Windows-1252 between lines in UTF-8: refused, unless all others are ASCII."""
    lines = [ORGS_HEADER.encode(), *(f"b{n},,,{name},school,,".encode() for n, name in enumerate(before))]
    lines += ["stray,,,Café,school,,".encode("cp1252")]
    lines += [f"a{n},,,{name},school,,".encode() for n, name in enumerate(after)]
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder, "b"), {"orgs.csv": b"\n".join(lines), "manifest.csv": manifest({"orgs": "bulk"})})
        found = read(path, "orgs", columnar=columnar)
    if all(map(str.isascii, before + after)):
        assert [row["name"] for row in found.rows] == [*before, "Café", *after]
    else:
        assert "UTF-8 and another encoding in one file" in found.error
        assert {row["name"] for row in found.rows} <= {"Café", *before, *after}
        assert not found.last.complete
