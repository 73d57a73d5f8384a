"""The fast path of a file into Arrow columns: works on whole columns and rarely on single cells.

Values, counts and digest equal those of `RecordReader` and `LineReader`, which read everything that is not plain. Needs
pyarrow.
"""

from __future__ import annotations

import codecs
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from typing_extensions import override

from ..._core.codec import encode_values, line_order
from ..._core.coerce import Column, read_status
from ..._core.model.schema import json_schema
from ..._core.plain_csv import CELL_LIMIT
from ...arrow import ArrowDistinct, typed
from ...arrow import column as arrow_column
from .fast_split import plain_lines
from .records import ChunkRecords
from .rows import PlainChunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..._core.coerce import Reading
    from ..._core.model import Field, File, Version
    from ...policy import Policy
    from ...receipts.distinct import Distinct
    from ...source import Records
    from .header import Header
    from .records import RecordReader
    from .rows import Chunk

_WORDS = pa.dictionary(pa.int32(), pa.string())
_JOINED = 2048
"""Rows whose JSON is joined at a time: the JSON of a whole chunk takes more memory than its columns."""


class _Cells:
    """Cells of some rows, by column: texts, or dictionary-encoded words if few distinct ones are expected."""

    def __init__(self, columns: list[pa.Array], *, escapes: bool, blanks: bool) -> None:
        self.columns = columns
        self.escapes = escapes
        """True if a cell may contain characters that JSON escapes."""
        self.blanks = blanks
        """True if a cell may have blanks at its ends."""
        self._texts: dict[int, list[str]] = {}

    def texts(self, position: int) -> list[str]:
        """Return the cells of one column; blank ones are empty texts."""
        if position not in self._texts:
            cells = self.columns[position].cast(pa.string())
            self._texts[position] = (pc.fill_null(cells, "") if cells.null_count else cells).to_pylist()
        return self._texts[position]

    def are_filled(self, position: int) -> bool:
        """True if no cell of one column is blank."""
        cells = self.columns[position]
        return not cells.null_count and not pc.any(pc.utf8_is_space(cells)).as_py()

    def may_hold(self, position: int, word: str) -> bool:
        """True if a cell of one column may contain a word of lower case, in any case."""
        cells = self.columns[position]
        if not word.isascii() or not pa.types.is_string(cells.type):
            return word in "\n".join(self.texts(position)).lower()
        return word.encode() in _bytes_of(cells).lower()

    def part(self, start: int, stop: int) -> _Cells:
        """Return the rows from `start` to `stop`."""
        return _Cells([cells[start:stop] for cells in self.columns], escapes=self.escapes, blanks=self.blanks)


class _Piece(NamedTuple):
    """One field of all rows: its values, and the parts of its JSON with the key before it.

    A part is one text for all rows, or a column of texts (plain or dictionary-encoded).
    """

    values: pa.Array
    json: Sequence[Any]


_Read: TypeAlias = "Callable[[Chunk, _Cells, Counter[str]], _Piece]"


class ColumnRecords(ChunkRecords):
    """Records of a chunk, stored as columns."""

    def __init__(
        self, file: File, chunk: Chunk, reader: RecordReader, arrays: Mapping[str, pa.Array], json: Sequence[Any]
    ) -> None:
        super().__init__(file, chunk, reader)
        self.arrays = arrays
        self._json = json

    @property
    @override
    def content(self) -> Iterable[bytes]:
        starts = range(0, len(self), _JOINED)
        return chain.from_iterable(_join(_part(self._json, start, start + _JOINED)) for start in starts)

    @override
    def counts(self, name: str, among: Sequence[bool] | None = None) -> Counter[str]:
        column = self.arrays[name]
        if not pa.types.is_string(column.type):
            return super().counts(name, among)
        found = pc.value_counts((column if among is None else column.filter(pa.array(among))).drop_null())
        return Counter({each["values"]: each["counts"] for each in found.to_pylist()})

    @override
    def new_distinct(self) -> Distinct:
        return ArrowDistinct()

    @override
    def part(self, start: int, stop: int) -> Records:
        arrays = {name: array[start:stop] for name, array in self.arrays.items()}
        json = _part(self._json, start, stop)
        return ColumnRecords(self.file, self._chunk.part(start, stop), self._reader, arrays, json)

    @property
    @override
    def is_uniform(self) -> bool:
        modified = self.arrays["dateLastModified"]
        return (
            modified.null_count == len(modified) and not pc.any(pc.not_equal(self.arrays["status"], "active")).as_py()
        )


