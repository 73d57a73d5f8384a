"""The path of columns: a Parquet file becomes staged rows without records, with the cells that records would have."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from .._core.model import Field, Kind, Version, Vocabulary
from .._core.model.schema import TENANT
from .._core.sql import literal, quoted
from ..singer.parquet_batch import read_parquet
from .early_load import LOADED_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..singer.parquet_batch import ParquetBatch
    from .early_load import EarlyLoad
    from .staging import BundleStaging, FileStage

_STAMPS = {"_sdc_extracted_at", "_sdc_table_version"}
"""Columns of a batch file that a bundle does not need. Other added columns may mark a deletion, so records decide."""
_SAMPLED = 4096
"""One id of this many is kept to divide a large file for sorting."""

_CONTROLS = r"\x00-\x1f\x7f"
_HAS_CONTROL = f"regexp_matches({{0}}, {literal(f'[{_CONTROLS}]')})"
# `str.strip` removes more blanks than SQL's `trim`, so an element that begins or ends with any of them is odd.
_BLANKS = r"\s\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_WORD = rf"[^,{_BLANKS}{_CONTROLS}]([^,{_CONTROLS}]*[^,{_BLANKS}{_CONTROLS}])?"
_ID = "[0-9A-Za-z./@_-]+"
_PAIR = rf"\{{[^{{}},:{_CONTROLS}]*:[^{{}},{_CONTROLS}]*\}}"


@dataclass(frozen=True, slots=True)
class _Cell:
    """A column of one kind: the type that it must have, its cell, and when the value is for the way of records."""

    kind: str
    text: str
    odd: str = ""
    """SQL for the column {0}, as `text`, and for its cell {1}; empty if no value is odd by itself."""
    is_free: bool = False
    """True for a text that may hold a control character, which a cell must not."""

    def cell(self, name: str) -> str:
        """Return SQL for the cell of a column."""
        return self.text.replace("{0}", quoted(name))

    @property
    def is_looked_at(self) -> bool:
        """True if `odd` looks at the cell, which should then be made once."""
        return "{1}" in self.odd

    def is_odd(self, name: str) -> str:
        """Return SQL that is true for a value whose record has to be taken; the cell, if looked at, is `_made(name)`."""
        return f"coalesce({self.odd.replace('{0}', quoted(name)).replace('{1}', _made(name))}, false)"


def _made(name: str) -> str:
    """Return the name of a column's cell beside the column."""
    return quoted(f"{name} cell")


def _listed(kind: str, element: str, each: str = "") -> _Cell:
    """Return the cell of a list: its elements joined by commas, if all match `element`; `each` is SQL for one, as x."""
    joined = f"array_to_string({f'list_transform({{0}}, lambda x: {each})' if each else '{0}'}, ',')"
    is_whole = f"regexp_full_match({{1}}, {literal(f'{element}(,{element})*')})"
    commas = "strlen({1}) - strlen(replace({1}, ',', ''))"
    return _Cell(f"{kind}[]", joined, f"len({{0}}) > 0 AND NOT ({is_whole} AND {commas} = len({{0}}) - 1)")


def _pairs(left: str, right: str) -> _Cell:
    """Return the cell of a list of structs, `{left:right}`."""
    one = f"concat('{{', x.{quoted(left)}, ':', x.{quoted(right)}, '}}')"
    return _listed(f"STRUCT({left} VARCHAR, {right} VARCHAR)", _PAIR, one)


def _word(words: Vocabulary) -> _Cell:
    """Return the cell of a word, in which only another text has to be searched for control characters."""
    known = ", ".join(literal(word) for word in words.of(Version.V1_2))
    return _Cell("VARCHAR", "{0}", f"CASE WHEN {{0}} IN ({known}) THEN false ELSE {_HAS_CONTROL} END")


