"""What came and what went out in one pass over one stream: the figures of a receipt."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import chain, compress
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ._model.codec import content_digest
from .dates import to_utc_text
from .distinct import Distinct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from msgspec import Struct

    from ._model import File
    from ._model.codec import Rows
    from .source import Facts

__all__ = ["Tally"]

_status = attrgetter("status")
_id = attrgetter("sourcedId")
_modified = attrgetter("dateLastModified")
_NEVER = {None}

_MOST_REPEATED = 100_000
"""So many ids that came more than once are looked into; where there are more, something else is wrong."""


class Tally:
    """Counts the records of one pass over one stream as they go by."""

    def __init__(self, file: File, facts: Facts) -> None:
        self.file = file
        self.facts = facts
        self.received = 0
        self.deleted = 0
        self.schools: Counter[str] = Counter()
        self.latest: str | None = None
        """Latest `dateLastModified` that came."""
        self.started = datetime.now(UTC)
        self._distinct = Distinct()
        self._digest = 0
        self._school = attrgetter(file.school) if file.school else None
        self._many_schools = bool(file.school) and file.field(file.school or "").kind.is_list

    def add(self, records: Sequence[Struct], rows: Rows) -> None:
        """Take in some records, and the same records as encoded by `encode_rows`."""
        self.received += len(records)
        self._distinct.add(map(_id, records))
        # Where all records end alike, they have the stamps of the first.
        stamped = records[:1] if rows.rest else records
        if set(map(_modified, stamped)) != _NEVER:
            latest = max(filter(None, map(_modified, stamped)))
            self.latest = max(self.latest or latest, latest)
        content = rows.content
        if "tobedeleted" in map(_status, stamped):
            alive = [_status(record) != "tobedeleted" for record in records]
            content = rows.active(alive)
            records = list(compress(records, alive))
            self.deleted += len(alive) - len(records)
        if not self.facts.derived:
            self._digest = (self._digest + content_digest(content)) % 2**64
        if self._school:
            self._count_schools(map(self._school, records))

    def _count_schools(self, schools: Iterable[Any]) -> None:
        if self._many_schools:
            schools = chain.from_iterable(filter(None, schools))
        self.schools.update(schools)
        del self.schools[None]

    def distinct(self) -> int:
        """Number of different ids that came."""
        return self._distinct.count()

    def receipt(self, run_id: str) -> dict[str, Any]:
        """The receipt as a record of the stream `syncReceipts`."""
        facts, distinct = self.facts, self.distinct()
        if distinct < self.received and facts.complete and facts.explain_copies:
            facts.explain_copies(self._distinct.repeated(_MOST_REPEATED))
        return {
            "runId": run_id,
            "collection": self.file.name,
            "source": facts.source,
            "mode": facts.mode,
            "version": facts.version,
            "expected": facts.expected,
            "received": self.received,
            "distinct": distinct,
            "rejected": facts.rejected,
            "pages": facts.pages,
            "pageSizeAsked": facts.page_size_asked,
            "pageSizeServed": facts.page_size_served,
            "startedAt": to_utc_text(self.started),
            "finishedAt": to_utc_text(datetime.now(UTC)),
            "filter": facts.filter,
            "revision": facts.revision,
            "contentDigest": None if facts.derived else f"{self._digest:016x}",
            "deviations": dict(sorted(facts.deviations.items())),
            "complete": facts.complete,
        }
