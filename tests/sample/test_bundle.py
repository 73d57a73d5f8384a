"""Bundles of the sample: by the book to the byte, since others are tested against them."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import os
import re
import socket
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from oneroster_sample import __main__ as cli
from oneroster_sample._core.model import FILES, Version, csv_files, manifest_properties
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District

if TYPE_CHECKING:
    from pathlib import Path

SMALL = District(schools=2, students_per_school=30)


def contents(path: Path) -> dict[str, bytes]:
    """Files of a bundle, folder or zip."""
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.iterdir()}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def table(data: bytes) -> list[list[str]]:
    """Cells of a file."""
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("name", ["folder", "bundle.zip"])
def test_a_bundle_has_the_manifest_and_the_headers_of_its_version(tmp_path: Path, version: Version, name: str) -> None:
    """One manifest in the standard's order, exactly the files it declares, every column in order, CRLF, no BOM."""
    counts = write_bundle(SMALL, tmp_path / name, version=version)
    files = contents(tmp_path / name)
    manifest = table(files.pop("manifest.csv"))
    assert manifest[0] == ["propertyName", "value"]
    assert tuple(row[0] for row in manifest[1:]) == manifest_properties(version)
    declared = dict(manifest[1:])
    assert declared["manifest.version"] == "1.0"
    assert declared["oneroster.version"] == version.value
    assert {f"{its.name}.csv" for its in csv_files(version) if declared[f"file.{its.name}"] == "bulk"} == set(files)
    for its in csv_files(version):
        data = files[f"{its.name}.csv"]
        assert not data.startswith(b"\xef\xbb\xbf")
        assert data.endswith(b"\r\n")
        assert data.count(b"\n") == data.count(b"\r\n")
        head, *rows = table(data)
        standard = its.header(version)
        assert tuple(head[: len(standard)]) == standard
        assert all(column.startswith("metadata.") for column in head[len(standard) :])
        assert all(len(row) == len(head) for row in rows)
        assert len(rows) == counts[its.name] > 0
        assert all(row[1] == row[2] == "" for row in rows), "bulk: status and dateLastModified are blank"


