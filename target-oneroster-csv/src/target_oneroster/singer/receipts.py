"""The proof that a tap reached its end: a bundle is published only when every receipt agrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._core.model import NO_SNAPSHOT
from ..errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["Arrival", "Receipts"]

_WHOLE = {"rest", "bulk", "absent"}

_NO_RECEIPT = "no receipt came, the run broke off"
_NEVER_CAME = "rows were promised and the stream never came"
_NOT_COMPLETE = "the receipt says that the read did not reach its end"
_DELTA = "a delta came, which holds changes only, and a bulk file of it would delete the rest downstream"
_FILTERED = "the read was filtered or incremental, and a bulk file of it would delete the rest downstream"
_SKIPPED = "a bundle that had been read before was skipped, and a bulk file without it would delete its rows downstream"
_ROWS_LEFT_OUT = "the tap left rows out, and a bulk file would delete them downstream"
_UNPROVEN = "the service could not prove that nothing is missing, and a bulk file would delete that downstream"
_OTHER_COUNT = "fewer or more rows arrived than the receipt counts"

_ADVICE = {
    _NO_RECEIPT: "Run the tap again.",
    _NEVER_CAME: "Run again, or select it.",
    _NOT_COMPLETE: "See the tap's log, and run it again.",
    _DELTA: "Use load_method upsert, which merges changes into the bundle that is there, or file_mode delta, which "
    "passes them on. (--full-refresh would only read the same delta again.)",
    _FILTERED: "Run with --full-refresh, and without start_date and status_filter in the tap; or use load_method "
    "upsert, or file_mode delta.",
    _SKIPPED: "Run with --full-refresh, or use load_method upsert.",
    _ROWS_LEFT_OUT: "Mend the source, or use load_method upsert.",
    _UNPROVEN: "See deviations in the receipt; use load_method upsert.",
    _OTHER_COUNT: "Run again, and report it if it stays.",
}


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
        """Why what arrived of a stream is not what its receipts count, and what to do; None where it is."""
        receipts = self.of(stream)
        fault = _count_fault([int(r.get("distinct") or 0) for r in receipts], arrival) if receipts else _NO_RECEIPT
        return f"{fault}. {_ADVICE[fault].removesuffix('.')}" if fault else None

    def complete(self, stream: str) -> bool:
        """Whether every receipt of a stream says that its source was read to the end."""
        return all(r.get("complete") is True for r in self.of(stream))

    def check(self, streams: Mapping[str, Arrival], *, required: bool, snapshots: Collection[str] = ()) -> None:
        """Refuse what is not proven to be complete.

        `snapshots`: streams whose files say that what they lack is gone, so only whole, unfiltered reads will do.
        """
        if not self.announced:
            if required:
                raise TargetError(
                    "require_receipts is set and the input has no syncReceipts: it cannot be told from a run that broke off."
                )
            return
        faults: dict[str, list[str]] = {}
        promised = {str(r.get("collection")) for r in self._by_key.values() if r.get("distinct")}
        if never := sorted(promised - streams.keys()):
            faults[_NEVER_CAME] = never
        for stream, arrival in streams.items():
            if fault := self._fault(stream, arrival, snapshot=stream in snapshots):
                faults.setdefault(fault, []).append(stream)
        if faults:
            text = "; ".join(f"{', '.join(sorted(names))}: {fault}" for fault, names in faults.items())
            raise TargetError(f"Nothing was published. {text}. {_advice(faults)}")

    def _fault(self, stream: str, arrival: Arrival, *, snapshot: bool) -> str | None:
        receipts = self.of(stream)
        if not receipts:
            return _NO_RECEIPT
        if not self.complete(stream):
            return _NOT_COMPLETE
        if snapshot:
            modes = {r.get("mode") for r in receipts}
            if "delta" in modes:
                return _DELTA
            if any(r.get("filter") for r in receipts):
                return _FILTERED
            if not modes <= _WHOLE:
                return _SKIPPED
            if any(r.get("rejected") for r in receipts):
                return _ROWS_LEFT_OUT
            if any(r.get("distinct") and set(NO_SNAPSHOT) & {*(r.get("deviations") or ())} for r in receipts):
                return _UNPROVEN
        return _count_fault([int(r.get("distinct") or 0) for r in receipts], arrival)


def _advice(faults: Collection[str]) -> str:
    """What to do about it: where several things are wrong, only what helps against all that would be deleted."""
    if _DELTA in faults:
        faults = [fault for fault in faults if fault not in {_SKIPPED, _FILTERED}]
    return " ".join(dict.fromkeys(_ADVICE[fault] for fault in faults))


def _count_fault(promised: list[int], arrival: Arrival) -> str | None:
    """Each receipt counts the different ids of one pass; later passes may repeat ids of earlier ones."""
    if arrival.distinct is None:
        return _OTHER_COUNT if arrival.records < sum(promised) else None
    if not max(promised) <= arrival.distinct <= sum(promised) or arrival.records < sum(promised):
        return _OTHER_COUNT
    return None
