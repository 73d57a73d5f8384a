"""The bundle that is already at the output: the base of an upsert and of the shrink guard's comparison."""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._core.model import File, Version, csv_files
from .._core.sql import literal, quoted, read_csv
from ..errors import TargetError
from .checks.package import check_package

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .._core.sql import Engine

_SHOWN = 5
_SIZES: dict[str, Any] = {"parallel": False, "buffer_size": 8_000_000, "max_line_size": 4_000_000}


@dataclass(frozen=True, slots=True)
class Existing:
    """A published bundle, with its files in a local folder."""

    folder: Path
    version: Version
    modes: dict[str, str]
    """The existing files, with their mode (bulk or delta)."""
    rows: Mapping[str, int]
    """Number of rows of files that were counted when the bundle was checked."""

    def columns(self, file: File) -> list[str]:
        """Return the column names of a file's header."""
        with (self.folder / f"{file.name}.csv").open(encoding="utf-8-sig", newline="") as text:
            return next(csv.reader(text), [])

    def source(self, file: File) -> str:
        """Return a file as a FROM clause: every cell is text, none is null, columns are named as in the header."""
        return self._rows(file)

    def _rows(self, file: File, **options: Any) -> str:
        """Return the rows of a file as a FROM clause; `options` are those of `read_csv` for its form."""
        return read_csv(self.folder / f"{file.name}.csv", self.columns(file), header=True, **_SIZES, **options)

    def count(self, engine: Engine, file: File) -> int:
        """Return the number of rows of a file."""
        known = self.rows.get(file.name)
        return engine.one(f"SELECT count(*) FROM {self.source(file)}") if known is None else known

    def load(self, engine: Engine, file: File, table: str, wanted: list[str]) -> None:
        """Create a table from a file with the columns `wanted`, under the model's names; missing columns are empty."""
        header = self.columns(file)
        named = {field.header(self.version): field.name for field in file.columns(self.version)}
        known = {named[name]: name for name in header if name in named}
        cells = [
            f"{quoted(known[name])} AS {quoted(name)}" if name in known else f"'' AS {quoted(name)}"
            for name in wanted
            if name != "metadata"
        ]
        if "metadata" in wanted:
            cells.append(f'{_metadata([name for name in header if name.startswith("metadata.")])} AS "metadata"')
        engine.run(f"CREATE TABLE {quoted(table)} AS SELECT {', '.join(cells)} FROM {self.source(file)}")


def _metadata(columns: list[str]) -> str:
    """Return SQL for the metadata columns of a row in the staged JSON form, without empty cells."""
    if not columns:
        return "''"
    pairs = ", ".join(
        f"{literal(name.removeprefix('metadata.'))}, nullif({quoted(name)}, '')" for name in sorted(columns)
    )
    return f"replace(CAST(json_merge_patch('{{}}', json_object({pairs})) AS VARCHAR), '{{}}', '')"


def read_existing(bundle: Path | None, into: Path, *, upsert: bool) -> Existing | None:
    """Return the existing bundle; None if there is none. A zip is unpacked to the folder `into`.

    Raise TargetError if the bundle is malformed. Files without a manifest are left by a killed first upload: an
    overwrite can ignore them, but for an upsert they are an error.
    """
    if bundle is None or (bundle.is_dir() and not _is_begun(bundle, upsert=upsert)):
        return None
    counts: dict[str, int] = {}
    if faults := check_package(bundle, counts):
        more = f", and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise TargetError(
            f"output_path: the bundle there is malformed: {'; '.join(f.text() for f in faults[:_SHOWN])}{more}. "
            "Mend it or move it away; or replace it unread, with load_method overwrite and accept_shrink for one run."
        )
    folder = bundle
    if not bundle.is_dir():
        folder = into
        with zipfile.ZipFile(bundle) as packed:
            packed.extractall(folder)
    with (folder / "manifest.csv").open(encoding="utf-8-sig", newline="") as text:
        rows = {row[0]: row[1] for row in csv.reader(text)}
    version = Version(rows["oneroster.version"])
    modes = {file.name: rows[f"file.{file.name}"] for file in csv_files(version)}
    there = {name: mode for name, mode in modes.items() if mode != "absent"}
    return Existing(folder, version, there, {name: counts[f"{name}.csv"] for name in there})


def _is_begun(folder: Path, *, upsert: bool) -> bool:
    return any(folder.iterdir()) if upsert else (folder / "manifest.csv").is_file()
