"""What came and what went out in one pass over one stream: the figures of a receipt."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ._model.codec import content_digest
from .dates import to_utc_text
from .distinct import Distinct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Struct

    from ._model import File
    from .source import Facts

__all__ = ["Tally"]

_status = attrgetter("status")
_id = attrgetter("sourcedId")
_modified = attrgetter("dateLastModified")


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

    def add(self, records: Sequence[Struct], rows: Sequence[bytes]) -> None:
        """Take in some records, and the same records as encoded by `encode_rows`."""
        self.received += len(records)
        self._distinct.add(map(_id, records))
        latest = max(filter(None, map(_modified, records)), default=None)
        if latest and (self.latest is None or latest > self.latest):
            self.latest = latest
        statuses = Counter(map(_status, records))
        gone = statuses["tobedeleted"]
        if gone:
            self.deleted += gone
            records, rows = self._active(records, rows)
        if not self.facts.derived:
            self._digest = (self._digest + content_digest(rows)) % 2**64
        if self._school:
            self._count_schools(list(map(self._school, records)))

    @staticmethod
    def _active(records: Sequence[Struct], rows: Sequence[bytes]) -> tuple[list[Struct], list[bytes]]:
        pairs = [(record, row) for record, row in zip(records, rows, strict=True) if _status(record) != "tobedeleted"]
        return [record for record, _ in pairs], [row for _, row in pairs]

    def _count_schools(self, schools: list[Any]) -> None:
        for school, rows in Counter(tuple(s) if isinstance(s, list) else s for s in schools).items():
            for one in school if isinstance(school, tuple) else (school,):
                if one is not None:
                    self.schools[one] += rows

    def distinct(self) -> int:
        """Number of different ids that came."""
        return self._distinct.count()

    def receipt(self, run_id: str) -> dict[str, Any]:
        """The receipt as a record of the stream `syncReceipts`."""
        facts = self.facts
        return {
            "runId": run_id,
            "collection": self.file.name,
            "source": facts.source,
            "mode": facts.mode,
            "version": facts.version,
            "expected": facts.expected,
            "received": self.received,
            "distinct": self.distinct(),
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