_ID_TEXT = _Cell("VARCHAR", "{0}")
"""An id needs no search for control characters: the checks reject one that has any."""
_TEXT = _Cell("VARCHAR", "{0}", is_free=True)
_CELLS: dict[Kind, _Cell] = {
    Kind.GUID: _ID_TEXT,
    Kind.REF: _ID_TEXT,
    Kind.REFS: _listed("VARCHAR", _ID),
    Kind.STRINGS: _listed("VARCHAR", _WORD),
    Kind.WORDS: _listed("VARCHAR", _WORD),
    Kind.TRUE_FALSE: _Cell("BOOLEAN", "CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' END"),
    Kind.INTEGER: _Cell("BIGINT", "CAST({0} AS VARCHAR)"),
    Kind.NUMBER: _Cell(
        "DOUBLE",
        "CASE WHEN {0} = trunc({0}) THEN CAST(CAST({0} AS BIGINT) AS VARCHAR) ELSE CAST({0} AS VARCHAR) END",
        "NOT isfinite({0}) OR abs({0}) >= 9007199254740992 OR contains(CAST({0} AS VARCHAR), 'e')",
    ),
    Kind.DATE: _Cell("DATE", "CAST({0} AS VARCHAR)", "{0} < DATE '0001-01-01' OR {0} > DATE '9999-12-31'"),
    Kind.DATETIME: _Cell(
        "TIMESTAMP WITH TIME ZONE",
        "strftime(make_timestamp(epoch_us({0})), '%Y-%m-%dT%H:%M:%S.%gZ')",
        "epoch_us({0}) % 1000 <> 0 OR {0} < TIMESTAMPTZ '0001-01-01 00:00:00Z' OR {0} > TIMESTAMPTZ '9999-12-31 23:59:59.999Z'",
    ),
    Kind.USER_IDS: _pairs("type", "identifier"),
    Kind.SCALE_VALUES: _pairs("itemValueLHS", "itemValueRHS"),
}
"""By kind; other kinds are texts."""
_ROUNDED = _Cell("DOUBLE", "CAST(CAST(round_even({0}, 0) AS BIGINT) AS VARCHAR)", _CELLS[Kind.NUMBER].odd)
"""A percentage, which REST sends as a float, in a cell that takes digits only."""


def _cell(field: Field) -> _Cell | None:
    """Return how a field's column becomes a cell; None for metadata, which is for the way of records."""
    if field.kind == Kind.OBJECT:
        return None
    if field.csv_kind == Kind.INTEGER and field.kind == Kind.NUMBER:
        return _ROUNDED
    if field.words and field.kind == Kind.WORD:
        return _word(field.words)
    return _CELLS.get(field.kind, _TEXT)


def _any_odd(here: Mapping[str, _Cell]) -> str:
    """Return SQL that is true for a row whose record has to be taken; cells that are looked at are beside their columns."""
    odd = [cell.is_odd(name) for name, cell in here.items() if cell.odd]
    if texts := ", ".join(cell.cell(name) for name, cell in here.items() if cell.is_free):
        # One search through all texts of a row is faster than one for each of them.
        odd.append(_HAS_CONTROL.replace("{0}", f"concat({texts})"))
    return " OR ".join(["coalesce(\"sourcedId\", '') = ''", *odd])


def _made_cells(here: Mapping[str, _Cell]) -> str:
    return "".join(f", {cell.cell(name)} AS {_made(name)}" for name, cell in here.items() if cell.is_looked_at)


@dataclass(frozen=True, slots=True)
class ColumnsFile:
    """A Parquet file whose rows are staged as they lie there."""

    path: Path
    first: int
    """Number of its first row in the sequence over all files."""
    cells: str
    """SQL for its cells, with the names of the staged fields."""


def file_rows(files: Sequence[ColumnsFile]) -> list[str]:
    """Return queries for the rows of files, in their order and in the shape of staged lines.

    One scan reads all files with the same cells: a union of many scans would need memory for each.
    """
    return [_scan(list(group)) for _, group in groupby(files, key=lambda file: file.cells)]


def _scan(files: Sequence[ColumnsFile]) -> str:
    paths = ", ".join(literal(str(file.path)) for file in files)
    firsts = ", ".join(str(file.first) for file in files)
    return (
        f'SELECT ([{firsts}])[list_position([{paths}], filename)] + file_row_number AS "row number", {files[0].cells} '
        f"FROM read_parquet([{paths}], file_row_number = true, filename = true)"
    )


