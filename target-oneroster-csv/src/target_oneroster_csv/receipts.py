"""The proof that a tap reached its end: a bundle is published only when every receipt agrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Arrival", "Receipts"]

_WHOLE = {"rest", "bulk", "absent"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """What arrived of one stream.

    `distinct` is unknown (None) where stream maps changed the rows, or where they are not kept.
    """

    records: int
    distinct: int | None


class Receipts:
    """The receipts of a run, and what they allow."""

    def __init__(self) -> None:
        self.announced = False
        """The tap has said that receipts will come."""
        self._by_key: dict[tuple[Any, ...], Mapping[str, Any]] = {}

    def add(self, receipt: Mapping[str, Any]) -> None:
        """Take in one receipt; a later one for the same pass replaces it."""
        key = tuple(receipt.get(name) for name in ("tenant", "source", "collection", "runId"))
        self._by_key[key] = receipt

    def of(self, stream: str) -> list[Mapping[str, Any]]:
        """Receipts of one stream, in the order in which they came."""
        return [r for r in self._by_key.values() if r.get("collection") == stream]

    def derived(self, stream: str) -> bool:
        """Whether the rows were made from their parents' records, so that a parent brings all of its rows.

        Only such rows are receipted without a digest of their content.
        """
        return any("contentDigest" in r and r["contentDigest"] is None for r in self.of(stream))

    def disagrees(self, stream: str, arrival: Arrival) -> str | None:
        """Why what arrived of a stream is not what its receipts count; None where it is."""
        receipts = self.of(stream)
        if not receipts:
            return "no receipt came, the run broke off. Run the tap again"
        return _count_fault([int(r.get("distinct") or 0) for r in receipts], arrival)

    def complete(self, stream: str) -> bool:
        """Whether every receipt of a stream says that its source was read to the end."""
        return all(r.get("complete") is True for r in self.of(stream))

    def check(self, streams: Mapping[str, Arrival], *, required: bool, snapshot: bool) -> None:
        """Refuse what is not proven to be complete.

        `snapshot`: the bundle says that what it lacks is gone, so only whole, unfiltered reads will do.
        """
        if not self.announced:
            if required:
                raise BundleError(
                    "require_receipts is set and the input has no syncReceipts: it cannot be told from a run that broke off."
                )
            return
        faults: dict[str, list[str]] = {}
        for stream, arrival in streams.items():
            if fault := self._fault(stream, arrival, snapshot=snapshot):
                faults.setdefault(fault, []).append(stream)
        if faults:
            text = "; ".join(f"{', '.join(sorted(names))}: {fault}" for fault, names in faults.items())
            raise BundleError(f"Nothing was published. {text}.")

    def _fault(self, stream: str, arrival: Arrival, *, snapshot: bool) -> str | None:
        receipts = self.of(stream)
        if not receipts:
            return "no receipt came, the run broke off. Run the tap again"
        if not all(r.get("complete") is True for r in receipts):
            return "the receipt says that the read did not reach its end. See the tap's log, run again"
        if snapshot:
            if any(r.get("filter") or r.get("mode") not in _WHOLE for r in receipts):
                return (
                    "the read was filtered, incremental, a delta or skipped, and a bulk bundle of it would delete "
                    "the rest downstream. Use load_method upsert, or run with --full-refresh"
                )
            if any(r.get("rejected") for r in receipts):
                return (
                    "the tap left rows out, and a bulk bundle would delete them downstream. "
                    "Mend the source, or use load_method upsert"
                )
        return _count_fault([int(r.get("distinct") or 0) for r in receipts], arrival)


def _count_fault(promised: list[int], arrival: Arrival) -> str | None:
    """Each receipt counts the different ids of one pass; later passes may repeat ids of earlier ones."""
    message = "fewer or more rows arrived than the receipt counts. Run again, and report it if it stays"
    if arrival.distinct is None:
        return message if arrival.records < sum(promised) else None
    if not max(promised) <= arrival.distinct <= sum(promised) or arrival.records < sum(promised):
        return message
    return None
