"""The column path of a twin: cells that leave as they are stay raw, the others are made a column at a time.

The bytes equal those of the record path, which makes the same columns by the same functions.
"""

from __future__ import annotations

from collections import Counter
from itertools import compress
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from ..._core.codec import EncodedRows
from ...source import Records
from .fast_split import Cells
from .lines import LineReader, Piece, Reader, raw_json
from .records import ChunkRecords
from .rows import PlainChunk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Struct

    from ..._core.model import Field, Version
    from ..._core.twin.plan import FileTwin
    from ..._core.twin.rows import Rows
    from ...policy import Policy
    from .header import Header
    from .records import RecordReader
    from .rows import Chunk


class TwinLines(Records):
    """Records of a twin that are already encoded; `source` is the chunk with all its rows, in scope or not."""

    def __init__(
        self,
        twin: FileTwin,
        rows: Rows,
        chunk: Chunk,
        source: Chunk,
        reader: RecordReader,
        made: Mapping[str, Sequence[Any]],
        encoded: EncodedRows,
    ) -> None:
        self.file = twin.file
        self.rows = encoded
        self._of = (twin, rows, chunk, source, reader)
        self._made = made

    @property
    def records(self) -> list[Struct]:  # type: ignore[override]
        """The records of the twin."""
        twin, rows, *_ = self._of
        return twin.records(rows)

    @property
    @override
    def clear(self) -> Records:
        _, _, _, source, reader = self._of
        return ChunkRecords(self.file, source, reader)

    @override
    def __len__(self) -> int:
        return len(self._of[2])

    @override
    def values(self, name: str) -> Sequence[Any]:
        _, _, chunk, _, reader = self._of
        return self._made[name] if name in self._made else reader.values(chunk, name)

    @override
    def part(self, start: int, stop: int) -> Records:
        twin, _, chunk, _, reader = self._of
        few = chunk.part(start, stop)
        rows = twin.rows(lambda name: reader.values(few, name))
        made = {name: values[start:stop] for name, values in self._made.items()}
        return TwinLines(twin, rows, few, few, reader, made, self.rows.part(start, stop))


class TwinLineReader(LineReader):
    """Makes the encoded rows of a twin from a file's plain chunks."""

    _now: Rows
    _made: dict[str, Sequence[Any]]

    def __init__(self, twin: FileTwin, header: Header, version: Version, policy: Policy, records: RecordReader) -> None:
        self._twin = twin
        super().__init__(twin.file, header, version, policy, records)

    @override
    def _reader(self, field: Field, version: Version, policy: Policy) -> Reader:
        treat = self._twin.treats.get(field.name)
        if treat is None:
            return super()._reader(field, version, policy)
        name = f'{"" if field.name == "sourcedId" else ","}"{field.name}":'
        is_plain, is_list = field.name in self._twin.plain, field.kind.is_list
        to_json = (_lists if field.refers_to else _any) if is_list else _texts
        if not is_plain:
            to_json = _any

        def read(_chunk: PlainChunk, _odd: Counter[str]) -> Piece:
            values = self._made[field.name] = treat(self._now)
            # The same text for all rows lets them share the end of their lines.
            return Piece(f"{name}null") if values.count(None) == len(values) else to_json(name, values)

        return read

    @override
    def read(self, chunk: Chunk, odd: Counter[str]) -> Records | None:
        if not isinstance(chunk, PlainChunk) or not isinstance(chunk.raw, Cells):
            return None
        found: Counter[str] = Counter()
        source, rows = chunk, self._rows_of(chunk, found)
        if (kept := self._twin.keeps(rows)) is not None:
            found = Counter({"scope": kept.count(False)})
            raw = chunk.raw._replace(columns=[list(compress(cells, kept)) for cells in chunk.raw.columns])
            chunk = PlainChunk(raw, list(compress(chunk.numbers, kept)), may_hold_null=chunk.may_hold_null)
            rows = self._rows_of(chunk, found)
        self._now, self._made = rows, {}
        encoded = self.rows(chunk, found) if len(chunk) else EncodedRows([])
        if encoded is None:
            return None
        if rows.removed:
            found["scope: reference removed"] += rows.removed
        odd.update(found)
        return TwinLines(self._twin, rows, chunk, source, self._records, self._made, encoded)

    def _rows_of(self, chunk: Chunk, found: Counter[str]) -> Rows:
        treats, read = self._twin.treats, self._records.values
        # A column that is only looked at is counted by its own reader, or does not leave.
        return self._twin.rows(lambda name: read(chunk, name, found if name in treats else None))


def _texts(name: str, values: Sequence[Any]) -> Piece:
    """Return the piece of texts that JSON writes as they are."""
    if None not in values:
        return Piece(f'{name}"', values, '"')
    null = f"{name}null"
    return Piece("", [f'{name}"{value}"' if value is not None else null for value in values])


def _lists(name: str, values: Sequence[Any]) -> Piece:
    """Return the piece of lists of pseudonyms."""
    null = f"{name}null"
    between = '","'
    return Piece("", [f'{name}["{between.join(many)}"]' if many else null for many in values])


def _any(name: str, values: Sequence[Any]) -> Piece:
    """Return the piece of any values."""
    return Piece("", [name + raw_json(value) for value in values])