def test_the_same_district_gives_the_same_bytes(tmp_path: Path) -> None:
    """Digests of whole files are written down here; a zip written twice is the same, its entries have no time."""
    write_bundle(SMALL, tmp_path / "folder")
    files = contents(tmp_path / "folder")
    assert (
        hashlib.sha256(b"".join(files[name] for name in sorted(files))).hexdigest()
        == "cf2455a1305abb34303fd728b2d7410012fea3df6c90f6416eb5ff5bc2789b89"
    )
    for name in ("one.zip", "two.zip"):
        write_bundle(SMALL, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert contents(tmp_path / "one.zip") == files
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_values_are_written_as_the_standard_says(tmp_path: Path) -> None:
    """Lists in one cell, true and false in lower case, dates, plain numbers, composite values, metadata last."""
    write_bundle(District(passwords=True), tmp_path)
    rows = {name: list(csv.DictReader(io.StringIO(data.decode()))) for name, data in contents(tmp_path).items()}
    assert {row["enabledUser"] for row in rows["users.csv"]} == {"true", "false"}
    assert any(row["userIds"].count("},{") == 1 for row in rows["users.csv"])
    assert {row["termSourcedIds"] for row in rows["classes.csv"]} >= {"2027-S1,2027-S2"}
    assert rows["scoreScales.csv"][0]["scoreScaleValue"].startswith("{A:90-100},{B:80-89}")
    assert {row["resultValueMax"] for row in rows["lineItems.csv"]} == {"100"}
    assert any(row["score"].endswith(".5") for row in rows["results.csv"])
    assert not any(row["score"].endswith(".0") for row in rows["results.csv"])
    assert {row["weight"] for row in rows["categories.csv"]} >= {"30", ""}
    assert any(row["metadata.jp.kanaGivenName"] for row in rows["users.csv"])
    assert all(row["password"] for row in rows["users.csv"])


def test_a_1_1_bundle_has_its_own_words(tmp_path: Path) -> None:
    """Users have role and orgs, principals are administrators, line items a gradingPeriodSourcedId."""
    write_bundle(SMALL, tmp_path, version="1.1")
    files = contents(tmp_path)
    assert not {"roles.csv", "userProfiles.csv", "scoreScales.csv"} & set(files)
    users = {row["sourcedId"]: row for row in csv.DictReader(io.StringIO(files["users.csv"].decode()))}
    assert users["principal@00001"]["role"] == "administrator"
    assert users["Tch.00001-001"]["orgSourcedIds"] == "00001,00002"
    assert b"gradingPeriodSourcedId" in files["lineItems.csv"].splitlines()[0]


def test_a_delta_has_what_changed(tmp_path: Path) -> None:
    """Every row has a status and a time of that day; what left or vanished is tobedeleted; what has no change is absent."""
    counts = write_bundle(SMALL.changed(), tmp_path / "delta.zip", mode="delta")
    files = contents(tmp_path / "delta.zip")
    assert 0 < counts["enrollments"] < 100
    assert "orgs.csv" not in files
    assert b"file.orgs,absent" in files["manifest.csv"]
    assert b"file.users,delta" in files["manifest.csv"]
    rows = list(csv.DictReader(io.StringIO(files["enrollments.csv"].decode())))
    assert {row["status"] for row in rows} == {"active", "tobedeleted"}
    assert {row["dateLastModified"][:10] for row in rows} == {"2026-11-21"}


def test_bulk_and_delta_may_be_mixed(tmp_path: Path) -> None:
    """Modes are told file by file."""
    write_bundle(SMALL.changed(2), tmp_path, delta=["users", "enrollments"], since=0)
    manifest = dict(table((tmp_path / "manifest.csv").read_bytes()))
    assert (manifest["file.users"], manifest["file.orgs"]) == ("delta", "bulk")


def test_an_earlier_bundle_in_the_folder_is_replaced(tmp_path: Path) -> None:
    """Files of the bundle before do not contradict the manifest; what is none of ours stays."""
    (tmp_path / "notes.csv").write_text("mine")
    write_bundle(SMALL, tmp_path)
    write_bundle(SMALL, tmp_path, only=["orgs"])
    assert {file.name for file in tmp_path.iterdir()} == {"manifest.csv", "notes.csv", "orgs.csv"}


def test_the_command_writes_a_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says how many rows each file has."""
    path = tmp_path / "out" / "bundle.zip"
    assert (
        cli.main(["bundle", "--enrollments", "500", "--version", "1.1", "--only", "enrollments,orgs", str(path)]) == 0
    )
    assert "enrollments" in (out := capsys.readouterr().out)
    assert "500" in out
    assert set(contents(path)) == {"manifest.csv", "enrollments.csv", "orgs.csv"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--only", "enrolments"], "no such file"), (["--enrollments", "3"], "50 or more"), (["--day", "-1"], "day")],
)
def test_a_wrong_command_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """A slip is told in one line, and nothing is written."""
    assert cli.main(["bundle", *arguments, str(tmp_path / "x")]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_all_files_of_the_standard_are_tried() -> None:
    """The district leaves no data file absent."""
    for version in Version:
        assert {its.name for its in SMALL.files(version) if its.csv} == {f.name for f in csv_files(version)}
    assert all(SMALL.count(its.name) for its in FILES)


def test_a_zip_appears_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that fails on the way leaves what was there, and nothing else."""
    path = tmp_path / "district.zip"
    write_bundle(SMALL, path)
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        assert path.read_bytes() == before
        raise OSError("no more room")

    monkeypatch.setattr("oneroster_sample.bundle._write_manifest", fail)
    with pytest.raises(OSError, match="no more room"):
        write_bundle(SMALL.changed(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_says_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error: now and then while it writes, and at the end the rows and the rate."""
    monkeypatch.setattr("oneroster_sample._core.log._SECONDS", 0.0)
    assert cli.main(["bundle", str(tmp_path / "district.zip")]) == 0
    told = capsys.readouterr().err
    assert "enrollments: 3,000 rows, " in told
    assert "Rows written: 8,857 in " in told


def test_a_port_in_use_is_one_line_that_names_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    """The line says what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["serve", "--port", str(port)]) == 1
    assert capsys.readouterr().err == (
        f"oneroster-sample: port {port} is in use: choose another with --port (0: any free one)\n"
    )


def test_a_full_disk_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the system says names no path."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("oneroster_sample.bundle._write_manifest", fail)
    assert cli.main(["bundle", str(tmp_path / "district.zip")]) == 1
    assert capsys.readouterr().err.endswith(f"No space left on device: {tmp_path / 'district.zip'}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of POSIX")
def test_on_a_terminal_the_line_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of the tap does."""
    import pty

    monkeypatch.setattr("oneroster_sample._core.log._MOVE", 0.0)
    ours, its = pty.openpty()
    with open(ours, "rb", buffering=0), open(its, "w") as terminal:  # noqa: PTH123 - a terminal has no path
        monkeypatch.setattr("sys.stderr", terminal)
        assert cli.main(["bundle", "--only", "enrollments", str(tmp_path / "d.zip")]) == 0
        seen = os.read(ours, 65536)
    assert re.search(rb"\x1b\[Kenrollments: [^\r\n]+\r", seen)
