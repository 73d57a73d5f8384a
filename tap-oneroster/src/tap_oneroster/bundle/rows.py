"""Rows of one CSV file, in chunks, with the header matched to the standard's columns."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING

from ..source import SourceError
from .encoding import MixedEncodings, open_text

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from .._model import Field, File

__all__ = ["CHUNK", "Header", "RowReader"]

CHUNK = 2000
_METADATA = "metadata."


@dataclass(frozen=True, slots=True)
class Header:
    """Where each column of the standard and each metadata key lies in a row."""

    width: int
    columns: dict[str, int]
    """Position by the field's name in the warehouse shape."""
    metadata: dict[str, int]
    """Position by metadata key; columns that the standard does not have are among them."""

    @classmethod
    def match(cls, file: File, names: list[str], deviations: Counter[str]) -> Header:
        """Match a header row to the file's columns; SourceError where that cannot be done."""
        known = _headers(file)
        columns: dict[str, int] = {}
        metadata: dict[str, int] = {}
        for position, name in enumerate(map(str.strip, names)):
            field = known.get(name.lower())
            if field:
                if name not in {field.name, field.was}:
                    deviations["header in another case"] += 1
                taken = columns.setdefault(field.name, position)
            else:
                taken = metadata.setdefault(_metadata_key(name, position, deviations), position)
            if taken != position:
                raise SourceError(f"{file.name}.csv: column {position + 1} of the header is there twice")
        if "sourcedId" not in columns:
            raise SourceError(
                f"{file.name}.csv: the header lacks sourcedId, so no row of it can be known;"
                " ask for the file with its header row"
            )
        return cls(len(names), columns, metadata)


def _headers(file: File) -> dict[str, Field]:
    """Fields of a file by the lower case of every header the versions give them."""
    columns = [field for field in file.fields if field.csv]
    return {name.lower(): field for field in columns for name in (field.name, field.was) if name}


def _metadata_key(name: str, position: int, deviations: Counter[str]) -> str:
    """Key under which a column that is not the standard's goes into `metadata`."""
    if name.lower().startswith(_METADATA):
        return name[len(_METADATA) :]
    if name:
        deviations["column that the standard does not have"] += 1
        return name
    deviations["column without a name"] += 1
    return f"column {position + 1}"


class RowReader:
    """Reads one CSV file; `header` first, then chunks of rows that have the header's width.

    Rows of another width and rows without an id are left out and counted in `rejected` and in
    `deviations`; with `strict` the first of them is a SourceError.
    """

    def __init__(self, file: File, stream: IO[bytes], deviations: Counter[str], *, strict: bool) -> None:
        self._file = file
        self._deviations = deviations
        self._strict = strict
        self._text, odd = open_text(stream)
        if odd:
            deviations[odd] += 1
        self._csv = csv.reader(self._text, strict=True)
        self.rows = 0
        self.rejected = 0
        names = self._next_rows(1)
        if not names or not any(names[0]):
            raise SourceError(f"{file.name}.csv: empty, without even a header row")
        self.header = Header.match(file, names[0], deviations)
        self._id = self.header.columns["sourcedId"]

    def _next_rows(self, count: int) -> list[list[str]]:
        try:
            return list(islice(self._csv, count))
        except csv.Error as error:
            # The message of csv.Error quotes nothing from the file.
            problem = str(error)
        except MixedEncodings:
            problem = "UTF-8 and another encoding in one file"
        except UnicodeError:
            problem = "text in an encoding that is neither UTF-8, UTF-16 nor Windows-1252"
        raise SourceError(
            f"{self._file.name}.csv, near line {self._csv.line_num + 1}: {problem};"
            " the file cannot be read on from here"
        )

    def chunks(self) -> Iterator[list[list[str]]]:
        """Rows that can be read, some thousand at a time."""
        width, key = self.header.width, self._id
        while rows := self._next_rows(CHUNK):
            if set(map(len, rows)) != {width}:
                rows = self._of_width(rows)
            ids = [row[key] for row in rows]
            if "" in ids or any(map(str.isspace, ids)):
                rows = self._with_ids(rows)
            self.rows += len(rows)
            if rows:
                yield rows
        if isinstance(self._text, io.TextIOWrapper):
            self._text.detach()

    def _of_width(self, rows: list[list[str]]) -> list[list[str]]:
        """Leave out blank lines, which say nothing, and ragged rows, which say too much."""
        kept = []
        for number, row in enumerate(rows, self._csv.line_num - len(rows) + 1):
            if len(row) == self.header.width:
                kept.append(row)
            elif any(row):
                self._reject("row with more or fewer cells than the header", number)
            else:
                self._deviations["blank line"] += 1
        return kept

    def _with_ids(self, rows: list[list[str]]) -> list[list[str]]:
        kept = []
        for number, row in enumerate(rows, self._csv.line_num - len(rows) + 1):
            if row[self._id].strip():
                kept.append(row)
            elif any(row):
                self._reject("sourcedId: blank", number)
            else:
                self._deviations["blank line"] += 1
        return kept

    def _reject(self, rule: str, line: int) -> None:
        if self._strict:
            raise SourceError(f"{self._file.name}.csv, line {line} or near it: {rule}")
        self.rejected += 1
        self._deviations[rule] += 1
