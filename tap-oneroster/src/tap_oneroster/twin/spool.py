"""Rows in the order of their pseudonyms, for loaders that keep the order of the rows: that of the source says whose they are.

Rows wait in nameless temporary files, by the first two digits of their ids, so that a 256th of a stream is in memory at a time.
They are rows of the twin already.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from .._core.codec import record_class
from ..receipts.distinct import Spill
from ..source import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._core.model import File

_encode = msgspec.json.Encoder().encode_lines
_MOST_WAITING = 4_000_000
"""Bytes of a stream that wait in memory."""


def in_order(batches: Iterable[Records]) -> Iterator[Records]:
    """Yield the rows of some batches, each stream in the order of its ids."""
    spools: dict[File, _Spool] = {}
    for batch in batches:
        if batch.file not in spools:
            spools[batch.file] = _Spool()
        spools[batch.file].add(batch.records)
    for of, spool in spools.items():
        decode = msgspec.json.Decoder(record_class(of)).decode_lines
        for lines in spool.parts():
            yield Records(of, sorted(decode(lines), key=attrgetter("sourcedId")))


class _Spool:
    """One file for all rows of a stream, however many beginnings their ids have: a process may open few files."""

    def __init__(self) -> None:
        self._spill: Spill[str] = Spill()
        self._waiting: dict[str, list[bytes]] = {}
        self._size = 0

    def add(self, records: Iterable[msgspec.Struct]) -> None:
        """Add rows."""
        by_start: dict[str, list[msgspec.Struct]] = {}
        for record in records:
            by_start.setdefault(record.sourcedId[:2], []).append(record)  # type: ignore[attr-defined]
        for start, its in by_start.items():
            lines = _encode(its)
            self._waiting.setdefault(start, []).append(lines)
            self._size += len(lines)
        if self._size > _MOST_WAITING:
            self._write()

    def _write(self) -> None:
        for start, parts in self._waiting.items():
            self._spill.put(start, b"".join(parts))
        self._waiting, self._size = {}, 0

    def parts(self) -> Iterator[bytes]:
        """Yield the lines of each beginning, in the order of the beginnings."""
        self._write()
        for start in sorted(self._spill.places):
            yield b"".join(self._spill.get(start))
