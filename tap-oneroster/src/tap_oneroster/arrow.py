"""Columns of Arrow, typed by the JSON Schema of a stream, and made of the values that records have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from ._model.codec import encode_value

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["column", "typed"]

_PLAIN = {"string": pa.string(), "boolean": pa.bool_(), "integer": pa.int64(), "number": pa.float64()}
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
