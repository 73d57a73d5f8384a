"""Write a chunk of plain rows as JSON: raw cells are placed between the names of their fields.

Most cells are written unchanged, so no record objects are made: each field is a part of every line, and one join makes
all lines. The bytes equal those that `encode_rows` makes from records.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from typing_extensions import override

from ..._core.codec import EncodedRows, encode_value, line_order
from ..._core.coerce import Column, read_status
from ..._core.coerce.lists import are_plain_lists
from ..._core.column_codec import join_columns
from ..._core.model import Kind
from .fast_split import COMMA, Cells, text
from .records import ChunkRecords
from .rows import PlainChunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..._core.model import Field, File, Version
    from ...policy import Policy
    from ...source import Records
    from .header import Header
    from .records import RecordReader
    from .rows import Chunk

_MEMO_LIMIT = 5_000


class Piece(NamedTuple):
    """One field of all rows: the text before each cell, the cells, and the text after each."""

    before: str
    cells: Sequence[str] | None = None
    after: str = ""


Reader: TypeAlias = "Callable[[PlainChunk, Counter[str]], Piece]"


class _NotPlain(Exception):
    """A value whose JSON cannot be written as a raw cell."""


class LineRecords(ChunkRecords):
    """Records of a chunk that is already encoded."""

    def __init__(self, file: File, chunk: Chunk, reader: RecordReader, rows: EncodedRows) -> None:
        super().__init__(file, chunk, reader)
        self.rows = rows

    @override
    def part(self, start: int, stop: int) -> Records:
        return LineRecords(self.file, self._chunk.part(start, stop), self._reader, self.rows.part(start, stop))


class LineReader:
    """Makes encoded rows from a file's plain chunks, with the counts of `RecordReader`."""

    def __init__(self, file: File, header: Header, version: Version, policy: Policy, records: RecordReader) -> None:
        self.stamped = False
        self._file = file
        self._records = records
        self._header = header
        fields = line_order(file, secrets=policy.secrets)
        self._content = [field.name for field in fields].index("status")
        self._readers = [self._reader(field, version, policy) for field in fields]

    def _reader(self, field: Field, version: Version, policy: Policy) -> Reader:
        name = f'{"" if field.name == "sourcedId" else ","}"{field.name}":'
        if field.name == "metadata":
            keys = {key: position for key, position in self._header.metadata.items() if policy.takes_key(key)}
            return lambda chunk, _: _metadata(name, {raw_json(key): chunk.raw.columns[at] for key, at in keys.items()})
        position = self._header.columns.get(field.name)
        if position is None:
            return lambda _chunk, _odd: Piece(name + ('"active"' if field.name == "status" else "null"))
        if field.name == "status":
            return self._status_reader(name, position)
        return _column_reader(name, position, Column(field, version, policy.zone))

    def _status_reader(self, name: str, position: int) -> Reader:
        memo = _Memo(name, read_status)

        def read(chunk: PlainChunk, odd: Counter[str]) -> Piece:
            cells = chunk.raw.columns[position]
            if not any(cells):
                return Piece(f'{name}"active"')
            self.stamped = True
            return Piece("", memo.read(cells, lambda rules: odd.update(f"status: {rule}" for rule in rules if rule)))

        return read

    def read(self, chunk: Chunk, odd: Counter[str]) -> Records | None:
        """Return the records of a chunk; None, with `odd` unchanged, if they must be made one by one."""
        rows = self.rows(chunk, odd)
        return LineRecords(self._file, chunk, self._records, rows) if rows else None

    def rows(self, chunk: Chunk, odd: Counter[str]) -> EncodedRows | None:
        """Return the encoded rows of a chunk; None, with `odd` unchanged, if records must be made."""
        if not isinstance(chunk, PlainChunk) or not isinstance(raw := chunk.raw, Cells):
            return None
        found: Counter[str] = Counter()
        try:
            pieces = [read(chunk, found) for read in self._readers]
        except _NotPlain:
            return None
        odd.update(found)
        content = raw.written(_join("{", pieces[: self._content], "", len(chunk))).split(b"\n")
        rests = raw.written(_join("", pieces[self._content :], "}", len(chunk))).split(b"\n")
        return EncodedRows(content, rests=rests) if len(rests) == len(content) else EncodedRows(content, rests[0])


def _join(start: str, pieces: Sequence[Piece], end: str, count: int) -> str:
    """Return the JSON of some fields, a line for each row; a single line if it is the same for all rows."""
    between, columns = [start], []
    for piece in pieces:
        between[-1] += piece.before
        if piece.cells is not None:
            columns.append(piece.cells)
            between.append(piece.after)
    between[-1] += end
    return join_columns(between, columns, count if columns else 1)


