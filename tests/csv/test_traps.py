"""Bundles that are damaged, hostile or change under the reader: one clear line, nothing half-read."""

from __future__ import annotations

import os
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.csv.bundles import ORGS, ORGS_HEADER, bundles_at, csv_text, read, write


def zipped(path, entries, **info):
    """A zip of entries by name, which may come twice; `info` is set on each of them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in entries:
            archive.writestr(name, text)
    return path


def flagged(path, offset, value):
    """The zip with a byte set in each header of its central directory."""
    data = bytearray(path.read_bytes())
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        data[place + offset] = value
        place = data.find(b"PK\x01\x02", place + 1)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([("../orgs.csv", ORGS)], "an entry points outside of the zip"),
        ([("/etc/orgs.csv", ORGS)], "an entry points outside of the zip"),
        ([("C:\\x\\orgs.csv", ORGS)], "an entry points outside of the zip"),
        ([("a/..\\..\\orgs.csv", ORGS)], "an entry points outside of the zip"),
        ([("orgs.csv", ORGS), ("Orgs.csv", ORGS)], "orgs.csv is in it twice"),
        ([("orgs.csv", ORGS), ("old/orgs.csv", ORGS)], "orgs.csv is in it twice"),
        ([("manifest.csv", "a,b"), ("x/manifest.csv", "a,b"), ("orgs.csv", ORGS)], "manifest.csv is in it twice"),
        ([("readme.txt", "x")], "no OneRoster file in it"),
        ([], "no OneRoster file in it"),
    ],
    ids=["up", "root", "drive", "backslash", "case", "folder", "manifests", "foreign", "empty"],
)
def test_a_zip_that_is_no_bundle_is_refused(tmp_path, entries, problem):
    found = read(zipped(tmp_path / "b.zip", entries), "orgs")
    assert found.error.startswith("b.zip: ")
    assert problem in found.error
    assert not found.facts


def test_what_a_mac_adds_to_a_zip_is_no_second_file(tmp_path):
    path = zipped(tmp_path / "b.zip", [("orgs.csv", ORGS), ("__MACOSX/._orgs.csv", "x"), ("__MACOSX/orgs.csv", "x")])
    assert read(path, "orgs").ids == ["d1", "s1", "s2"]


def test_an_encrypted_zip_is_refused(tmp_path):
    path = flagged(zipped(tmp_path / "b.zip", [("orgs.csv", ORGS)]), 8, 1)
    assert read(path, "orgs").error == "b.zip: the zip is encrypted; ask for one that is not"


def test_a_compression_that_python_lacks_is_one_line(tmp_path):
    path = flagged(zipped(tmp_path / "b.zip", [("orgs.csv", ORGS)]), 10, 9)
    assert "compressed in a way that cannot be read" in read(path, "orgs").error


def test_a_zip_bomb_is_refused_before_a_byte_is_unpacked(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("orgs.csv", "w") as entry,
    ):
        for _ in range(101):
            entry.write(b"0" * 2**20)
    assert "unpacks to more than 250 times its size" in read(tmp_path / "b.zip", "orgs").error


def test_a_bomb_that_lies_about_its_size_is_not_unpacked_beyond_it(tmp_path):
    """The directory says 50 bytes; the reader takes no more, and the check sum betrays it."""
    path = zipped(tmp_path / "b.zip", [("orgs.csv", csv_text(ORGS_HEADER, *["x,,,y,school,,"] * 99_999))])
    data = bytearray(path.read_bytes())
    place = data.find(b"PK\x01\x02")
    data[place + 24 : place + 28] = (50).to_bytes(4, "little")
    path.write_bytes(data)
    assert "orgs.csv is damaged in the zip" in read(path, "orgs").error


@pytest.mark.parametrize("where", [0.3, 0.6, 0.9], ids=str)
def test_damage_in_the_middle_of_a_zip_stops_the_stream_and_completes_nothing(tmp_path, where):
    rows = [f"o{n},,,Name {n * 7919 % 1000},school,," for n in range(30_000)]
    path = write(tmp_path / "b.zip", {"orgs.csv": csv_text(ORGS_HEADER, *rows)}, None)
    data = bytearray(path.read_bytes())
    middle = int(len(data) * where)
    data[middle : middle + 20] = b"\xff" * 20
    path.write_bytes(data)
    found = read(path, "orgs")
    assert found.error == "b.zip: orgs.csv is damaged in the zip; ask for the bundle again"
    assert not found.last.complete
    assert not found.last.snapshot
    assert not found.bundles


@pytest.mark.parametrize("content", [b"", b"<html>Sign in</html>", b"PK\x03\x04 half"], ids=["empty", "html", "half"])
def test_a_file_that_is_no_zip_is_one_line(tmp_path, content):
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    assert read(path, "orgs").error == "b.zip: neither a folder nor a whole zip; is it still being uploaded?"


def test_nothing_at_the_path_and_an_empty_folder(tmp_path):
    for name in ("nothing.zip", "*.zip", "none/*/b.zip"):
        path = tmp_path / name
        assert read(path, "orgs").error == f"csv_path: nothing lies there ({path}); check the path"
    (tmp_path / "empty").mkdir()
    assert "no OneRoster file in it (such as users.csv); check csv_path" in read(tmp_path / "empty", "orgs").error


def test_a_manifest_that_says_two_things_is_refused(tmp_path):
    text = csv_text("propertyName,value", "oneroster.version,1.1", "file.orgs,bulk", "file.orgs,delta")
    found = read(write(tmp_path / "b", {"orgs.csv": ORGS, "manifest.csv": text}), "orgs")
    assert "manifest.csv says two things about one property" in found.error


@pytest.mark.parametrize("form", ["folder", "b.zip"])
def test_a_bundle_replaced_while_it_is_read_is_neither_old_nor_new(tmp_path, form):
    """Half of yesterday's and half of today's roster would pass for a whole one."""
    from tap_oneroster._core.model import file
    from tap_oneroster.source import FatalSourceError, Request

    path = write(tmp_path / form, {"orgs.csv": ORGS}, at=1_788_000_000)
    source = bundles_at(path)
    (part,) = source.passes(Request(file("orgs"), (file("orgs"),)))
    batches = iter(part)
    next(batches)
    write(path, {"orgs.csv": ORGS + "s3,,,School Three,school,,\r\n"})
    with pytest.raises(FatalSourceError, match="changed while it was read; run again"):
        list(batches)
    assert not part.facts["orgs"].complete


def test_a_bundle_taken_away_before_it_is_read_is_one_line(tmp_path):
    from tap_oneroster._core.model import file
    from tap_oneroster.source import FatalSourceError, Request

    path = write(tmp_path / "b", {"orgs.csv": ORGS})
    source = bundles_at(path)
    parts = iter(source.passes(Request(file("orgs"), (file("orgs"),))))
    part = next(parts)
    (path / "orgs.csv").unlink()
    with pytest.raises(FatalSourceError, match=r"orgs\.csv is gone; run again"):
        list(part)


@contextmanager
def nobody():
    """Not root, who may read everything."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="permissions are another matter here")
