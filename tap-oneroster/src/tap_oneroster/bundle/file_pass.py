"""One file of one bundle, read as a part of a collection."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .._core.coerce import is_loss
from ..copies import CONFLICT, Copies, Settled
from ..receipts.distinct import Distinct
from ..source import Facts, Records, SourceError
from .read.copies import first_cells, ids_of, kept_places, settle_copies
from .read.derived_rows import maker
from .read.encoding import BLOCK
from .read.fast_split import split as fast_split
from .read.lines import LineReader
from .read.records import RecordReader
from .read.rows import RowReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .._core.model import File
    from ..policy import Policy
    from .locate.archive import Bundle
    from .locate.manifest import Manifest
    from .read.derived_rows import Holders, Make
    from .read.records import QuickReader
    from .read.rows import Chunk, Split

__all__ = ["FilePass", "SilentPass"]

COLUMN_BLOCK = 1 << 20
"""Bytes read at a time where they become columns, each of which costs something even where it is short."""
_NAMED = 10
"""So many rows of a file are named in the log; the others are only counted."""


class SilentPass:
    """A part without records: the file is absent from the bundle, or was read before."""

    bookmark = None

    def __init__(self, facts: Mapping[str, Facts]) -> None:
        self.facts = facts

    def __iter__(self) -> Iterator[Records]:
        return iter(())


class FilePass:
    """Reads one file of one bundle, for the stream of that name and for those made from it.

    Where rows had to be left out it goes on to the end and says so in `problem`.
    """

    def __init__(
        self,
        bundle: Bundle,
        manifest: Manifest,
        of: File,
        streams: Sequence[File],
        policy: Policy,
        *,
        on_invalid: str,
        bookmark: dict[str, Any],
        holders: Holders | None = None,
        columnar: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.bookmark = bookmark
        self.problem: str | None = None
        self._bundle = bundle
        self._manifest = manifest
        self._file = of
        self._streams = streams
        self._policy = policy
        self._on_invalid = on_invalid
        self._holders = holders
        self._columnar = columnar
        self._say = say
        self._named = 0
        self._copies = Settled()
        self._where = f"{of.name}.csv in {bundle.name}"
        self.facts = {
            stream.name: Facts(
                source=bundle.name,
                mode=manifest.mode(of.name) or "bulk",
                version=manifest.version.value,
                derived=stream.derived is not None and stream.name != of.name,
            )
            for stream in streams
        }
        # What is odd about the file is told once, by its own stream where that is read.
        self._own = self.facts.get(of.name) or next(iter(self.facts.values()))

    def __iter__(self) -> Iterator[Records]:
        deviations = self._own.deviations
        with self._bundle.open(self._file.name) as stream:
            size = COLUMN_BLOCK if self._columnar else BLOCK
            rows = RowReader(self._file, stream, self._where, deviations, self._reject, block_size=size)
            reader = RecordReader(self._file, rows.header, self._manifest.version, self._policy, deviations)
            quick, split = self._quick_reader(rows, reader)
            self._copies = copies = self._settle_copies(first=not rows.header.columns["sourcedId"])
            deviations.update(copies.deviations)
            makers = {
                s: maker(s, rows.header, self._holders, copies.united)
                for s in self._streams
                if s.name != self._file.name
            }
            try:
                for chunk in rows.chunks(split):
                    yield from self._batches(chunk, reader, quick, makers)
            finally:
                self._state_facts(rows)
        self._bundle.check_unchanged(self._file.name)
        self._finish(rows, stamped=reader.stamped or quick.stamped)

    def _quick_reader(self, rows: RowReader, records: RecordReader) -> tuple[QuickReader, Split]:
        """Return what makes lines or columns of plain chunks, and what takes the blocks of such chunks apart."""
        if not self._columnar:
            return LineReader(self._file, rows.header, self._manifest.version, self._policy, records), fast_split
        from .read.columns import ColumnReader

        columns = ColumnReader(self._file, rows.header, self._manifest.version, self._policy, records)
        return columns, columns.split

    def _batches(
        self, chunk: Chunk, reader: RecordReader, quick: QuickReader, makers: Mapping[File, Make]
    ) -> Iterator[Records]:
        odd: Counter[str] = Counter()
        picked, batch = self._without_copies(chunk, reader, odd) if self._copies.kept else (chunk, None)
        batch = batch if batch is not None else quick.read(chunk, odd) or Records(self._file, reader.read(chunk, odd))
        if odd:
            self._name_losses(chunk, reader, odd)
            self._own.deviations.update(odd)
        if batch:
            for stream in self._streams:
                make = makers.get(stream)
                yield Records(stream, make(picked, batch.records)) if make else batch

    def _without_copies(self, chunk: Chunk, reader: RecordReader, odd: Counter[str]) -> tuple[Chunk, Records | None]:
        """The rows of a chunk that count, and their records; None where all rows count as they are."""
        copies = self._copies
        ids = reader.values(chunk, "sourcedId")
        if copies.kept.keys().isdisjoint(ids):
            return chunk, None
        places = kept_places(chunk, ids, copies, lambda number: self._name(number, CONFLICT, "left out"))
        records = reader.read(chunk, odd)
        records = [records[place] for place in places]
        for record in records:
            copies.unite(record)
        return chunk.pick(places), Records(self._file, records)

    def _name_losses(self, chunk: Chunk, reader: RecordReader, odd: Counter[str]) -> None:
        """Name the first rows in which a value could not be read; in strict mode stop there."""
        strict = self._on_invalid == "fail"
        if (strict or self._named < _NAMED) and any(map(is_loss, odd)):
            for number, rule in reader.losses(chunk):
                if strict:
                    raise SourceError(f"{self._where}, row {number:,}: {rule}")
                self._name(number, rule, "null instead")

    def _reject(self, number: int, rule: str) -> None:
        if self._on_invalid == "fail":
            raise SourceError(f"{self._where}, row {number:,}: {rule}")
        self._name(number, rule, "left out")

    def _name(self, number: int, rule: str, outcome: str) -> None:
        self._named += 1
        if self._named <= _NAMED:
            self._say(f"{self._where}, row {number:,}: {rule}: {outcome}")
        elif self._named == _NAMED + 1:
            self._say(f"{self._where}: no more rows are named, all are counted")

    def _settle_copies(self, *, first: bool) -> Settled:
        """Find the ids that the file holds more than once, and decide between their rows."""
        if self._columnar:
            from ..arrow import ArrowDistinct

            distinct: Distinct = ArrowDistinct()
        else:
            distinct = Distinct()
        if first:
            with self._bundle.open(self._file.name) as stream:
                repeated = first_cells(stream, distinct)
        else:
            with self._read_aside() as (rows, reader):
                repeated = ids_of(rows, reader, distinct)
        settled = Settled()
        if repeated:
            del distinct
            copies = Copies(self._on_invalid, lambda number: f"{self._where}, row {number:,}")
            with self._read_aside() as (rows, reader):
                settled = settle_copies(rows, reader, repeated, copies)
        for name, facts in self.facts.items():
            facts.unique = name == self._file.name and not settled.kept
        return settled

    @contextmanager
    def _read_aside(self) -> Iterator[tuple[RowReader, RecordReader]]:
        """The file once more, nothing of which is counted."""
        ignored: Counter[str] = Counter()
        with self._bundle.open(self._file.name) as stream:
            rows = RowReader(self._file, stream, self._where, ignored)
            yield rows, RecordReader(self._file, rows.header, self._manifest.version, self._policy, ignored)

    def _rejected(self, rows: RowReader) -> int:
        return rows.rejected + self._copies.rejected

    def _state_facts(self, rows: RowReader) -> None:
        for name, facts in self.facts.items():
            if name == self._file.name:
                facts.expected = rows.rows + rows.rejected
                facts.collapsed = self._copies.collapsed
            facts.rejected = self._rejected(rows)

    def _finish(self, rows: RowReader, *, stamped: bool) -> None:
        """The file was read to its end: what it was, and whether it was all there."""
        declared = self._manifest.modes.get(self._file.name)
        deviations = self._own.deviations
        if not rows.rows and not rows.rejected:
            # The standard forbids a header without rows; it must never be read as "all gone".
            deviations["no data rows"] += 1
        elif declared == "bulk" and stamped:
            deviations["declared bulk, but its rows carry a status"] += 1
        elif declared == "delta" and not stamped:
            deviations["declared delta, but its rows carry no status"] += 1
        rejected = self._rejected(rows)
        accepted = not rejected or self._on_invalid == "accept"
        for facts in self.facts.values():
            # What a manifest calls a delta never becomes a snapshot: that could delete.
            facts.mode = self._manifest.mode(self._file.name) or ("delta" if stamped else "bulk")
            facts.complete = accepted
            facts.snapshot = facts.mode == "bulk" and not rejected and rows.rows > 0
        if not accepted:
            self.problem = (
                f"{self._where}: {rejected:,} of"
                f" {rows.rows + rows.rejected:,} rows were left out (see the receipt for the"
                " rules); have them mended, or set on_invalid to accept once you have looked"
            )
