"""Read rows of a CSV file into records of the warehouse shape."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from ..._core.codec import line_order, record_class
from ..._core.coerce import Column, is_loss
from ..._core.coerce.words import read_statuses
from ...source import Records
from .rows import Chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from msgspec import Struct

    from ..._core.model import Field, File, Version
    from ...policy import Policy
    from .header import Header


def _constant(value: Any) -> Callable[[Chunk, Counter[str]], Any]:
    return lambda chunk, _odd: [value] * len(chunk)


class RecordReader:
    """Makes records from a file's rows, a chunk at a time.

    `stamped` becomes true when a row has a status; rows of a snapshot have none.
    """

    def __init__(self, file: File, header: Header, version: Version, policy: Policy, deviations: Counter[str]) -> None:
        self.stamped = False
        self._make = record_class(file, secrets=policy.secrets)
        self._positions = header.columns
        self._columns: dict[str, Column] = {}
        self._metadata = [(key, position) for key, position in header.metadata.items() if policy.takes_key(key)]
        dropped = len(header.metadata) - len(self._metadata)
        if dropped:
            deviations["metadata key that metadata_keys does not name"] += dropped
        self._fillers = {
            field.name: self._filler(field, header, version, policy)
            for field in line_order(file, secrets=policy.secrets)
        }
        for field in file.columns(version):
            if field.name not in header.columns:
                deviations[f"{field.name}: column missing"] += 1

    def _filler(
        self, field: Field, header: Header, version: Version, policy: Policy
    ) -> Callable[[Chunk, Counter[str]], Any]:
        if field.name == "metadata":
            return self._read_metadata if self._metadata else _constant(None)
        position = header.columns.get(field.name)
        if field.name == "status":
            if position is None:
                return _constant("active")
            return lambda chunk, odd: self._status(chunk.texts(position), odd)
        if position is None:
            return _constant(None)
        column = self._columns[field.name] = Column(field, version, policy.zone)
        return lambda chunk, odd: column.read(
            chunk.texts(position), odd, nulls=chunk.may_hold_null, blanks=chunk.may_hold_blanks
        )

    def _status(self, texts: Sequence[str], odd: Counter[str]) -> Any:
        """Return the status of some rows; in a snapshot the column is empty, and all rows are active."""
        if not any(texts):
            return ["active"] * len(texts)
        self.stamped = True
        return read_statuses(texts, odd)

    def _read_metadata(self, chunk: Chunk, _odd: Counter[str]) -> Any:
        columns = [(key, chunk.texts(position)) for key, position in self._metadata]
        held = [(key, texts) for key, texts in columns if any(texts)]
        if not held:
            return [None] * len(chunk)
        keys = [key for key, _ in held]
        return [
            {key: text for key, text in zip(keys, texts, strict=True) if text} if any(texts) else None
            for texts in zip(*(texts for _, texts in held), strict=True)
        ]

    def read(self, chunk: Chunk, odd: Counter[str]) -> list[Struct]:
        """Return the records of a chunk; deviations are added to `odd`."""
        return list(map(self._make, *(fill(chunk, odd) for fill in self._fillers.values())))

    def values(self, chunk: Chunk, name: str, odd: Counter[str] | None = None) -> Sequence[Any]:
        """Return the values of one field in a chunk; deviations are added to `odd`."""
        values: Sequence[Any] = self._fillers[name](chunk, Counter() if odd is None else odd)
        return values

    def counts(self, chunk: Chunk, name: str, among: Sequence[bool] | None = None) -> Counter[str]:
        """Count the values of a text or list field that has a column, in all rows or in those that `among` picks.

        The same cells stand in many rows, so each distinct one is read once.
        """
        counts: Counter[str] = Counter()
        column = self._columns.get(name)
        if column:
            texts = chunk.texts(self._positions[name])
            cells = Counter(texts if among is None else compress(texts, among))
            for value, times in zip(column.read(list(cells), Counter()), cells.values(), strict=True):
                for one in (value or ()) if column.field.kind.is_list else (value,):
                    counts[one] += times
        del counts[None]
        return counts

    def losses(self, chunk: Chunk) -> list[tuple[int, str]]:
        """Return row number and rule for each value of a chunk that could not be read."""
        found = []
        for number, cells in zip(chunk.numbers, chunk.rows(), strict=True):
            odd: Counter[str] = Counter()
            self.read(Chunk([(cell,) for cell in cells], [number], may_hold_null=chunk.may_hold_null), odd)
            found += [(number, rule) for rule in odd if is_loss(rule)]
        return found


class ChunkRecords(Records):
    """Records of a chunk that was encoded without them; Structs are made on first access."""

    def __init__(self, file: File, chunk: Chunk, reader: RecordReader) -> None:
        self.file = file
        self._chunk = chunk
        self._reader = reader

    @cached_property
    def records(self) -> list[Struct]:  # type: ignore[override]
        """Return the records, in the order of the rows."""
        return self._reader.read(self._chunk, Counter())

    @override
    def __len__(self) -> int:
        return len(self._chunk)

    @override
    def values(self, name: str) -> Sequence[Any]:
        return self._reader.values(self._chunk, name)

    @override
    def counts(self, name: str, among: Sequence[bool] | None = None) -> Counter[str]:
        return self._reader.counts(self._chunk, name, among)
