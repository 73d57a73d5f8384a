"""Write tables as the files of a bundle: header order, CRLF, RFC 4180; equal rows give equal bytes."""

from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING

from .._core.model import Field, File, Kind, csv_files
from .._core.model import file as file_named
from .._core.sql import Engine, literal, quoted
from .manifest import manifest_text, plain_cell

if TYPE_CHECKING:
    from pathlib import Path

    from .options import BundleOptions

_NEEDS_NO_QUOTES = {Kind.GUID, Kind.REF, Kind.WORD, Kind.TRUE_FALSE, Kind.DATE, Kind.DATETIME, Kind.YEAR, Kind.NUMBER}
_EMPTY = "''"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def write_files(engine: Engine, options: BundleOptions, folder: Path) -> dict[str, int]:
    """Write every file that has rows, and the manifest; return the number of rows by file.

    The tables are dropped, except that of the roles, which are remembered once they are sent.
    """
    rows = {file.name: count for file in csv_files(options.version) if (count := engine.count(file.name))}
    for name in sorted(rows, key=rows.__getitem__):  # the longest is sorted when the others need no memory any more
        _write_file(engine, file_named(name), options, folder)
        if name != "roles":
            engine.run(f"DROP TABLE {quoted(name)}")
    text = manifest_text(options, {name: options.mode(name) for name in rows})
    (folder / "manifest.csv").write_bytes(text.encode())
    return rows


def _cell(field: Field, present: set[str], *, bulk: bool) -> str:
    if (field.blank_in_bulk and bulk) or field.name not in present:
        return _EMPTY
    name = quoted(field.name)
    return name if (field.csv_kind or field.kind) in _NEEDS_NO_QUOTES else f"cell({name})"


def _write_file(engine: Engine, file: File, options: BundleOptions, folder: Path) -> None:
    present = set(engine.columns(file.name))
    fields = file.columns(options.version)
    cells = [_cell(field, present, bulk=options.mode(file.name) == "bulk") for field in fields]
    header = list(file.header(options.version))
    for key in _metadata_keys(engine, file) if "metadata" in present else ():
        header.append(plain_cell(f"metadata.{key}"))
        pointer = "/" + key.replace("~", "~0").replace("/", "~1")
        cells.append(f"cell(coalesce(json_extract_string(nullif(\"metadata\", ''), {literal(pointer)}), ''))")
    order = "" if engine.in_order(file.name) else ' ORDER BY "sourcedId"'
    copy_lines(engine, header, cells, f"{quoted(file.name)}{order}", folder / f"{file.name}.csv")


def copy_lines(
    engine: Engine, header: list[str], cells: list[str], source: str, target: Path, line_end: str = "\r\n"
) -> int:
    """Write a file whose cells are SQL over the rows of `source`; return the number of rows."""
    # The line is the only column, so its name is the header; a line ends in \r if that is wanted, and COPY adds \n.
    end = line_end.removesuffix("\n")
    return engine.one(
        f"COPY (SELECT {_line(cells, end)} AS {quoted(','.join(header) + end)} FROM {source}) "
        f"TO {literal(str(target))} (FORMAT csv, HEADER true, QUOTE '', ESCAPE '', DELIMITER '\x1f', NULLSTR '\x01')"
    )


def _line(cells: list[str], end: str) -> str:
    """Return one call that joins the cells of a row; empty cells and the commas between them become one text."""
    parts: list[str] = []
    between = ""
    for cell in cells:
        if cell != _EMPTY:
            parts += [literal(between), cell] if between else [cell]
            between = ""
        between += ","
    return f"concat({', '.join(parts)}, {literal(between[:-1])}, {'chr(13)' if end else literal('')})"


def _metadata_keys(engine: Engine, file: File) -> list[str]:
    keys = "unnest(json_keys(nullif(\"metadata\", '')))"
    found = engine.run(f"SELECT DISTINCT {keys} FROM {quoted(file.name)}")
    return sorted(key for (key,) in found)


def zip_files(folder: Path, target: Path) -> None:
    """Pack a written bundle; equal files give an equal archive."""
    names = sorted(path.name for path in folder.iterdir())
    names.sort(key=lambda name: name != "manifest.csv")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            with (folder / name).open("rb") as source, archive.open(entry, "w", force_zip64=True) as out:
                shutil.copyfileobj(source, out, 1 << 20)
