"""Holds beside the state: who stopped a district or let it go, when, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .clock import written
from .stores.base import HOLD_RECORD

if TYPE_CHECKING:
    from datetime import date, datetime

    from .stores import Store

HISTORY = "holds.json"


def put_hold(store: Store, district: str, why: str, *, until: date | None, who: str, at: datetime) -> None:
    """Hold a district."""
    hold = {"why": why, "until": until.isoformat() if until else None, "who": who, "when": written(at)}
    store.put(district, HOLD_RECORD, hold)
    _note(store, district, {"what": "hold", **hold})


def release_hold(store: Store, district: str, why: str, *, who: str, at: datetime) -> bool:
    """Release a district; return False if there is no hold beside its state."""
    if not store.records(HOLD_RECORD, [district]):
        return False
    _note(store, district, {"what": "release", "why": why, "who": who, "when": written(at)})
    store.remove(district, HOLD_RECORD)
    return True


def _note(store: Store, district: str, event: dict[str, Any]) -> None:
    history = store.records(HISTORY, [district]).get(district, {}).get("events", [])
    store.put(district, HISTORY, {"events": [*history, event]})