class ParquetLane:
    """Stages the Parquet files of one stream in the model's own shape, as columns.

    A file with another column, another type, or one value that could be written in another way than its record is
    rejected as a whole; the target then takes its records one by one.
    """

    def __init__(
        self,
        staging: BundleStaging,
        stage: FileStage,
        batch: ParquetBatch,
        early: EarlyLoad | None = None,
    ) -> None:
        """`early` loads files while there are few records; without it none is loaded."""
        self._staging = staging
        self._stage = stage
        self._batch = batch
        self._early = early
        cells = {field.name: _cell(field) for field in stage.fields}
        self._cells = {name: cell for name, cell in cells.items() if cell}
        self._ignored = _STAMPS | {f.name for f in stage.file.fields if f.name not in cells}

    def take(self, path: Path, columns: Mapping[str, str], version: int | None) -> int | None:
        """Stage the rows of a file and return their number; stage nothing and return None if any is unexpected.

        `columns` are the file's columns and their types. Raise duckdb.Error if the file cannot be read.
        """
        here = {name: self._cells[name] for name in columns if name in self._cells}
        if "sourcedId" not in here or not self._ignored.union(here, {TENANT}).issuperset(columns):
            return None
        if any(columns[name].replace('"', "") != cell.kind for name, cell in here.items()):
            return None
        stage = self._stage
        stage.flush()
        stage.at_version(version)  # the records would begin it, too
        if self._early:
            if stage.loaded == stage.records and self._staging.records <= LOADED_AT_ONCE:
                return self._load(self._early, path, here, tenant=TENANT in columns)
            self._give_up_loading()
        rows, odd, rising, first, last, tenants, sample = self._facts(path, here, tenant=TENANT in columns)
        if odd:
            return None
        self._staging.note_tenants(set(tenants or ()) - {None, ""})
        if rows:
            stage.add_file(self._file(path, rows, here), rows, sample, (first, last), rising=rising)
        return rows

    def _cells_of(self, here: Mapping[str, _Cell], *, made: bool = False) -> list[str]:
        """Return SQL for each cell of a row; with `made`, those that are looked at stand beside their columns."""
        return [
            f"coalesce({_made(field.name) if made and cell.is_looked_at else cell.cell(field.name)}, '') "
            f"AS {quoted(field.name)}"
            if (cell := here.get(field.name))
            else f"'' AS {quoted(field.name)}"
            for field in self._stage.fields
        ]

    def _file(self, path: Path, rows: int, here: Mapping[str, _Cell]) -> ColumnsFile:
        return ColumnsFile(path, self._stage.first_number(rows), ", ".join(self._cells_of(here)))

    def _load(self, early: EarlyLoad, path: Path, here: Mapping[str, _Cell], *, tenant: bool) -> int | None:
        """Load a file into the table of its stage and return its rows; load nothing and return None if one is odd."""
        stage = self._stage
        source = read_parquet(path)
        if tenant:
            found = self._batch.query(f"SELECT DISTINCT {quoted(TENANT)} FROM {source}")
            self._staging.note_tenants({name for (name,) in found} - {None, ""})
        (_, *cells) = self._cells_of(here, made=True)  # the id is the first field
        row_source = f"(SELECT *{_made_cells(here)} FROM {source})"
        rows = early.insert(stage, quoted("sourcedId"), cells, _any_odd(here), row_source)
        if rows is None:
            self._give_up_loading()
        elif rows:
            stage.add_loaded(self._file(path, rows, here), rows)
        return rows

    def _give_up_loading(self) -> None:
        """Let the table of the stage be made from its files, which may be many, so that a sample of ids is needed."""
        stage = self._stage
        if stage.loaded:
            stage.loaded = 0
            for file in stage.columns:
                stage.sample += self._sample(file.path)

    def _sample(self, path: Path) -> list[str]:
        rows = self._batch.query(
            f'SELECT "sourcedId" FROM {read_parquet(path, numbered=True)} WHERE file_row_number % {_SAMPLED} = 0'
        )
        return [row for (row,) in rows]

    def _facts(
        self, path: Path, here: Mapping[str, _Cell], *, tenant: bool
    ) -> tuple[int, int, bool, str, str, list[str], list[str]]:
        """Return the number of rows, of odd rows, whether ids ascend, the first and the last id, tenants, some ids."""
        names = f"{quoted(TENANT)} AS tenant" if tenant else "NULL AS tenant"
        inside = (
            f'SELECT "sourcedId" AS id, lag("sourcedId") OVER () AS before, {names}, ({_any_odd(here)}) AS odd, '
            f"file_row_number % {_SAMPLED} = 0 AS sampled"
        )
        (row,) = self._batch.query(
            "SELECT count(*), count(*) FILTER (odd), coalesce(bool_and(before IS NULL OR before < id), true), "
            "min(id), max(id), list(DISTINCT tenant), list(id) FILTER (sampled) "
            f"FROM ({inside} FROM (SELECT *{_made_cells(here)} FROM {read_parquet(path, numbered=True)}))"
        )
        return row
