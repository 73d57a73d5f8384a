"""The form of a bundle that lies there: each rule has a bundle that breaks it, and nothing else."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from target_oneroster.bundle.checks import Severity, check_package, form
from target_oneroster.errors import TargetError

from .conftest import Place, files_of
from .mini import lines, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Files = dict[str, bytes]


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Files:
    """The files of a proper bundle."""
    folder = tmp_path_factory.mktemp("good")
    Place(folder / "bundle", folder / "report.json").run(lines(rows()))
    return files_of(folder / "bundle")


def packed(files: Files, target: Path, more: list[tuple[str, bytes]] | None = None) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in [*files.items(), *(more or [])]:
            archive.writestr(name, data)
    return target


def faults(path: Path) -> set[tuple[str, str, str]]:
    found = check_package(path)
    assert all(finding.severity is Severity.STOP for finding in found)
    return {(finding.file, finding.field, finding.rule) for finding in found}


def test_the_rows_of_each_file_are_counted(good: Files, tmp_path: Path) -> None:
    """The shrink guard takes them from here."""
    counts: dict[str, int] = {}
    assert check_package(packed(good, tmp_path / "x.zip"), counts) == []
    expected = {name: len(list(csv.reader(io.StringIO(text.decode())))) - 1 for name, text in good.items()}
    assert counts == {name: rows for name, rows in expected.items() if name != "manifest.csv"}


def swap(name: str, old: bytes, new: bytes) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)

    return change


def whole(name: str, make: Callable[[bytes], bytes]) -> Callable[[Files], None]:
    return lambda files: files.update({name: make(files[name])})


def renamed(old: str, new: str) -> Callable[[Files], None]:
    return lambda files: files.update({new: files.pop(old)})


M, ORGS = "manifest.csv", "orgs.csv"
WIDTH = "rows with more or fewer cells than the header"
RULES: dict[str, tuple[Callable[[Files], Any], tuple[str, str, str]]] = {
    "no manifest": (lambda files: files.pop(M), (M, "", "is missing")),
    "manifest header": (swap(M, b"propertyName", b"property"), (M, "", "header is not that of the standard")),
    "manifest width": (swap(M, b"\r\n", b"\r\nsource.x\r\n"), (M, "", WIDTH)),
    "manifest encoding": (whole(M, lambda data: data + b"source.x,\xff\r\n"), (M, "", "is not UTF-8")),
    "manifest quotes": (swap(M, b"file.orgs,bulk", b'file.orgs,"bu"lk'), (M, "", "cannot be read as CSV")),
    "manifest version": (swap(M, b"version,1.0", b"version,2.0"), (M, "manifest.version", "is not 1.0")),
    "version": (swap(M, b"r.version,1.2", b"r.version,1.3"), (M, "oneroster.version", "is not a version that is known")),
    "file row missing": (swap(M, b"file.resources,bulk\r\n", b""), (M, "file.resources", "is missing")),
    "file row twice": (
        swap(M, b"file.orgs,bulk\r\n", b"file.orgs,bulk\r\nfile.orgs,bulk\r\n"),
        (M, "file.orgs", "is there more than once"),
    ),
    "file row of no version": (
        whole(M, lambda data: data + b"file.pupils,absent\r\n"),
        (M, "file.*", "is no file of that version"),
    ),
    "mode": (swap(M, b"file.orgs,bulk", b"file.orgs,Bulk"), (M, "file.orgs", "is none of absent, bulk, delta")),
    "declared absent": (swap(M, b"file.orgs,bulk", b"file.orgs,absent"), (ORGS, "", "is there, and absent in the manifest")),
    "declared, not there": (lambda files: files.pop(ORGS), (ORGS, "", "is not there, and not absent in the manifest")),
    "unknown entry": (lambda files: files.update({"pupils.csv": b"x"}), ("", "", "files that no bundle has")),
    "nested entry": (lambda files: files.update({"b/orgs.csv": b"x"}), ("", "", "folders, or files in folders")),
    "letter case": (lambda files: files.update({"Orgs.csv": b"x"}), (ORGS, "", "name in another case")),
    "encoding": (swap(ORGS, b"District", b"Distr\xedct"), (ORGS, "", "is not UTF-8")),
    "mark in the middle": (swap(ORGS, b"sourcedId", b"\xef\xbb\xbf\xef\xbb\xbfsourcedId"), (ORGS, "", "header is not that of the standard")),
    "header order": (swap(ORGS, b"status,dateLastModified", b"dateLastModified,status"), (ORGS, "", "header is not that of the standard")),
    "a column of one's own": (
        whole(ORGS, lambda data: data.replace(b"\r\n", b",x\r\n")),
        (ORGS, "", "header has columns other than metadata.* after those of the standard"),
    ),
    "a column twice": (
        whole(ORGS, lambda data: data.replace(b"\r\n", b",metadata.a,metadata.a\r\n")),
        (ORGS, "", "header has a column more than once"),
    ),
    "a cell more": (swap(ORGS, b"District,", b"District,,"), (ORGS, "", WIDTH)),
    "a cell more in quotes": (swap(ORGS, b"s1,,", b"s1,,,"), (ORGS, "", WIDTH)),
    "an empty line": (whole(ORGS, lambda data: data + b"\r\n"), (ORGS, "", WIDTH)),
    "no rows": (whole(ORGS, lambda data: data[: data.index(b"\r\n") + 2]), (ORGS, "", "has no rows")),
    "line break": (swap(ORGS, b"District", b'"Dis\r\ntrict"'), (ORGS, "", "line break in a cell")),
    "a bare return": (swap(ORGS, b"District", b"Dis\rtrict"), (ORGS, "", "line break in a cell")),
    "line ends": (swap(ORGS, b"\r\n", b"\n"), (ORGS, "", "lines end in different ways")),
    "endless line": (whole(ORGS, lambda data: data + b"x" * (4 << 20)), (ORGS, "", "a line is longer than 2 MB")),
    "quotes": (swap(ORGS, b"District", b'"Dis"tri""ct'), (ORGS, "", "quotes are not as RFC 4180 has them")),
    "an open quote": (swap(ORGS, b"District", b'"District'), (ORGS, "", "a quoted cell does not end")),
}  # fmt: skip


ELSEWHERE = {
    "the archive is damaged, encrypted, or not a zip",
    "unpacks to more than 64 GB",
}
"""Rules that tests of their own break, below."""


@pytest.mark.parametrize("name", RULES)
def test_each_rule_is_seen(good: Files, tmp_path: Path, name: str) -> None:
    """That fault, and no other."""
    change, expected = RULES[name]
    files = dict(good)
    change(files)
    assert faults(packed(files, tmp_path / "b.zip")) == {expected}


def test_a_proper_bundle_has_no_faults(good: Files, tmp_path: Path) -> None:
    """A zip, a folder, with a byte order mark or bare line feeds, with metadata."""
    files = dict(good)
    files[ORGS] = b"\xef\xbb\xbf" + files[ORGS].replace(b"\r\n", b",metadata.a\r\n").replace(b"\r\n", b"\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    assert faults(packed(files, tmp_path / "b.zip")) == faults(folder) == set()


def test_entries_that_are_there_twice(good: Files, tmp_path: Path) -> None:
    """A zip may hold a name twice, and readers differ in which they take."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = packed(good, tmp_path / "b.zip", [(ORGS, good[ORGS])])
    assert faults(path) == {(ORGS, "", "is there more than once")}


