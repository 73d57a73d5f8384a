"""How a chunk of plain rows becomes JSON: raw cells are put between the names of their fields.

Most cells pass as they are, so no record is made of a row: a column is one piece of every line,
and all lines are joined at once. The bytes are those that `encode_rows` makes of the records.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .._model import Kind
from .._model.codec import Rows, encode_value, line_order
from ..values import Column
from .records import read_status
from .rows import PlainChunk
from .split import COMMA, text, written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._model import Field, File, Version
    from ..shape import Shape
    from .header import Header
    from .rows import Chunk

__all__ = ["LineReader"]

_MEMO_LIMIT = 5_000


class _Piece(NamedTuple):
    """JSON of one field: what stands before its cell, the cells of all rows, what stands after."""

    before: str
    cells: Sequence[str] | None = None
    after: str = ""


_NULL = _Piece("null")
_Reader: TypeAlias = "Callable[[Sequence[str], PlainChunk, Counter[str]], _Piece]"


class _NotPlain(Exception):
    """JSON that cannot be written raw."""


class LineReader:
    """Makes encoded rows of a file's plain chunks, and counts what is odd as `RecordReader` does."""

    def __init__(self, file: File, header: Header, version: Version, shape: Shape) -> None:
        self.stamped = False
        self._header = header
        fields = line_order(file, secrets=shape.secrets)
        self._border = [field.name for field in fields].index("status")
        self._names = [field.name for field in fields]
        self._readers = [self._reader(field, version, shape) for field in fields]

    def _reader(self, field: Field, version: Version, shape: Shape) -> Callable[[PlainChunk, Counter[str]], _Piece]:
        if field.name == "metadata":
            keys = {key: position for key, position in self._header.metadata.items() if shape.takes_key(key)}
            return lambda chunk, _: _metadata({_raw(key): chunk.raw.columns[keys[key]] for key in keys})
        position = self._header.columns.get(field.name)
        if position is None:
            constant = _Piece('"active"') if field.name == "status" else _NULL
            return lambda _chunk, _odd: constant
        read = self._status() if field.name == "status" else _field_reader(Column(field, version, shape.zone))
        return lambda chunk, odd: read(chunk.raw.columns[position], chunk, odd)

    def _status(self) -> _Reader:
        memo = _Memo(read_status)

        def read(cells: Sequence[str], _chunk: PlainChunk, odd: Counter[str]) -> _Piece:
            if not any(cells):
                return _Piece('"active"')
            self.stamped = True
            return _Piece("", memo.read(cells, lambda rules: odd.update(f"status: {r}" for r in rules if r)))

        return read

    def read(self, chunk: Chunk, odd: Counter[str]) -> Rows | None:
        """Encoded rows of a chunk; None, and nothing added to `odd`, where records have to be made of it."""
        if not isinstance(chunk, PlainChunk):
            return None
        found: Counter[str] = Counter()
        try:
            pieces = [read(chunk, found) for read in self._readers]
        except _NotPlain:
            return None
        odd.update(found)
        count, border = len(chunk), self._border
        content = _join("{", self._names[:border], pieces[:border], "", count)
        rest = _join(",", self._names[border:], pieces[border:], "}", count)
        rows = written(content).split(b"\n")[:-1]
        if "\n" not in rest:
            end = written(rest)
            return Rows((end + b"\n").join([*rows, b""]), rows, end)
        ends = written(rest).splitlines(keepends=True)
        return Rows(b"".join(chain.from_iterable(zip(rows, ends, strict=True))), rows, b"")


def _join(start: str, names: Sequence[str], pieces: Sequence[_Piece], end: str, count: int) -> str:
    """JSON of some fields, a line for each row; without a line break where it is the same for all."""
    between, columns = [start], []
    for name, piece in zip(names, pieces, strict=True):
        comma = "" if name is names[0] else ","
        between[-1] += f'{comma}"{name}":{piece.before}'
        if piece.cells is not None:
            columns.append(piece.cells)
            between.append(piece.after)
        else:
            between[-1] += piece.after
    first, last = between[0], between.pop() + end
    if not columns:
        return last
    line = [part for before in between for part in (before, "")]
    # The end of a line and the beginning of the next are one part.
    line[0] = f"{last}\n{first}"
    parts = line * count
    parts[0] = first
    for place, cells in enumerate(columns):
        parts[2 * place + 1 :: len(line)] = cells
    return f"{''.join(parts)}{last}\n"


