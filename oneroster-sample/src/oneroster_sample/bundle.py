"""Write a district as a OneRoster CSV bundle.

This module shares no code with the target on purpose, so that each tests the other.
"""

from __future__ import annotations

import csv
import os
import zipfile
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ._core.model import FILES, MANIFEST_VERSION, File, Version, csv_files, manifest_properties
from .cells import header, row_writer
from .truth import Truth

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ._core.log import Progress
    from .district import District
    from .rows import Row

_Open = Callable[[str], TextIO]
"""Opens a file of the bundle for writing; a zip can have only one open at a time."""

SYSTEM_NAME, SYSTEM_CODE = 'Sample "SIS", the 2nd', "sample-sis"


def write_bundle(
    district: District,
    path: Path | str,
    *,
    version: Version | str = Version.V1_2,
    mode: str = "bulk",
    delta: Collection[str] = (),
    since: int | None = None,
    only: Collection[str] | None = None,
    truth: Path | str | None = None,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Write a bundle: a zip if the path ends in ``.zip``, otherwise a folder.

    Args:
        district: The content of the bundle.
        path: The output; a folder may exist, and an earlier bundle in it is replaced.
        version: Version of the standard.
        mode: ``bulk`` (all rows) or ``delta`` (rows that changed after day `since`), for all files.
        delta: Names of files with the mode delta in a bundle that is otherwise bulk.
        since: First day that a delta does not repeat; by default the day before the district's.
        only: Names of files to write; the others are absent.
        truth: The file for what the events changed since day `since`, which schools rolled over to a second year, and whose
            results slip; a plain first year has none.
        progress: What says how far the work is.

    Returns:
        Number of rows written by file; files without rows are absent, as the standard requires.
    """
    version, path = Version(version), Path(path)
    if mode not in ("bulk", "delta"):
        raise ValueError("mode is bulk or delta")
    since = max(0, district.day - 1) if since is None else since
    told = district.night.events or district.years > 1 or district.weekly
    known = Truth(district, since, version) if told else None
    counts: dict[str, int] = {}
    modes: dict[str, str] = {}
    with _zip(path) if path.suffix == ".zip" else _folder(path) as open_text:
        for file in csv_files(version):
            if only is not None and file.name not in only:
                continue
            its_mode = "delta" if file.name in delta else mode
            rows = known.follow(file.name) if known else district.active(file.name, version)
            if its_mode == "delta":
                if known:
                    deque(rows, maxlen=0)
                rows = district.changes(file.name, version, since=since)
            first = next(rows, None)
            if first is None:
                continue
            modes[file.name] = its_mode
            if progress:
                progress.begin(file.name)
            counts[file.name] = _write_file(
                open_text,
                file,
                version,
                chain([first], rows),
                district.metadata_keys(file.name, version),
                bulk=its_mode == "bulk",
                progress=progress,
            )
        _write_manifest(open_text, version, modes)
    if known:
        known.write(path.parent / "truth.json" if truth is None else Path(truth))
    return counts


@contextmanager
def _folder(path: Path) -> Iterator[_Open]:
    path.mkdir(parents=True, exist_ok=True)
    for file in FILES:  # files of an earlier bundle would contradict the manifest
        (path / f"{file.name}.csv").unlink(missing_ok=True)
    yield lambda name: (path / name).open("w", encoding="utf-8", newline="")


@contextmanager
def _zip(path: Path) -> Iterator[_Open]:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield from _entries(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _entries(path: Path) -> Iterator[_Open]:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:

        def entry(name: str) -> TextIO:
            # An entry without a date gets a date in 1980, so that equal data give equal bytes.
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            return TextIOWrapper(archive.open(info, "w", force_zip64=True), encoding="utf-8", newline="")

        yield entry


def _write_file(
    open_text: _Open,
    file: File,
    version: Version,
    rows: Iterator[Row],
    metadata: tuple[str, ...],
    *,
    bulk: bool,
    progress: Progress | None,
) -> int:
    cells = row_writer(file, version, metadata, blank_stamps=bulk)
    count = 0
    with open_text(f"{file.name}.csv") as text:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(header(file, version, metadata))
        while chunk := list(islice(rows, 1000)):
            writer.writerows(map(cells, chunk))
            count += len(chunk)
            if progress and not count % 1000:
                progress.report(count, "rows")
    return count


def _write_manifest(open_text: _Open, version: Version, modes: dict[str, str]) -> None:
    values = {
        "manifest.version": MANIFEST_VERSION,
        "oneroster.version": version.value,
        "source.systemName": SYSTEM_NAME,
        "source.systemCode": SYSTEM_CODE,
    }
    with open_text("manifest.csv") as text:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(("propertyName", "value"))
        for name in manifest_properties(version):
            writer.writerow((name, values.get(name) or modes.get(name.removeprefix("file."), "absent")))
