"""Write a bundle in the dialect of a consumer, and read back the one that it replaces."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._core.model import FILES, csv_files
from .._core.model import file as file_named
from .._core.sql import literal, quoted
from ..errors import TargetError
from .checks import Finding, Severity
from .checks.package import UNPACKED_LIMIT
from .dialects import RELATIVE_WORDS, RELATIVES, Output
from .manifest import manifest_text
from .published import Existing
from .write import copy_lines

if TYPE_CHECKING:
    from pathlib import Path

    from .._core.model import File
    from .._core.sql import Engine
    from .dialects import Dialect
    from .options import BundleOptions


def leave_out(engine: Engine, dialect: Dialect) -> Counter[str]:
    """Drop the rows of files that the consumer does not take and that no other file names: they are not checked."""
    counts: Counter[str] = Counter()
    written = [file for file in FILES if file.name in dialect.files]
    named = {field.refers_to for file in written for field in file.columns(dialect.version)}
    for file in FILES:
        if file.name in dialect.files or file.name in named or not file.exists_in(dialect.version):
            continue
        if found := engine.count(file.name):
            counts[f"{file.name}: rows that {dialect.name} does not take"] += found
        for table in (file.name, f"{file.name} conflicting"):
            engine.run(f"DROP TABLE IF EXISTS {quoted(table)}")
    return counts


def change_tables(engine: Engine, dialect: Dialect) -> Counter[str]:
    """Bring the tables to what the consumer can hold; return the number of changed or omitted rows, by rule."""
    counts: Counter[str] = Counter()
    if "relationships" in dialect.files:
        _set_relatives_apart(engine, counts)
    for change in dialect.changes:
        table = quoted(change.table)
        if not engine.has(change.table) or (change.needs and not engine.has(change.needs)):
            continue
        statement = f"UPDATE {table} SET {change.set}" if change.set else f"DELETE FROM {table}"
        counts[change.rule] += engine.one(f"{statement} WHERE {change.where}")
    for name in {file.name for file in FILES} - set(dialect.files) | dialect.header_only:
        if found := engine.count(name) if file_named(name).exists_in(dialect.version) else 0:
            counts[f"{name}: rows that {dialect.name} does not take"] += found
            engine.run(f"DELETE FROM {quoted(name)}")
    return counts


def _set_relatives_apart(engine: Engine, counts: Counter[str]) -> None:
    """Move the roles of relatives into a table of their own."""
    for table, columns in (("users", ("sourcedId", "grades", "agentSourcedIds")), ("roles", ("userSourcedId", "role"))):
        if not engine.has(table):
            engine.make(table, columns)
    engine.run(f"CREATE TABLE relatives AS {RELATIVES}")
    gone = f'"role" IN {RELATIVE_WORDS}'
    counts["roles: of relatives, who stand in relationships"] += engine.one(f"DELETE FROM roles WHERE {gone}")


def foreign_ids(engine: Engine, dialect: Dialect) -> list[Finding]:
    """Return a note for each file with ids that the consumer does not take; they are written as they are."""
    found = []
    for name in dialect.files if dialect.ids else ():
        bad = f'NOT regexp_full_match("sourcedId", {literal(dialect.ids)})'
        if rows := engine.count(name, bad):
            rule = f"holds other characters than {dialect.title} takes"
            found.append(Finding(Severity.NOTE, name, "sourcedId", rule, rows))
    return found


def write_dialect(engine: Engine, dialect: Dialect, options: BundleOptions, folder: Path) -> dict[str, int]:
    """Write the files of a dialect; return the number of rows by file."""
    engine.run(f"CREATE OR REPLACE MACRO dialect_cell(x) AS {dialect.cell}")
    rows: dict[str, int] = {}
    written = []
    for name in dialect.files:
        output = dialect.outputs.get(name) or _standard(engine, file_named(name), dialect)
        columns = output.columns
        if "password" in columns and not (options.include_passwords and "password" in engine.columns("users")):
            columns = {**columns, "password": "''"}
        table = "users" if name == "relationships" else name
        cells = ", ".join(f"{sql} AS {quoted(f'c{n}')}" for n, sql in enumerate(columns.values()))
        target = folder / f"{name}.csv"
        if engine.count(table):
            if output.distinct:
                source = f"SELECT DISTINCT {cells} FROM {output.rows} ORDER BY ALL"
            else:
                order = "" if engine.in_order(table) else 'ORDER BY x."sourcedId"'
                source = f"SELECT {cells} FROM {output.rows} {order}"
            lines = [f"dialect_cell(c{n})" for n in range(len(columns))]
            if count := copy_lines(engine, list(columns), lines, f"({source})", target, dialect.line_end):
                rows[name] = count
        elif dialect.always:
            target.write_bytes((",".join(columns) + dialect.line_end).encode())
        if name not in rows and not dialect.always:
            target.unlink(missing_ok=True)
        else:
            written.append(name)
    if dialect.manifest and rows:
        (folder / "manifest.csv").write_bytes(_manifest(dialect, options, written).encode())
    return rows


def _standard(engine: Engine, file: File, dialect: Dialect) -> Output:
    """Return a file with the headers of the standard."""
    present = set(engine.columns(file.name)) if engine.has(file.name) else set()
    columns = {
        field.header(dialect.version): "''"
        if field.blank_in_bulk or field.name not in present
        else f"x.{quoted(field.name)}"
        for field in file.columns(dialect.version)
    }
    return Output(columns, f"{quoted(file.name)} x")


def _manifest(dialect: Dialect, options: BundleOptions, written: list[str]) -> str:
    """Return the manifest, whose values are quoted like all others."""
    header, *lines = csv.reader(manifest_text(options, dict.fromkeys(written, "bulk")).splitlines())
    quoted_lines = (",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line) for line in lines)
    return "".join(f"{line}{dialect.line_end}" for line in (",".join(header), *quoted_lines))


@dataclass(frozen=True, slots=True)
class _Written(Existing):
    """A published bundle in a dialect."""

    dialect: Dialect

    def source(self, file: File) -> str:
        """Return a file as a FROM clause, with the school under the standard's name where the dialect has it elsewhere."""
        form = {"escape": self.dialect.escape, "strict_mode": False}
        output, rows = self.dialect.outputs.get(file.name), self._rows(file, **form)
        if output is None or not output.school or file.school in self.columns(file):
            return rows
        school = output.school
        if "{classes}" in school:
            if "classes" not in self.modes:
                return rows
            school = school.format(classes=self._rows(file_named("classes"), **form))
        return f"(SELECT x.*, {school} AS {quoted(file.school or '')} FROM {rows} x)"


