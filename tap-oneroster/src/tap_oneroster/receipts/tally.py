"""Count received and delivered records in one pass over one stream: the numbers of a receipt."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import compress
from typing import TYPE_CHECKING, Any

import msgspec
from xxhash import xxh3_64_hexdigest

from .._core.codec import content_digest
from .._core.coerce.dates import to_utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._core.model import File
    from ..source import Facts, Records
    from .distinct import Distinct

_READ = {"rest", "bulk", "delta", "warehouse"}
"""Modes of passes that read something."""

_FILTERED = "record left out by stream_maps"


class Tally:
    """Counts the records of one pass over one stream while they are delivered."""

    def __init__(self, file: File, facts: Facts) -> None:
        self.file = file
        self.facts = facts
        self.received = 0
        self.deleted = 0
        self.schools: Counter[str] = Counter()
        self.latest: str | None = None
        """Latest `dateLastModified` of the records."""
        self.started = datetime.now(UTC)
        self._distinct: Distinct | None = None
        self._digest = 0
        self._left_out = 0

    def add(self, batch: Records, written: Sequence[bool] | None = None) -> None:
        """Count some records; `written` is False for those that a stream map left out."""
        content = batch.content
        self.received += len(batch)
        if written is not None and not all(written):
            self._left_out += written.count(False)
            self.facts.deviations[_FILTERED] = self._left_out
        if not self.facts.unique:
            self._distinct = self._distinct or batch.new_distinct()
            ids = batch.values("sourcedId")
            self._distinct.add(ids if written is None else compress(ids, written))
        # If all records share status and date, the first record represents them.
        stamped = batch.part(0, 1) if batch.is_uniform else batch
        if latest := max(filter(None, stamped.values("dateLastModified")), default=None):
            self.latest = max(self.latest or latest, latest)
        alive: list[bool] | None = None
        if "tobedeleted" in stamped.values("status"):
            alive = [status != "tobedeleted" for status in batch.values("status")]
            content = compress(content, alive)
            self.deleted += alive.count(False)
        if not self.facts.derived:
            self._digest = (self._digest + content_digest(content)) % 2**64
        if self.file.school:
            self.schools.update(batch.counts(self.file.school, alive))

    def distinct(self) -> int:
        """Return the number of distinct ids that were written."""
        if self.facts.unique:
            return self.received - self._left_out
        return self._distinct.count() if self._distinct else 0

    def receipt(self, run_id: str) -> dict[str, Any]:
        """Return the receipt as a record of the stream `syncReceipts`."""
        facts = self.facts
        return {
            "runId": run_id,
            "collection": self.file.name,
            "source": facts.source,
            "mode": facts.mode,
            "version": facts.version,
            "expected": facts.expected,
            "received": self.received + facts.collapsed,
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
            "columns": list(facts.columns) or None,
            "headerDigest": header_digest(facts.columns) if facts.columns else None,
            "counts": dict(sorted(self.schools.items())) if self._has_schools else None,
            "sourceModifiedAt": to_utc_text(facts.modified) if facts.modified else self.latest,
        }

    @property
    def _has_schools(self) -> bool:
        return self.file.school is not None and self.facts.mode in _READ


def header_digest(columns: Sequence[str]) -> str:
    """Return a checksum that differs if a column is added, lost, renamed or moved, or written in another case."""
    return xxh3_64_hexdigest(msgspec.json.encode(list(columns)))