def _raw(value: Any) -> str:
    """JSON of a value, one character a byte."""
    json = encode_value(value).decode("latin-1")
    if "\\" in json:
        raise _NotPlain
    return json


class _Memo(dict[str, str]):
    """JSON of values by their raw cells; a cell that was not met before is read."""

    def __init__(self, reading: Callable[[str], tuple[Any, str | None]]) -> None:
        self._reading = reading
        self._odd: dict[str, str] = {}

    def __missing__(self, cell: str) -> str:
        value, rule = self._reading(text(cell))
        json = _raw(value)
        if rule:
            self._odd[cell] = rule
        self[cell] = json
        return json

    def read(self, cells: Sequence[str], count: Callable[[Any], None]) -> list[str]:
        """JSON of a column; `count` is told the rules that its cells broke."""
        if len(self) > _MEMO_LIMIT:
            self.clear()
            self._odd.clear()
        found = list(map(self.__getitem__, cells))
        if self._odd:
            count(map(self._odd.get, cells))
        return found


def _field_reader(column: Column) -> _Reader:
    """How JSON is made of the cells of a field."""
    by_the_book = {Kind.REFS: _lists, Kind.STRINGS: _lists, Kind.USER_IDS: _user_ids}.get(column.field.kind)
    memo = _Memo(column.reading)

    def read(cells: Sequence[str], chunk: PlainChunk, odd: Counter[str]) -> _Piece:
        found: list[str] | None = None
        if not any(cells):
            column.check_required(cells, odd, missing="")
            return _NULL
        if column.is_text:
            null = column.null_word if chunk.may_hold_null else ""
            nulls = cells.count(null)
            if not nulls and all(cells):
                return _Piece('"', cells, '"')
            found = ["null" if not cell or cell == null else f'"{cell}"' for cell in cells]
            if null and nulls:
                column.count(odd, "the text NULL", nulls)
        elif by_the_book and not chunk.may_hold_null:
            found = by_the_book(cells)
        if found is None:
            found = memo.read(cells, lambda rules: column.count_rules(odd, rules))
        column.check_required(found, odd, missing="null")
        return _Piece("", found)

    return read


def _lists(cells: Sequence[str]) -> list[str] | None:
    """Lists of a column that is written by the book; None where a cell might not be."""
    together = "\n".join(["", *cells, ""])
    if " " in together or COMMA * 2 in together or f"\n{COMMA}" in together or f"{COMMA}\n" in together:
        return None
    if COMMA in together:
        cells = together[1:-1].replace(COMMA, '","').split("\n")
    return [f'["{cell}"]' if cell else "null" for cell in cells]


def _user_ids(cells: Sequence[str]) -> list[str] | None:
    """The same for a column of `{type:identifier}` elements."""
    together = "\n".join(["", *cells, ""])
    filled = len(cells) - cells.count("")
    elements = filled + together.count(f"}}{COMMA}{{")
    types = together.split(":")
    identifiers = types.pop()
    if (
        not together.count("\n{") == together.count("}\n") == filled
        or not together.count("{") == together.count("}") == len(types) == elements
        # As many colons as elements, and before each the brace of one: so exactly one in each.
        or not all("{" in part for part in types)
    ):
        return None
    json = '","identifier":"'.join([*types, identifiers])
    json = json.replace("{", '{"type":"').replace("}", '"}').replace(COMMA, ",")
    return [f"[{row}]" if row else "null" for row in json[1:-1].split("\n")]


def _metadata(columns: dict[str, Sequence[str]]) -> _Piece:
    """One object a row of the cells that are filled, by key."""
    held = {key: cells for key, cells in columns.items() if any(cells)}
    if not held:
        return _NULL
    objects = [[f',{key}:"{cell}"' if cell else "" for cell in cells] for key, cells in held.items()]
    rows = objects[0] if len(objects) == 1 else map("".join, zip(*objects, strict=True))
    return _Piece("", [f"{{{row[1:]}}}" if row else "null" for row in rows])
