"""The form of a published bundle: manifest, entries, headers and rows; the meaning of cells is not checked."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from contextlib import contextmanager
from enum import StrEnum
from typing import IO, TYPE_CHECKING

from ..._core.model import MANIFEST_VERSION, Version, csv_files, manifest_properties
from ..manifest import BUNDLE_FILES
from .findings import Finding, Severity
from .form import Form, ScannedRows, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    _Opener = Callable[[str], IO[bytes]]

UNPACKED_LIMIT = 64 << 30
_MANIFEST = "manifest.csv"
_MODES = ("absent", "bulk", "delta")


class Package(StrEnum):
    """Rules for a bundle as a whole, mainly for its manifest."""

    ARCHIVE = "the archive is damaged, encrypted, or not a zip"
    BOMB = "unpacks to more than 64 GB"
    FOLDERS = "folders, or files in folders"
    FOREIGN = "files that no bundle has"
    REPEATED = "is there more than once"
    CASE = "name in another case"
    MISSING = "is missing"
    NOT_CSV = "cannot be read as CSV"
    MANIFEST_VERSION = f"is not {MANIFEST_VERSION}"
    VERSION = "is not a version that is known"
    OTHER_VERSION = "is no file of that version"
    MODE = "is none of absent, bulk, delta"
    THERE = "is there, and absent in the manifest"
    NOT_THERE = "is not there, and not absent in the manifest"


def check_package(path: Path, rows: dict[str, int] | None = None) -> list[Finding]:
    """Return the faults in the form of a bundle, a folder or a zip; empty if there are none.

    `rows` receives the number of rows of each CSV file except the manifest, by the name of the file with `.csv`.

    All findings have the severity `stop`. `file` is a file of the bundle, `field` a property or column, and `rows` are
    line numbers, starting at 1 in each file. Values are never included.
    """
    try:
        with _opened(path) as (entries, unpacked, open_entry):
            check = _Check(open_entry, {} if rows is None else rows)
            if unpacked > UNPACKED_LIMIT:
                return [Finding(Severity.STOP, "", "", Package.BOMB, 1)]
            check.entries(entries)
            if _MANIFEST in entries:
                check.manifest(set(entries))
            return check.found
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return [Finding(Severity.STOP, "", "", Package.ARCHIVE, 1)]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[str], int, _Opener]]:
    """Yield the entries of a bundle, the unpacked size of a zip, and a function that opens an entry."""
    if path.is_dir():
        names = [child.name + ("/" if child.is_dir() else "") for child in path.iterdir()]
        yield sorted(names), 0, lambda name: (path / name).open("rb")
    else:
        with zipfile.ZipFile(path) as archive:
            yield archive.namelist(), sum(info.file_size for info in archive.infolist()), archive.open


class _Check:
    """The findings of one bundle."""

    def __init__(self, open_entry: _Opener, rows: dict[str, int]) -> None:
        self.found: list[Finding] = []
        self._rows = rows
        self._open = open_entry

    def _add(self, file: str, field: str, rule: str, count: int = 1, lines: tuple[int, ...] = ()) -> None:
        if count:
            self.found.append(Finding(Severity.STOP, file, field, rule, count, tuple(map(str, lines))))

    def entries(self, names: list[str]) -> None:
        """Check that only files of the standard exist, once each, outside folders. Unknown names are only counted."""
        proper = {name.lower(): name for name in BUNDLE_FILES}
        self._add("", "", Package.FOLDERS, sum("/" in name or "\\" in name for name in names))
        flat = [name for name in names if "/" not in name and "\\" not in name]
        self._add("", "", Package.FOREIGN, sum(name.lower() not in proper for name in flat))
        for name in sorted(BUNDLE_FILES):
            if (count := sum(name == other for other in flat)) > 1:
                self._add(name, "", Package.REPEATED, count)
            self._add(name, "", Package.CASE, sum(o != name and o.lower() == name.lower() for o in flat))
        if _MANIFEST not in flat:
            self._add(_MANIFEST, "", Package.MISSING)

    def manifest(self, entries: set[str]) -> None:
        """Check the manifest, and compare it with the bundle."""
        with self._open(_MANIFEST) as source:
            data = source.read(1 << 20)
        try:
            rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
        except UnicodeDecodeError:
            return self._add(_MANIFEST, "", Form.UTF_8)
        except csv.Error:
            return self._add(_MANIFEST, "", Package.NOT_CSV)
        if not rows or rows[0] != ["propertyName", "value"]:
            self._add(_MANIFEST, "", Form.HEADER, lines=(1,))
        uneven = [line for line, row in enumerate(rows, 1) if len(row) != 2]
        self._add(_MANIFEST, "", Form.WIDTH, len(uneven), tuple(uneven[:3]))
        stated = [(row[0], row[1]) for row in rows[1:] if len(row) == 2]
        values = dict(stated)
        if values.get("manifest.version") != MANIFEST_VERSION:
            self._add(_MANIFEST, "manifest.version", Package.MANIFEST_VERSION)
        version = next((v for v in Version if v.value == values.get("oneroster.version")), None)
        if version is None:
            return self._add(_MANIFEST, "oneroster.version", Package.VERSION)
        self._properties([name for name, _ in stated], version)
        self._presence(values, version, entries)
        return None

    def _properties(self, names: list[str], version: Version) -> None:
        """Check that each property occurs once, and that no file belongs to another version."""
        known = manifest_properties(version)
        foreign = sum(name.startswith("file.") and name not in known for name in names)
        self._add(_MANIFEST, "file.*", Package.OTHER_VERSION, foreign)
        for name in known:
            if names.count(name) > 1:
                self._add(_MANIFEST, name, Package.REPEATED, names.count(name))
            elif name.startswith("file.") and name not in names:
                self._add(_MANIFEST, name, Package.MISSING)

    def _presence(self, values: dict[str, str], version: Version, entries: set[str]) -> None:
        """Check that a file exists if and only if it is not absent in the manifest, and check its form."""
        files = csv_files(version)
        for file in files:
            mode, name = values.get(f"file.{file.name}"), f"{file.name}.csv"
            if mode is not None and mode not in _MODES:
                self._add(_MANIFEST, f"file.{file.name}", Package.MODE)
            elif mode == "absent" and name in entries:
                self._add(name, "", Package.THERE)
            elif mode in {"bulk", "delta"} and name not in entries:
                self._add(name, "", Package.NOT_THERE)
            if name in entries:
                with self._open(name) as source:
                    self._form(name, scan(source, file.header(version)))
        for name in sorted(entries & set(BUNDLE_FILES) - {f"{file.name}.csv" for file in files} - {_MANIFEST}):
            self._add(name, "", Package.OTHER_VERSION)

    def _form(self, name: str, rows: ScannedRows) -> None:
        self._rows[name] = rows.count
        for rule, (count, lines) in rows.faults.items():
            self._add(name, "", rule, count, tuple(lines))