@pytest.mark.parametrize(("form", "denied"), [("folder", ""), ("b.zip", ""), ("folder", "orgs.csv")])
def test_a_place_without_permission_is_one_line(form, denied):
    # Not below pytest's own folder, into which nobody else may look.
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        path = write(Path(open_to_all, form), {"orgs.csv": ORGS})
        assert read(path, "orgs").error is None  # and everything is imported
        (path / denied).chmod(0)
        with nobody():
            found = read(path, "orgs")
        (path / denied).chmod(0o700)
    assert "no permission to read" in found.error
    assert found.ids == []


@pytest.mark.parametrize("call", ["ls", "isdir", "info", "open"])
def test_a_store_that_denies_permission_is_one_line(tmp_path, monkeypatch, call):
    """Whichever of its answers says so."""
    from fsspec.implementations.local import LocalFileSystem

    path = write(tmp_path / "b", {"orgs.csv": ORGS}, None)

    def denied(*args, **kwargs):
        raise PermissionError("secret detail")

    monkeypatch.setattr(LocalFileSystem, call, denied)
    found = read(path, "orgs")
    assert "no permission" in found.error
    assert "secret" not in found.error


@pytest.mark.parametrize("call", ["isdir", "open", "info"])
def test_a_store_that_fails_in_its_own_way_is_one_line_without_its_words(tmp_path, monkeypatch, call):
    from fsspec.implementations.local import LocalFileSystem

    path = write(tmp_path / "b.zip", {"orgs.csv": ORGS})

    class OddError(Exception):
        pass

    def fail(*args, **kwargs):
        raise OddError("token=secret")

    monkeypatch.setattr(LocalFileSystem, call, fail)
    found = read(path, "orgs")
    assert "OddError" in found.error
    assert "secret" not in found.error
    assert "\n" not in found.error