@pytest.mark.parametrize("data", [b"no archive", b""])
def test_a_damaged_archive(good: Files, tmp_path: Path, data: bytes) -> None:
    """Neither a traceback nor a guess."""
    (tmp_path / "b.zip").write_bytes(data)
    assert {rule for _, _, rule in faults(tmp_path / "b.zip")} == {"the archive is damaged, encrypted, or not a zip"}


def test_an_archive_without_end(good: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would fill the disk is not unpacked."""
    monkeypatch.setattr("target_oneroster.bundle.checks.package.UNPACKED_LIMIT", 100)
    assert faults(packed(good, tmp_path / "b.zip")) == {("", "", "unpacks to more than 64 GB")}


def test_a_file_of_the_other_version(tmp_path: Path) -> None:
    """1.1 has no roles."""
    folder = tmp_path / "bundle"
    Place(folder, tmp_path / "report.json").run(lines(rows("1.1")), oneroster_version="1.1")
    (folder / "roles.csv").write_bytes(b"x")
    assert faults(folder) == {("roles.csv", "", "is no file of that version")}


@pytest.mark.parametrize("method", ["upsert", "overwrite"])
def test_a_malformed_old_bundle_is_one_line(any_place: Place, method: str) -> None:
    """It names file, rule and line, no value; nothing is published until somebody has looked."""
    any_place.run(lines(rows()))
    files = any_place.files()
    swap(ORGS, b"District,", b"District,Secret,")(files)
    if any_place.output.is_dir():
        (any_place.output / ORGS).write_bytes(files[ORGS])
    else:
        packed(files, any_place.output)
    with pytest.raises(TargetError, match=rf"malformed: orgs\.csv: {WIDTH}: 1 \(rows 2\)\. Mend it") as told:
        any_place.run(lines(rows()), load_method=method)
    assert "Secret" not in told.value.message
    assert any_place.files() == files
    any_place.run(lines(rows()), accept_shrink=True)
    assert any_place.files() != files


def test_files_without_a_manifest(place: Place) -> None:
    """What a first upload that was killed has left: replaced, but not taken for nothing by an upsert."""
    place.run(lines(rows()))
    (place.output / M).unlink()
    with pytest.raises(TargetError, match=r"malformed: manifest\.csv: is missing"):
        place.run(lines(rows()), load_method="upsert")
    place.run(lines(rows()))
    assert M in place.files()


PIECES = st.sampled_from(
    ["a", "b,c", "", " ", '"', '""', '"a"', '"a,b"', '"é"', '""""', ",", ",,", "\n", "\n", "\r\n", "\r", "\0", "é"]
)


@given(
    st.lists(PIECES, max_size=24).map("".join), st.integers(1, 4), st.integers(1, 9), st.sampled_from([1, 2, 131072])
)
@example('"a"\n"b""c"\n', 2, 9, 131072)
@example('1,"a,b"\n2,""\n3,"c""d"\n', 2, 9, 2)
def test_rows_that_are_not_parsed_are_what_a_parser_would_say(text, width, block, limit):
    """Whatever lies in a block, and wherever it is cut: the same number of rows, and the same faults."""
    columns = [f"c{n}" for n in range(width)]
    source = f"{','.join(columns)}\n{text}".encode()
    found = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(form, "_BLOCK", block)
        for quick in (limit, None):
            if quick is None:
                patched.setattr(form, "_even_rows", lambda *_: 0)
            else:
                patched.setattr(form, "CELL_LIMIT", quick)
            rows = form.scan(io.BytesIO(source), columns)
            found.append((rows.count, rows.faults))
    assert found[0] == found[1]


@given(st.lists(st.lists(st.text('ab ,"é', max_size=4), min_size=3, max_size=3), min_size=1, max_size=6))
def test_rows_as_rfc_4180_has_them_are_never_parsed(rows):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    assert form._even_rows(text.getvalue().encode(), 3) == len(rows)
