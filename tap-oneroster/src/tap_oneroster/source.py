"""The common interface of a REST service, of CSV bundles and of a warehouse.

A source returns the *parts* of a requested collection: a part is one pass over one place that holds its records (a
service, one bundle, or the warehouse). Iterating a part yields batches of records, of the collection and of the streams derived from
it; its facts go into the receipts. This module does not depend on Singer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, compress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

from ._core.codec import encode_rows
from ._core.errors import CollectionMoved, FatalSourceError, HeldBack, MissingCollection, SourceError, TotalMismatch
from .receipts.distinct import Distinct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from msgspec import Struct

    from ._core.codec import EncodedRows
    from ._core.model import File
    from ._core.twin.plan import Twin

__all__ = [
    "CollectionMoved",
    "Facts",
    "FatalSourceError",
    "HeldBack",
    "MissingCollection",
    "Pass",
    "Records",
    "Request",
    "SilentPass",
    "Source",
    "SourceError",
    "TotalMismatch",
]


class Records:
    """Some records of one stream, in the order of the source.

    `records` are Structs of `record_class(file)`, `rows` are the same records encoded.
    """

    arrays: Mapping[str, Any] = {}
    """Arrow columns by field name, if the source made them."""

    def __init__(self, file: File, records: list[Struct]) -> None:
        self.file = file
        self.records = records

    @cached_property
    def rows(self) -> EncodedRows:
        """The encoded records, as the tap writes them."""
        return encode_rows(self.records)

    @property
    def clear(self) -> Records:
        """The records as the source has them, of which others are derived; a twin's own records differ."""
        return self

    def __len__(self) -> int:
        return len(self.records)

    def values(self, name: str) -> Sequence[Any]:
        """Return the values of one field."""
        return list(map(attrgetter(name), self.records))

    @property
    def content(self) -> Iterable[bytes]:
        """The encoded content of each record, to be read once."""
        return self.rows.content

    @property
    def is_uniform(self) -> bool:
        """True if every record is known to share the first record's `status` and `dateLastModified`."""
        return bool(self.rows.rest)

    def counts(self, name: str, among: Sequence[bool] | None = None) -> Counter[str]:
        """Count the values of a text field or list field, in all records or in those that `among` picks."""
        values: Iterable[Any] = self.values(name) if among is None else compress(self.values(name), among)
        if self.file.field(name).kind.is_list:
            values = chain.from_iterable(filter(None, values))
        counts = Counter(values)
        del counts[None]
        return counts

    def new_distinct(self) -> Distinct:
        """Return an empty counter of distinct ids that fits records like these."""
        return Distinct()

    def part(self, start: int, stop: int) -> Records:
        """Return the records from `start` to `stop`."""
        return Records(self.file, self.records[start:stop])

    def pick(self, among: Sequence[bool]) -> Records:
        """Return the records that `among` picks."""
        return Records(self.file, list(compress(self.records, among)))


@dataclass(slots=True)
class Facts:
    """Facts about one pass over one stream, for its receipt."""

    source: str
    mode: str
    version: str | None = None
    filter: str | None = None
    expected: int | None = None
    """Number of records according to the source: a total, or the rows of a file."""
    share: float | None = None
    """The part of a file that was read so far."""
    rejected: int = 0
    """Rows left out, each counted under its rule in `deviations`."""
    pages: int | None = None
    page_size_asked: int | None = None
    page_size_served: int | None = None
    revision: str | None = None
    deviations: Counter[str] = field(default_factory=Counter)
    complete: bool = False
    """True if the source was read to its end."""
    snapshot: bool = False
    """True if the pass covered all records without a filter: rows that did not arrive no longer exist."""
    derived: bool = False
    """True if the rows were derived from their parent's records."""
    collapsed: int = 0
    """Records that were not delivered because another record with the same id was."""
    parent_read_until: str | None = None
    """Latest `dateLastModified` of the parent's records, if they were read and not delivered."""
    columns: Sequence[str] = ()
    """Names of the source's columns or keys, as it wrote them; of keys only those that had a value, sorted."""
    modified: datetime | None = None
    """When the source was last changed, if files tell it."""
    unique: bool = False
    """True if each record is known to have its own id."""
    approved: bool = False
    """True if somebody else has judged what is gone, so that the shrink guard does not ask again."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the tap for a collection.

    `streams` are to be delivered: the collection itself, streams derived from it, or both. `since` limits the read to
    records modified at or after it. `state` holds each stream's bookmark from earlier runs.
    """

    file: File
    streams: tuple[File, ...]
    since: datetime | None = None
    state: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    twin: Twin | None = None
    """What may leave; a source may make the rows of a twin itself, where that is faster."""


class Pass(Protocol):
    """One pass over one place that holds records of a collection."""

    @property
    def facts(self) -> Mapping[str, Facts]:
        """Facts by stream name; final after the part has been iterated to its end."""

    @property
    def bookmark(self) -> dict[str, Any] | None:
        """State to store after this part is delivered: an entry of `bundles`, or None."""

    def __iter__(self) -> Iterator[Records]: ...


class SilentPass:
    """A pass without records: the collection or file is absent, or was read before."""

    bookmark = None

    def __init__(self, facts: Mapping[str, Facts]) -> None:
        self.facts = facts

    def __iter__(self) -> Iterator[Records]:
        return iter(())


class Source(Protocol):
    """A place that holds OneRoster collections."""

    stands_still: bool
    """True if a collection cannot change during a read, so that a run never has to read it twice."""

    @property
    def problems(self) -> Sequence[str]:
        """Errors that fail the run although each collection is complete, one line each."""

    def passes(self, request: Request) -> Iterable[Pass]:
        """Return the passes over the collection, in the order in which their records must be delivered."""

    def close(self) -> None:
        """Close connections and files."""
