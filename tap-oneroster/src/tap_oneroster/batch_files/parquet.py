"""Parquet files of records, typed by the JSON Schema of their stream. Needs pyarrow (`tap-oneroster[parquet]`)."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet

from ..arrow import column, typed
from .layout import STAMPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..source import Records
    from .layout import Layout


class _Portion(NamedTuple):
    """Columns of some records, and the values of fields that are not Arrow columns yet."""

    arrays: Mapping[str, pa.Array]
    values: Mapping[str, Sequence[Any]]
    records: int


class ParquetFormat:
    """Parquet files."""

    def __init__(self, layout: Layout, compression: str) -> None:
        properties = {**layout.schema["properties"], **(STAMPS if layout.stamped else {})}
        self.before = layout.before
        self.compression = compression
        self.schema = pa.schema([(name, typed(of)) for name, of in properties.items()])
        self._fields = [name for name in properties if name not in layout.before and name not in STAMPS]

    def portion(self, batch: Records) -> tuple[_Portion, int]:
        """Return the data of some records that a file needs, and its approximate size in bytes."""
        arrays = batch.arrays
        values = {name: batch.values(name) for name in self._fields if name not in arrays}
        size = len(batch.rows.lines) if values else sum(array.nbytes for array in arrays.values())
        return _Portion(arrays, values, len(batch)), size

    def open(self, file: IO[bytes]) -> _File:
        """Open a file for writing."""
        return _File(file, self)


class _File:
    """One file; each write becomes a row group."""

    def __init__(self, file: IO[bytes], of: ParquetFormat) -> None:
        self._file = file
        self._of = of
        self._out = pa.parquet.ParquetWriter(
            file,
            of.schema,
            compression=of.compression,
            # Readers load all rows, so statistics do not help; ids are unique, so a dictionary does not help.
            write_statistics=False,
            use_dictionary=[name for name in of.schema.names if name != "sourcedId"],
        )

    def write(self, portions: Sequence[_Portion], stamps: dict[str, Any]) -> None:
        """Add records; if the layout requires it, add these stamps to each."""
        table = pa.concat_tables([self._table(portion, {**self._of.before, **stamps}) for portion in portions])
        self._out.write_table(table, row_group_size=len(table))

    def _table(self, portion: _Portion, same: Mapping[str, Any]) -> pa.Table:
        columns = []
        for name, kind in zip(self._of.schema.names, self._of.schema.types, strict=True):
            if name in same:
                columns.append(pa.repeat(pa.scalar(same[name]), portion.records).cast(kind))
            elif name in portion.arrays:
                columns.append(portion.arrays[name])
            else:
                columns.append(column(portion.values[name], kind))
        return pa.table(columns, schema=self._of.schema)

    def close(self) -> None:
        """Write the remaining records and close the file."""
        self._out.close()
        self._file.close()