class ColumnReader:
    """Reads blocks of a file into columns, with the counts of `RecordReader`, which handles fields that are not plain."""

    def __init__(self, file: File, header: Header, version: Version, policy: Policy, records: RecordReader) -> None:
        self.stamped = False
        self._file = file
        self._header = header
        self._version = version
        self._policy = policy
        self._records = records
        self._types = {n: typed(of) for n, of in json_schema(file, secrets=policy.secrets)["properties"].items()}
        self._words = {str(header.columns["status"])} if "status" in header.columns else set()
        fields = line_order(file, secrets=policy.secrets)
        self._content = [field.name for field in fields].index("status")
        self._readers = {field.name: self._reader(field) for field in fields}
        self._options = pa.csv.ConvertOptions(
            column_types={n: _WORDS if n in self._words else pa.string() for n in map(str, range(header.width))},
            null_values=[""],
            strings_can_be_null=True,
        )

    def split(self, block: bytes, width: int) -> _Cells | None:
        """Return the cells of a block of whole lines with `width` cells each; None if `plain_lines` rejects the block."""
        # Arrow drops a byte order mark at the start of a block.
        if width < 2 or block.startswith(codecs.BOM_UTF8):
            return None
        if not block.endswith(b"\n"):
            block += b"\n"
        lines = plain_lines(block)
        if lines is None or not _lines_fit(block):
            return None
        try:
            table = pa.csv.read_csv(
                pa.BufferReader(block),
                # in one block, in this thread only
                read_options=pa.csv.ReadOptions(
                    use_threads=False, block_size=len(block) + 1, column_names=list(map(str, range(width)))
                ),
                parse_options=pa.csv.ParseOptions(ignore_empty_lines=False),
                convert_options=self._options,
            )
        except pa.ArrowInvalid:
            return None
        columns = [column.chunk(0) for column in table.columns]
        if len(table) != lines:  # Arrow also ends a row at a single carriage return
            return None
        blanks = b" " in block or not block.isascii()
        return _Cells(columns, escapes=b"\\" in block or b'"' in block, blanks=blanks)

    def read(self, chunk: Chunk, odd: Counter[str]) -> Records | None:
        """Return the records of a chunk; None if they must be read one by one."""
        if not isinstance(chunk, PlainChunk) or not isinstance(cells := chunk.raw, _Cells):
            return None
        found: Counter[str] = Counter()
        try:
            pieces = {name: read(chunk, cells, found) for name, read in self._readers.items()}
        except (pa.ArrowInvalid, OverflowError):  # a value that does not fit the column's type
            return None
        odd.update(found)
        json = _merged(piece.json for piece in list(pieces.values())[: self._content])
        arrays = {name: piece.values for name, piece in pieces.items()}
        return ColumnRecords(self._file, chunk, self._records, arrays, json)

    def _reader(self, field: Field) -> _Read:
        name = f'{"{" if field.name == "sourcedId" else ","}"{field.name}":'
        kind = self._types[field.name]
        if field.name == "metadata" and self._header.metadata:
            return lambda chunk, _cells, _odd: _Piece(arrow_column(self._records.values(chunk, "metadata"), kind), ())
        position = self._header.columns.get(field.name)
        if position is None:
            value = "active" if field.name == "status" else None
            same = pa.scalar(value, kind)
            return lambda chunk, _cells, _odd: _Piece(pa.repeat(same, len(chunk)), [f"{name}null"])
        if field.name == "status":
            return lambda _, cells, odd: self._status(cells.columns[position], odd)
        column = Column(field, self._version, self._policy.zone)
        if column.is_text:
            return lambda chunk, cells, odd: _text(name, column, cells, position, odd, nulls=chunk.may_hold_null)
        self._words.add(str(position))
        return lambda _, cells, odd: _word(name, kind, column, cells.columns[position], odd)

    def _status(self, cells: Any, odd: Counter[str]) -> _Piece:
        """Return the status of some rows; in a snapshot the column is empty, and all rows are active."""
        if cells.null_count == len(cells):
            return _Piece(pa.repeat("active", len(cells)), ())
        self.stamped = True
        values, places, broken = _meant(cells, read_status)
        odd.update({f"status: {rule}": times for rule, times in broken.items()})
        return _Piece(pa.array(values).take(places), ())


