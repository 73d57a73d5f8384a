"""What is so with each district now: one read of the store for all of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from .district import District  # noqa: TC001 - msgspec evaluates the annotations
from .stores.base import HOLD_RECORD, LAST
from .words import Words, hold_of, is_due, word_of

if TYPE_CHECKING:
    from .district import Fleet
    from .stores import Store


class Row(Struct, frozen=True):
    """A district, its word, and the record of its last run."""

    district: District
    words: Words
    due: bool
    last: dict[str, Any] | None

    def shown(self, at_text: Any) -> dict[str, Any]:
        """Return what `list --json` says of it."""
        return {
            "id": self.district.id,
            "provider": self.district.provider,
            "word": self.words.word.value,
            "due": self.due,
            "since": at_text(self.words.since) if self.words.since else None,
        }


def statuses(fleet: Fleet, store: Store, at: datetime) -> list[Row]:
    """Return the status of each district, in the order of the fleet file."""
    names = list(fleet.districts)
    last, holds, running = store.records(LAST, names), store.records(HOLD_RECORD, names), store.running(names)
    rows = []
    for district in fleet.districts.values():
        its, record = district.id, last.get(district.id)
        hold = hold_of(district, holds.get(its))
        faults = fleet.faults_of.get(its)
        words = word_of(district, record, hold, running.get(its), at, fault=str(faults[0]) if faults else "")
        is_held = hold is not None and hold.is_in_force(at, district.zone)
        rows.append(Row(district, words, is_due(district, record, at) and not is_held and not faults, record))
    return rows
