"""Files of JSON lines: the records of RECORD messages without the envelope."""

from __future__ import annotations

import gzip
from typing import IO, TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..source import Records
    from .layout import Layout

# A third of the time of the default level; files are a quarter larger.
_LEVEL = 1


class JsonLines:
    """JSON lines, compressed or not."""

    def __init__(self, layout: Layout, compression: str) -> None:
        self._layout = layout
        self._compression = compression

    def portion(self, batch: Records) -> tuple[bytes, int]:
        """Return the data of some records that a file needs, and its approximate size in bytes."""
        lines = batch.rows.lines
        return lines, len(lines)

    def open(self, file: IO[bytes]) -> _Lines:
        """Open a file for writing."""
        return _Lines(file, self._layout, self._compression)


class _Lines:
    """One file."""

    def __init__(self, file: IO[bytes], layout: Layout, compression: str) -> None:
        self._file = file
        self._out: Any = file
        if compression == "gzip":
            self._out = gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0)
        self._layout = layout

    def write(self, portions: Sequence[bytes], stamps: dict[str, Any]) -> None:
        """Add records; if the layout requires it, add these stamps to each."""
        lines = b"".join(portions)
        # A record contains no line break: JSON writes it as \\n.
        if self._layout.stamped:
            lines = lines.replace(b"}\n", b"," + msgspec.json.encode(stamps)[1:] + b"\n")
        if self._layout.before:
            start = msgspec.json.encode(self._layout.before)[:-1] + b","
            lines = start + lines[1:-1].replace(b"\n{", b"\n" + start) + b"\n"
        self._out.write(lines)

    def close(self) -> None:
        """Write the remaining records and close the file."""
        if self._out is not self._file:
            self._out.close()
        self._file.close()