def _lines_fit(block: bytes) -> bool:
    """True if no line, and so no cell, is longer than the parser allows; the block ends with a line feed."""
    start = 0
    while len(block) - start > CELL_LIMIT:
        end = block.rfind(b"\n", start, start + CELL_LIMIT)
        if end < 0:
            return False
        start = end + 1
    return True


def _meant(
    cells: Any, read: Callable[[str], Reading], read_all: Callable[[Sequence[str]], list[Any] | None] = lambda _: None
) -> tuple[Sequence[Any], Any, Counter[str]]:
    """Return the values of a column's words (blank last), the index of each row's word, and counts of broken rules.

    `read_all` returns the values of words that break no rule, or None.
    """
    words = [*cells.dictionary.to_pylist(), ""]
    places = pc.fill_null(cells.indices, len(words) - 1) if cells.null_count else cells.indices
    broken: Counter[str] = Counter()
    if (plain := read_all(words)) is not None:
        return plain, places, broken
    values, rules = zip(*map(read, words), strict=True)
    if any(rules):
        for found in pc.value_counts(places).to_pylist():
            if rule := rules[found["values"]]:
                broken[rule] += found["counts"]
    return values, places, broken


def _holds_blanks(texts: pa.Array) -> bool:
    """True if a column of texts may contain a blank; looks at its bytes only."""
    text = _bytes_of(texts)
    return b" " in text or not text.isascii()


def _bytes_of(texts: pa.Array) -> bytes:
    data = texts.buffers()[2]
    return data.to_pybytes() if data else b""


def _text(name: str, column: Column, cells: _Cells, position: int, odd: Counter[str], *, nulls: bool) -> _Piece:
    """Return the piece for a column whose texts are already values."""
    texts = cells.columns[position]
    padded = column.is_id and cells.blanks and _holds_blanks(texts) and column.are_padded(cells.texts(position))
    if padded:
        texts = pa.array(column.read(cells.texts(position), odd), pa.string())
    elif nulls:
        is_null = pc.equal(texts, column.null_word)
        if times := pc.sum(is_null).as_py():
            column.count(odd, "the text NULL", times)
            texts = pc.if_else(is_null, None, texts)
    if not padded:
        column.check_missing(texts.null_count, odd)
    if texts.null_count == len(texts):
        return _Piece(texts, [f"{name}null"])
    json = texts
    if cells.escapes:
        json = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    if not texts.null_count:
        return _Piece(texts, [f'{name}"', json, '"'])
    return _Piece(texts, [pc.coalesce(pc.binary_join_element_wise(f'{name}"', json, '"', ""), f"{name}null")])


def _word(name: str, kind: Any, column: Column, cells: Any, odd: Counter[str]) -> _Piece:
    """Return the piece for a column whose texts have to be read; each distinct text is read once."""
    values, places, broken = _meant(cells, column.reading, column.plain)
    for rule, times in broken.items():
        column.count(odd, rule, times)
    found = arrow_column(values, kind).take(places)
    column.check_missing(found.null_count, odd)
    json = [name + value for value in encode_values(values)]
    if cells.null_count == len(cells):
        return _Piece(found, json[-1:])
    if len(values) == 2 and not cells.null_count:
        return _Piece(found, json[:1])
    return _Piece(found, [pa.DictionaryArray.from_arrays(places, pa.array(json, pa.string()))])


def _merged(pieces: Iterable[Sequence[Any]]) -> list[Any]:
    """Return the parts of all pieces; texts that follow each other become one."""
    parts: list[Any] = []
    for part in chain.from_iterable(pieces):
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return parts


def _part(parts: Iterable[Any], start: int, stop: int) -> list[Any]:
    """Return the rows from `start` to `stop` of the parts of some JSON."""
    return [part if isinstance(part, str) else part[start:stop] for part in parts]


def _join(parts: Iterable[Any]) -> list[bytes]:
    """Join the parts of each row."""
    texts = [part.dictionary_decode() if isinstance(part, pa.DictionaryArray) else part for part in parts]
    content: list[bytes] = pc.binary_join_element_wise(*texts, "").cast(pa.binary()).to_pylist()
    return content
