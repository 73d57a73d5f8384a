"""The small interface behind which a REST service and a CSV bundle look the same.

A source is asked for a collection and answers with *parts*: one pass over one place that holds
records of it (a service, or one bundle). A part is iterated for batches of records, of the
collection itself and of the streams derived from it, and keeps the facts that a receipt states.
Nothing here knows of Singer.
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

__all__ = [
    "CollectionMoved",
    "Facts",
    "FatalSourceError",
    "HeldBack",
    "MissingCollection",
    "Pass",
    "Records",
    "Request",
    "Source",
    "SourceError",
    "TotalMismatch",
]


class Records:
    """Some records of one stream, in the order of the source.

    `records` are Structs of `record_class(file)`, `rows` the same encoded.
    """

    arrays: Mapping[str, Any] = {}
    """Columns of Arrow by name of the field, where the source made some anyway."""

    def __init__(self, file: File, records: list[Struct]) -> None:
        self.file = file
        self.records = records

    @cached_property
    def rows(self) -> EncodedRows:
        """The records as they leave the tap."""
        return encode_rows(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def values(self, name: str) -> Sequence[Any]:
        """Values of one field."""
        return list(map(attrgetter(name), self.records))

    @property
    def content(self) -> Sequence[bytes]:
        """The content of each record, encoded."""
        return self.rows.content

    @property
    def is_uniform(self) -> bool:
        """Whether all records are known to have the stamps of the first."""
        return bool(self.rows.rest)

    def counts(self, name: str, among: Sequence[bool] | None = None) -> Counter[str]:
        """How often each value of a field of texts, or of lists of them, comes in the records, or in those that `among` picks."""
        values: Iterable[Any] = self.values(name) if among is None else compress(self.values(name), among)
        if self.file.field(name).kind.is_list:
            values = chain.from_iterable(filter(None, values))
        counts = Counter(values)
        del counts[None]
        return counts

    def new_distinct(self) -> Distinct:
        """What counts the different ids of records like these."""
        return Distinct()

    def part(self, start: int, stop: int) -> Records:
        """Some of the records."""
        return Records(self.file, self.records[start:stop])


@dataclass(slots=True)
class Facts:
    """What a source knows about one pass over one stream; it goes into the receipt."""

    source: str
    mode: str
    version: str | None = None
    filter: str | None = None
    expected: int | None = None
    """Records the source says it holds: a total, or the rows of a file."""
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
    """The source was read to its end."""
    snapshot: bool = False
    """It held everything there is, unfiltered: what did not come is gone."""
    derived: bool = False
    """The rows were made from their parent's records."""
    collapsed: int = 0
    """Records that came and were not delivered, because another record of the same id counts."""
    unique: bool = False
    """Each record is known to have an id of its own."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the tap wants from a collection.

    `streams` are those to be delivered: the collection itself, streams derived from it, or both.
    `since` limits the read to records modified at or after it. `state` is what earlier runs left
    in the bookmark of each stream.
    """

    file: File
    streams: tuple[File, ...]
    since: datetime | None = None
    state: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Pass(Protocol):
    """One pass over one place that holds records of a collection."""

    @property
    def facts(self) -> Mapping[str, Facts]:
        """Facts by stream name; final once the part has been iterated to its end."""

    @property
    def bookmark(self) -> dict[str, Any] | None:
        """What state should remember once this part is delivered: an entry of `bundles`, or None."""

    def __iter__(self) -> Iterator[Records]: ...


class Source(Protocol):
    """A place that holds OneRoster collections."""

    stands_still: bool
    """Whether a collection cannot change while it is read, so that it never has to be read again in the same run."""

    @property
    def problems(self) -> Sequence[str]:
        """What keeps a run from ending well although each collection is complete: one line each."""

    def passes(self, request: Request) -> Iterable[Pass]:
        """Passes over the collection, in the order in which their records must be delivered."""

    def close(self) -> None:
        """Let go of connections and files."""