def raw_json(value: Any) -> str:
    """Return the JSON of a value with one character for each byte."""
    json = encode_value(value).decode("latin-1")
    if "\\" in json:
        raise _NotPlain
    return json


class _Memo(dict[str, str]):
    """JSON of a field by its raw cell; an unknown cell is read on first access."""

    def __init__(self, name: str, reading: Callable[[str], tuple[Any, str | None]]) -> None:
        self._name = name
        self._reading = reading
        self._odd: dict[str, str] = {}

    def __missing__(self, cell: str) -> str:
        value, rule = self._reading(text(cell))
        json = self._name + raw_json(value)
        if rule:
            self._odd[cell] = rule
        self[cell] = json
        return json

    def read(self, cells: Sequence[str], count: Callable[[Iterable[str | None]], None]) -> list[str]:
        """Return the JSON of a column; `count` receives the rules that its cells broke."""
        if len(self) > _MEMO_LIMIT:
            self.clear()
            self._odd.clear()
        found = list(map(self.__getitem__, cells))
        if self._odd:
            count(map(self._odd.get, cells))
        return found


def _column_reader(name: str, position: int, column: Column) -> Reader:
    """Return the function that makes JSON from the cells of a field."""
    null = f"{name}null"
    by_the_book = {Kind.REFS: _lists, Kind.STRINGS: _lists, Kind.USER_IDS: _user_ids}.get(column.field.kind)
    memo = _Memo(name, column.reading)

    def read(chunk: PlainChunk, odd: Counter[str]) -> Piece:
        cells = chunk.raw.columns[position]
        if not any(cells):
            column.check_required(cells, odd, missing="")
            return Piece(null)
        found: list[str] | None = None
        if column.is_text:
            as_they_are = not (chunk.may_hold_null and column.null_word in cells)
            if as_they_are and column.is_id and chunk.may_hold_blanks and not _is_solid("".join(cells)):
                # The last byte of a raw cell may be part of a character and only look like a blank.
                as_they_are = not column.are_padded(chunk.texts(position))
            if as_they_are and all(cells):
                return Piece(f'{name}"', cells, '"')
            if as_they_are:
                found = [f'{name}"{cell}"' if cell else null for cell in cells]
        elif by_the_book and not chunk.may_hold_null:
            found = by_the_book(name, cells)
        if found is None:
            found = memo.read(cells, lambda rules: column.count_rules(odd, rules))
        column.check_required(found, odd, missing=null)
        return Piece("", found)

    return read


def _is_solid(raw: str) -> bool:
    """True if raw cells cannot contain a blank; they never contain control characters."""
    return raw.isascii() and " " not in raw


def _lists(name: str, cells: Sequence[str]) -> list[str] | None:
    """Return the JSON lists of a well-formed column; None if a cell may need the slow reading."""
    together = "\n".join(["", *cells, ""])
    if not are_plain_lists(text(together)):
        return None
    if COMMA in together:
        cells = together[1:-1].replace(COMMA, '","').split("\n")
    return [f'{name}["{cell}"]' if cell else f"{name}null" for cell in cells]


def _user_ids(name: str, cells: Sequence[str]) -> list[str] | None:
    """Return the JSON of a column of `{type:identifier}` elements in the same way as `_lists`."""
    together = "\n".join(["", *cells, ""])
    filled = len(cells) - cells.count("")
    elements = filled + together.count(f"}}{COMMA}{{")
    *types, last = together.split(":")
    if (
        not together.count("\n{") == together.count("}\n") == filled
        or not together.count("{") == together.count("}") == len(types) == elements
        # As many colons as elements, and a brace before each colon: so exactly one colon in each element.
        or not all("{" in part for part in types)
        or "{:" in together
        or ":}" in together
    ):
        return None
    json = '","identifier":"'.join([*types, last])
    json = json.replace("{", '{"type":"').replace("}", '"}').replace(COMMA, ",")
    return [f"{name}[{row}]" if row else f"{name}null" for row in json[1:-1].split("\n")]


def _metadata(name: str, columns: dict[str, Sequence[str]]) -> Piece:
    """Return a JSON object for each row with its non-blank cells, by key."""
    held = {key: cells for key, cells in columns.items() if any(cells)}
    if not held:
        return Piece(f"{name}null")
    objects = [[f',{key}:"{cell}"' if cell else "" for cell in cells] for key, cells in held.items()]
    rows = objects[0] if len(objects) == 1 else map("".join, zip(*objects, strict=True))
    return Piece("", [f"{name}{{{row[1:]}}}" if row else f"{name}null" for row in rows])
