"""Parquet files of records, typed by the JSON Schema of their stream. Needs pyarrow (`tap-oneroster[parquet]`)."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.json
import pyarrow.parquet

from .layout import STAMPS

if TYPE_CHECKING:
    from .layout import Layout

__all__ = ["Parquet"]

_PLAIN = {"string": pa.string(), "boolean": pa.bool_(), "integer": pa.int64(), "number": pa.float64()}
_FORMATS = {"date": pa.date32(), "date-time": pa.timestamp("ms", "UTC")}


def _kind(schema: dict[str, Any]) -> str:
    types = schema["type"]
    return types if isinstance(types, str) else next(t for t in types if t != "null")


def _is_open(schema: dict[str, Any]) -> bool:
    """Whether it is an object of which nobody knows the keys; Parquet gets its JSON as text."""
    return _kind(schema) == "object" and not schema.get("properties")


def _as_read(schema: dict[str, Any]) -> pa.DataType:
    """Type in which a value is read from JSON, which has no dates."""
    match _kind(schema):
        case "array":
            return pa.list_(_as_read(schema["items"]))
        case "object":
            return pa.struct([(name, _as_read(inner)) for name, inner in schema["properties"].items()])
        case plain:
            return _PLAIN[plain]


def _as_written(schema: dict[str, Any]) -> pa.DataType:
    """Type of a column."""
    return pa.string() if _is_open(schema) else _FORMATS.get(schema.get("format", ""), _as_read(schema))


def _read(lines: bytes, options: pa.json.ParseOptions) -> pa.Table:
    # In one block: a record must not lie in two.
    block = pa.json.ReadOptions(use_threads=False, block_size=len(lines))
    return pa.json.read_json(pa.BufferReader(lines), read_options=block, parse_options=options)


class Parquet:
    """One file; each block of lines becomes a row group."""

    def __init__(self, file: IO[bytes], layout: Layout, compression: str) -> None:
        properties = {**layout.schema["properties"], **(STAMPS if layout.stamped else {})}
        self._file = file
        self._before = layout.before
        self._schema = pa.schema([(name, _as_written(of)) for name, of in properties.items()])
        inside = {name: of for name, of in properties.items() if name not in layout.before and name not in STAMPS}
        self._open = [name for name, of in inside.items() if _is_open(of)]
        typed = [(name, _as_read(of)) for name, of in inside.items() if name not in self._open]
        self._typed = pa.json.ParseOptions(explicit_schema=pa.schema(typed), unexpected_field_behavior="ignore")
        nulls = [(name, pa.null()) for name in self._open]
        self._null = pa.json.ParseOptions(explicit_schema=pa.schema(typed + nulls), unexpected_field_behavior="error")
        self._texts = msgspec.json.Decoder(msgspec.defstruct("Texts", [(n, msgspec.Raw, _NULL) for n in self._open]))
        self._all_null = True
        """Whether nobody has filled the open objects yet, as in many districts: then they cost nothing."""
        self._out = pa.parquet.ParquetWriter(file, self._schema, compression=compression)

    def write(self, lines: bytes, stamps: dict[str, Any]) -> None:
        """Add records, given as lines of JSON, and where the layout wants them, these `STAMPS` to each."""
        table = self._read_nulls(lines) if self._all_null else None
        same = {**self._before, **stamps}
        columns = {}
        if table is None:
            table = _read(lines, self._typed)
            columns = self._read_texts(lines)
        for field in self._schema:
            if field.name in same:
                value = pa.scalar(same[field.name], pa.string() if isinstance(same[field.name], str) else field.type)
                columns[field.name] = pa.repeat(value, table.num_rows).cast(field.type)
            elif field.name not in columns:
                columns[field.name] = table[field.name].cast(field.type)
        self._out.write_table(pa.table([columns[name] for name in self._schema.names], schema=self._schema))

    def _read_nulls(self, lines: bytes) -> pa.Table | None:
        """Records without open objects; None where there are some."""
        try:
            return _read(lines, self._null)
        except pa.ArrowInvalid:
            self._all_null = False
            return None

    def _read_texts(self, lines: bytes) -> dict[str, pa.Array]:
        """Columns of objects whose keys nobody knows, as the text of their JSON."""
        records = self._texts.decode_lines(lines)
        return {
            name: pa.array([None if (raw := getattr(r, name)) == _NULL else bytes(raw) for r in records], pa.string())
            for name in self._open
        }

    def close(self) -> None:
        """Write the rest."""
        self._out.close()
        self._file.close()


_NULL = msgspec.Raw(b"null")
