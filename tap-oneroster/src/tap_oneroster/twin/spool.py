"""Rows in the order of their pseudonyms, for loaders that keep the order of the rows: that of the source says whose they are.

Rows wait in nameless temporary files, by the first two digits of their ids, so that a 256th of a stream is in memory at a time.
They are rows of the twin already.
"""

from __future__ import annotations

from contextlib import ExitStack
from operator import attrgetter
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import msgspec

from .._core.codec import record_class
from ..source import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    from .._core.model import File

__all__ = ["in_order"]

_encode = msgspec.json.Encoder().encode_lines


def in_order(batches: Iterable[Records]) -> Iterator[Records]:
    """Yield the rows of some batches, each stream in the order of its ids."""
    with ExitStack() as stack:
        spools: dict[File, dict[str, IO[bytes]]] = {}
        for batch in batches:
            by_start: dict[str, list[msgspec.Struct]] = {}
            for record in batch.records:
                by_start.setdefault(record.sourcedId[:2], []).append(record)  # type: ignore[attr-defined]
            files = spools.setdefault(batch.file, {})
            for start, records in by_start.items():
                if start not in files:
                    files[start] = stack.enter_context(TemporaryFile())
                files[start].write(_encode(records))
        for of, files in spools.items():
            decode = msgspec.json.Decoder(record_class(of)).decode_lines
            for start in sorted(files):
                with files[start] as spool:
                    spool.seek(0)
                    found = decode(spool.read())
                yield Records(of, sorted(found, key=attrgetter("sourcedId")))
