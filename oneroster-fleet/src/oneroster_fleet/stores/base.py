"""What each store can do, and the words of a state in Meltano's layout."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ..errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from contextlib import AbstractContextManager

LAST, HOLD_RECORD, LOCK, NIGHTS, BOARD_RECORD = "last.json", "hold.json", "fleet.lock", "nights.json", "board.json"
Records = dict[str, dict[str, Any]]
"""Records of one name, by the id of the district."""


def record_of(content: bytes | str) -> dict[str, Any]:
    """Return the record that was written; an empty one if what is stored is none.

    An empty record is no success of a run, and a hold that is in force, so that nothing is taken for better than it is.
    """
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class Lock:
    """A lock that is held; `check` raises FleetError if it was lost."""

    inherited: int | None = None
    """A file descriptor that keeps the lock as long as any process has it open; children inherit it."""

    def check(self) -> None:
        """Raise FleetError if somebody else has taken the lock over."""


class Store(ABC):
    """States in Meltano's layout, and our records beside them."""

    @abstractmethod
    def read(self, district: str) -> bytes | None:
        """Return the stored state document of a district, as Meltano writes it; None if there is none."""

    @abstractmethod
    def write(self, district: str, document: bytes, version: str) -> None:
        """Store a state document if the stored one still has this version.

        Raises:
            StateMoved: The stored one is another.
        """

    @abstractmethod
    def clear(self, district: str) -> None:
        """Remove the state of a district; its records stay."""

    @abstractmethod
    def states(self) -> list[str]:
        """Return the ids that have a state, sorted."""

    @abstractmethod
    def records(self, name: str, districts: Collection[str]) -> Records:
        """Return the records of that name of those districts that have one."""

    @abstractmethod
    def put(self, district: str, name: str, content: Mapping[str, Any]) -> None:
        """Write a record of a district whole."""

    @abstractmethod
    def remove(self, district: str, name: str) -> None:
        """Remove a record, if there is one."""

    @abstractmethod
    def lock(self, district: str, content: Mapping[str, Any]) -> AbstractContextManager[Lock]:
        """Hold the lock of a district. Raise Busy within a second if it is held elsewhere."""

    @abstractmethod
    def running(self, districts: Collection[str]) -> Records:
        """Return the content of the locks that are held now."""

    def close(self) -> None:  # noqa: B027 - most stores hold nothing open
        """End connections."""


def version_of(document: bytes | None) -> str:
    """Return what tells one stored document from another; empty for none."""
    return "" if document is None else sha256(document).hexdigest()


def encoded(state: Mapping[str, Any]) -> bytes:
    """Return the document of a complete state, as Meltano writes it."""
    return json.dumps({"completed": {"singer_state": state}, "partial": {}}).encode()


def merged_state(document: bytes | None) -> dict[str, Any] | None:
    """Return the Singer state of a document: what a partial run added, on top of the last complete one."""
    if document is None:
        return None
    try:
        found = json.loads(document)
        complete, partial = found.get("completed") or {}, found.get("partial") or {}
        state: dict[str, Any] = _merge(complete.get("singer_state") or {}, partial.get("singer_state") or {})
    except (ValueError, AttributeError):
        raise FleetError(
            "state: the stored document is not Meltano's; put a state in its place: oneroster-fleet state set ID,"
            " or read everything anew: oneroster-fleet state clear ID"
        ) from None
    return state or None


def _merge(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {name: _merge(below.get(name), value) for name, value in above.items()}
    return above
