"""Whatever looks ahead into a file sees what the reader of the file sees, also the line that nothing ends."""

from __future__ import annotations

import pytest

from tests.csv.bundles import ORGS, ORGS_HEADER, csv_text, delta, manifest, read, write


@pytest.mark.parametrize("form", ["b.zip", "folder"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_the_last_line_of_a_manifest_counts_without_an_end(tmp_path, form, end):
    """A delta that is taken for a snapshot deletes everyone else."""
    text = end.join(["propertyName,value", "oneroster.version,1.1", "file.orgs,delta"])
    path = write(tmp_path / form, {"orgs.csv": ORGS, "manifest.csv": text})
    found = read(path, "orgs", accept_orphan_delta=True)
    assert (found.modes, found.last.snapshot) == (["delta"], False)


@pytest.mark.parametrize("modes", ["bulk", None], ids=["manifest", "no-manifest"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_of_one_row_without_an_end_is_not_empty(tmp_path, modes, encoding):
    text = f"{ORGS_HEADER}\r\ns1,,,Café,school,,"
    found = read(write(tmp_path / "b", {"orgs.csv": text.encode(encoding)}, modes), "orgs")
    assert (found.ids, found.modes, found.last.snapshot, found.error) == (["s1"], ["bulk"], True, None)
    assert found.bundles[0]["mode"] == "bulk"


def test_a_delta_of_one_row_without_an_end_is_a_delta(tmp_path):
    path = write(tmp_path / "b", {"orgs.csv": delta("s1,active,One").rstrip()}, None)
    assert "only a delta is there" in read(path, "orgs").error


def test_a_row_far_behind_its_header_is_seen(tmp_path):
    """Blank lines, a separator, a repeated header and a cell of several blocks lie between."""
    cell = '"' + "a line\n" * 15_000 + '"'
    text = csv_text("sep=,", "", ORGS_HEADER, *[""] * 60_000, ORGS_HEADER, f"s1,active,,{cell},school,,").rstrip()
    path = write(tmp_path / "b", {"orgs.csv": text}, None)
    assert "only a delta is there" in read(path, "orgs").error
    assert read(path, "orgs", accept_orphan_delta=True).ids == ["s1"]


def test_a_manifest_longer_than_a_block_is_read_to_its_end(tmp_path):
    text = manifest({}).replace("file.orgs,absent\r\n", "") + "".join(f"x.{n},{'y' * 90}\r\n" for n in range(3000))
    path = write(tmp_path / "b", {"orgs.csv": ORGS, "manifest.csv": text + "file.orgs,delta"})
    assert read(path, "orgs", accept_orphan_delta=True).modes == ["delta"]


def test_a_manifest_that_breaks_off_in_a_quoted_cell_is_no_manifest(tmp_path):
    """Half of it must not pass for the whole."""
    text = manifest({"orgs": "bulk"}) + 'source.systemName,"Sch'
    path = write(tmp_path / "b", {"orgs.csv": ORGS, "manifest.csv": text})
    assert "manifest.csv is empty or cannot be read as CSV" in read(path, "orgs").error


def test_the_version_of_a_bundle_without_a_manifest_is_seen_in_a_header_without_an_end(tmp_path):
    path = write(tmp_path / "b", {"users.csv": "sourcedId,username,Pronouns", "orgs.csv": ORGS}, None)
    assert read(path, "orgs").last.version == "1.2"
