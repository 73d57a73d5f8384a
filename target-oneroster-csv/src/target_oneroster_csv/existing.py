# ruff: noqa: S608 - names in SQL come from the model; values never enter it
"""The bundle that lies at the output already: what an upsert merges into, and a brake compares with."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._model import FILES, MANIFEST_VERSION, File, Version
from .engine import literal, quoted
from .errors import BundleError

if TYPE_CHECKING:
    from pathlib import Path

    from .engine import Engine

__all__ = ["Existing", "read_existing"]


@dataclass(frozen=True, slots=True)
class Existing:
    """A published bundle, its files in a local folder."""

    folder: Path
    version: Version
    modes: dict[str, str]
    """Files that are there, and whether they are bulk or delta."""

    def columns(self, file: File) -> list[str]:
        """Names of a file's columns as its header has them."""
        with (self.folder / f"{file.name}.csv").open(encoding="utf-8-sig", newline="") as text:
            return next(csv.reader(text), [])

    def source(self, file: File) -> str:
        """A file as a FROM clause: every cell text, none null, columns named as in the header."""
        spec = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self.columns(file))
        path = literal(str(self.folder / f"{file.name}.csv"))
        return (
            f"read_csv({path}, columns = {{{spec}}}, auto_detect = false, header = true, delim = ',', quote = '\"', "
            "escape = '\"', nullstr = '\x01', parallel = false, buffer_size = 8000000, max_line_size = 4000000)"
        )

    def load(self, engine: Engine, file: File, table: str, wanted: list[str]) -> None:
        """Make a table of a file, with the columns `wanted`, in our names; what is not there is empty."""
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
    """The metadata columns of a row as the JSON that is staged, empty cells left out."""
    if not columns:
        return "''"
    pairs = ", ".join(
        f"{literal(name.removeprefix('metadata.'))}, nullif({quoted(name)}, '')" for name in sorted(columns)
    )
    return f"replace(CAST(json_merge_patch('{{}}', json_object({pairs})) AS VARCHAR), '{{}}', '')"


def read_existing(folder: Path | None) -> Existing | None:
    """What the manifest of a bundle says; None where there is no bundle."""
    if folder is None or not (folder / "manifest.csv").is_file():
        return None
    with (folder / "manifest.csv").open(encoding="utf-8-sig", newline="") as text:
        rows = {row[0]: row[1] for row in csv.reader(text) if len(row) == 2}
    try:
        version = Version(rows.get("oneroster.version", ""))
    except ValueError:
        version = None
    if version is None or rows.get("manifest.version") != MANIFEST_VERSION:
        raise BundleError(
            "output_path: the manifest there names no version of OneRoster CSV that is known. Name another place."
        )
    modes = {
        file.name: mode
        for file in FILES
        if (mode := rows.get(f"file.{file.name}", "absent")) in {"bulk", "delta"}
        and (folder / f"{file.name}.csv").is_file()
    }
    return Existing(folder, version, modes)
