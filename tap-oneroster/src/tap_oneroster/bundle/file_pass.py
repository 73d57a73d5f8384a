"""Read one file of one bundle, as a part of a collection."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._core.coerce import is_loss
from .._core.copies.records import REJECTED, Copies, Settled
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
    from .._core.twin.plan import Twin
    from ..policy import Policy
    from .locate.archive import Bundle
    from .locate.manifest import Manifest
    from .read.columns import ColumnReader
    from .read.derived_rows import Holders, Make
    from .read.rows import Chunk, Split

COLUMN_BLOCK = 1 << 20
"""Bytes read at a time for Arrow columns, which have a fixed cost each, however short they are."""
_NAMED = 10
"""The log names this many rows of a file; further ones are only counted."""


@dataclass(eq=False, repr=False)
class FilePass:
    """Reads one file of one bundle, for the stream of that name and for streams derived from it.

    If rows had to be left out, it reads to the end and reports them in `problem`.
    """

    bundle: Bundle
    manifest: Manifest
    file: File
    streams: Sequence[File]
    policy: Policy
    on_invalid: str
    bookmark: dict[str, Any]
    holders: Holders | None
    columnar: bool
    say: Callable[[str], None]
    twin: Twin | None = None
    problem: str | None = None
    _named: int = 0
    _copies: Settled = field(default_factory=Settled)

    def __post_init__(self) -> None:
        self._where = f"{self.file.name}.csv in {self.bundle.name}"
        self.facts = {
            stream.name: Facts(
                source=self.bundle.name,
                mode=self.manifest.mode(self.file.name) or "bulk",
                version=self.manifest.version.value,
                derived=stream.derived is not None and stream.name != self.file.name,
                modified=self.bundle.modified if self.bundle.modified.timestamp() else None,
            )
            for stream in self.streams
        }
        # Deviations of the file are reported once: by its own stream, or by the first derived one if that is not read.
        self._own = self.facts.get(self.file.name) or next(iter(self.facts.values()))

    def __iter__(self) -> Iterator[Records]:
        deviations = self._own.deviations
        with self.bundle.open(self.file.name) as stream:
            size = COLUMN_BLOCK if self.columnar else BLOCK
            rows = RowReader(self.file, stream, self._where, deviations, self._reject, block_size=size)
            if self.file.name in self.facts:
                self._own.columns = rows.header.names
            reader = RecordReader(self.file, rows.header, self.manifest.version, self.policy, deviations)
            quick, split = self._quick_reader(rows, reader)
            self._copies = copies = self._settle_copies(first=not rows.header.columns["sourcedId"])
            deviations.update(copies.deviations)
            makers = {
                s: maker(s, rows.header, self.holders, copies.united) for s in self.streams if s.name != self.file.name
            }
            try:
                for chunk in rows.chunks(split):
                    self._own.share = stream.share
                    yield from self._batches(chunk, reader, quick, makers)
            finally:
                self._state_facts(rows)
        self.bundle.check_unchanged(self.file.name)
        self._finish(rows, stamped=reader.stamped or quick.stamped)

    def _quick_reader(self, rows: RowReader, records: RecordReader) -> tuple[LineReader | ColumnReader, Split]:
        """Return what makes lines or columns of plain chunks, and the function that splits the blocks of such chunks."""
        if self.twin and self.file.name in self.facts and self.file.name in self.twin:
            from .read.twin_lines import TwinLineReader

            twin = self.twin.of(self.file.name)
            return TwinLineReader(twin, rows.header, self.manifest.version, self.policy, records), fast_split
        if not self.columnar:
            return LineReader(self.file, rows.header, self.manifest.version, self.policy, records), fast_split
        from .read.columns import ColumnReader

        columns = ColumnReader(self.file, rows.header, self.manifest.version, self.policy, records)
        return columns, columns.split

    def _batches(
        self, chunk: Chunk, reader: RecordReader, quick: LineReader | ColumnReader, makers: Mapping[File, Make]
    ) -> Iterator[Records]:
        odd: Counter[str] = Counter()
        picked, batch = self._without_copies(chunk, reader, odd) if self._copies.kept else (chunk, None)
        if batch is None and (batch := quick.read(chunk, odd)) is None:
            batch = Records(self.file, reader.read(chunk, odd))
        if odd:
            self._name_losses(chunk, reader, odd)
            self._own.deviations.update(odd)
        if batch or self.twin:  # nobody of a chunk may be in scope, but what is derived of it may
            for stream in self.streams:
                make = makers.get(stream)
                yield Records(stream, make(picked, batch.clear)) if make else batch

    def _without_copies(self, chunk: Chunk, reader: RecordReader, odd: Counter[str]) -> tuple[Chunk, Records | None]:
        """Return the rows of a chunk that count, and their records; None for the records if all rows count unchanged."""
        copies = self._copies
        ids = reader.values(chunk, "sourcedId")
        if copies.kept.keys().isdisjoint(ids):
            return chunk, None
        places = kept_places(chunk, ids, copies, lambda number: self._name(number, REJECTED, "left out"))
        records = reader.read(chunk, odd)
        records = [records[place] for place in places]
        for record in records:
            copies.unite(record)
        return chunk.pick(places), Records(self.file, records)

    def _name_losses(self, chunk: Chunk, reader: RecordReader, odd: Counter[str]) -> None:
        """Log the first rows in which a value could not be read; raise SourceError in strict mode."""
        strict = self.on_invalid == "fail"
        if (strict or self._named < _NAMED) and any(map(is_loss, odd)):
            for number, rule in reader.losses(chunk):
                if strict:
                    raise SourceError(f"{self._where}, row {number:,}: {rule}")
                self._name(number, rule, "null instead")

    def _reject(self, number: int, rule: str) -> None:
        if self.on_invalid == "fail":
            raise SourceError(f"{self._where}, row {number:,}: {rule}")
        self._name(number, rule, "left out")

    def _name(self, number: int, rule: str, outcome: str) -> None:
        self._named += 1
        if self._named <= _NAMED:
            self.say(f"{self._where}, row {number:,}: {rule}: {outcome}")
        elif self._named == _NAMED + 1:
            self.say(f"{self._where}: no more rows are named, all are counted")

    def _settle_copies(self, *, first: bool) -> Settled:
        """Find the ids that occur more than once in the file, and decide which of their rows count."""
        if self.columnar:
            from ..arrow import ArrowDistinct

            distinct: Distinct = ArrowDistinct()
        else:
            distinct = Distinct()
        if first:
            with self.bundle.open(self.file.name) as stream:
                repeated = first_cells(stream, distinct)
        else:
            with self._read_aside() as (rows, reader):
                repeated = ids_of(rows, reader, distinct)
        settled = Settled()
        if repeated:
            del distinct
            copies = Copies(self.on_invalid, lambda number: f"{self._where}, row {number:,}")
            with self._read_aside() as (rows, reader):
                settled = settle_copies(rows, reader, repeated, copies)
        for name, facts in self.facts.items():
            facts.unique = name == self.file.name and not settled.kept
        return settled

    @contextmanager
    def _read_aside(self) -> Iterator[tuple[RowReader, RecordReader]]:
        """Read the file once more, without counting anything."""
        ignored: Counter[str] = Counter()
        with self.bundle.open(self.file.name) as stream:
            rows = RowReader(self.file, stream, self._where, ignored)
            yield rows, RecordReader(self.file, rows.header, self.manifest.version, self.policy, ignored)

    def _rejected(self, rows: RowReader) -> int:
        return rows.rejected + self._copies.rejected

    def _state_facts(self, rows: RowReader) -> None:
        for name, facts in self.facts.items():
            if name == self.file.name:
                facts.expected = rows.rows + rows.rejected
                facts.collapsed = self._copies.collapsed
            facts.rejected = self._rejected(rows)

    def _finish(self, rows: RowReader, *, stamped: bool) -> None:
        """Set mode and completeness after the file was read to its end."""
        declared = self.manifest.modes.get(self.file.name)
        deviations = self._own.deviations
        if not rows.rows and not rows.rejected:
            # The standard forbids a header without rows; it must never be read as "all rows were deleted".
            deviations["no data rows"] += 1
        elif declared == "bulk" and stamped:
            deviations["declared bulk, but its rows carry a status"] += 1
        elif declared == "delta" and not stamped:
            deviations["declared delta, but its rows carry no status"] += 1
        rejected = self._rejected(rows)
        accepted = not rejected or self.on_invalid == "accept"
        for facts in self.facts.values():
            # A file that the manifest calls a delta never becomes a snapshot, because a snapshot can delete rows.
            facts.mode = self.manifest.mode(self.file.name) or ("delta" if stamped else "bulk")
            facts.complete = accepted
            facts.snapshot = facts.mode == "bulk" and not rejected and rows.rows > 0
        if not accepted:
            self.problem = (
                f"{self._where}: {rejected:,} of"
                f" {rows.rows + rows.rejected:,} rows were left out (see the receipt for the"
                " rules); have them mended, or set on_invalid to accept once you have looked"
            )
