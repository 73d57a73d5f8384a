"""What Arrow does for streams: typed columns of the values that records have, and counting."""

from __future__ import annotations

import os
from array import array
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import override

from ._model.codec import encode_value
from .distinct import Distinct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["ArrowDistinct", "column", "typed"]

_PLAIN = {"string": pa.string(), "boolean": pa.bool_(), "integer": pa.int64(), "number": pa.float64()}
_PARTS = 8
_FORMATS = {"date": pa.date32(), "date-time": pa.timestamp("ms", "UTC")}


def typed(schema: dict[str, Any]) -> pa.DataType:
    """Type of a column of such values. An object of which nobody knows the keys becomes the text of its JSON."""
    types = schema["type"]
    match types if isinstance(types, str) else next(t for t in types if t != "null"):
        case "array":
            return pa.list_(typed(schema["items"]))
        case "object":
            inner = schema.get("properties")
            return pa.struct([(name, typed(of)) for name, of in inner.items()]) if inner else pa.string()
        case plain:
            return _FORMATS.get(schema.get("format", ""), _PLAIN[plain])


def column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A column of values as records have them: dates and times are text, objects are Structs or dicts."""
    if pa.types.is_nested(kind):
        return pa.array(msgspec.to_builtins(values), kind)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return pa.array(values, pa.string()).cast(kind)
    if dict in set(map(type, values)):
        values = [None if value is None else encode_value(value).decode() for value in values]
    return pa.array(values, kind)


class ArrowDistinct(Distinct):
    """The same count in less than half the time."""

    def __init__(self) -> None:
        self._hashes = array("q")

    @override
    def add(self, ids: Iterable[str]) -> None:
        self._hashes.extend(map(hash, ids))

    def _part(self, number: int) -> pa.Array:
        hashes = pa.Array.from_buffers(pa.int64(), len(self._hashes), [None, pa.py_buffer(self._hashes)])
        return hashes.filter(pc.equal(pc.bit_wise_and(hashes, _PARTS - 1), number))

    @override
    def count(self) -> int:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            return sum(threads.map(self._count, range(_PARTS)))

    def _count(self, number: int) -> int:
        return pc.count_distinct(self._part(number)).as_py()  # type: ignore[no-any-return]

    @override
    def _repeated(self) -> Iterator[Iterable[int]]:
        for number in range(_PARTS):
            counts = pc.value_counts(self._part(number))
            yield counts.field("values").filter(pc.greater(counts.field("counts"), 1)).to_pylist()