def read_dialect(bundle: Path | None, into: Path, dialect: Dialect) -> Existing | None:
    """Return the bundle at the output; None if there is none. Raise TargetError if it is not one of that dialect."""
    if bundle is None or (bundle.is_dir() and not any(bundle.iterdir())):
        return None
    folder = bundle if bundle.is_dir() else _unpack(bundle, into, dialect)
    there = {path.name for path in folder.iterdir()}
    allowed = {f"{name}.csv" for name in dialect.files} | ({"manifest.csv"} if dialect.manifest else set())
    if there - allowed or not there:
        raise _not_ours(dialect)
    for name in dialect.files:
        path = folder / f"{name}.csv"
        if path.exists():
            output = dialect.outputs.get(name)
            header = list(output.columns) if output else list(file_named(name).header(dialect.version))
            try:
                with path.open(encoding="utf-8", newline="") as text:
                    found = next(csv.reader(text), [])
            except (UnicodeDecodeError, csv.Error):
                found = []
            if found != header:
                raise _not_ours(dialect)
    standard = {file.name for file in csv_files(dialect.version)} - dialect.header_only
    modes = {name: "bulk" for name in dialect.files if name in standard and f"{name}.csv" in there}
    return _Written(folder, dialect.version, modes, {}, dialect)


def _not_ours(dialect: Dialect) -> TargetError:
    return TargetError(
        f"output_path: the bundle there was not written for consumer {dialect.name}. Nothing was published. Name another "
        "place or move it away; or replace it unread, with accept_shrink for one run."
    )


def _unpack(archive: Path, folder: Path, dialect: Dialect) -> Path:
    """Unpack the files of the dialect."""
    try:
        with zipfile.ZipFile(archive) as packed:
            allowed = {*(f"{name}.csv" for name in dialect.files), "manifest.csv"}
            if set(packed.namelist()) - allowed or sum(i.file_size for i in packed.infolist()) > UNPACKED_LIMIT:
                raise _not_ours(dialect)
            packed.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise _not_ours(dialect) from None
    return folder
