"""Proof that a tap reached its end, for both targets: every receipt must match the records that arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._core.model import NO_SNAPSHOT, TWIN_FILTER
from ..errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_WHOLE = {"rest", "bulk", "absent", "warehouse"}

_NO_RECEIPT = "no receipt came, the run broke off"
_NEVER_CAME = "rows were promised and the stream never came"
NOT_COMPLETE = "the receipt says that the read did not reach its end"
_DELTA = "a delta came, which holds changes only, and a bulk file of it would delete the rest downstream"
_FILTERED = "the read was filtered or incremental, and a bulk file of it would delete the rest downstream"
_OTHER_SCOPE = "the twin is of another policy than the bundle that is there, and its files delete what they lack"
_SKIPPED = "a bundle that had been read before was skipped, and a bulk file without it would delete its rows downstream"
_ROWS_LEFT_OUT = "the tap left rows out, and a bulk file would delete them downstream"
_UNPROVEN = "the service could not prove that nothing is missing, and a bulk file would delete that downstream"
_OTHER_COUNT = "fewer or more rows arrived than the receipt counts"

_ADVICE = {
    _NO_RECEIPT: "Run the tap again.",
    _NEVER_CAME: "Run again, or select it. If a stream map renames it, map the new name back in the target.",
    NOT_COMPLETE: "See the tap's log, and run it again.",
    _DELTA: "Use load_method upsert, which merges changes into the bundle that is there, or file_mode delta, which "
    "passes them on. If the files hold all rows, say so in their manifest, or without one by csv_file_mode bulk in the "
    "tap. (--full-refresh would only read the same delta again.)",
    _FILTERED: "Run with --full-refresh, and without start_date and status_filter in the tap; or use load_method "
    "upsert, or file_mode delta.",
    _OTHER_SCOPE: "If the policy was changed on purpose, run once with accept_shrink.",
    _SKIPPED: "Run with --full-refresh, or use load_method upsert.",
    _ROWS_LEFT_OUT: "Mend the source, or use load_method upsert.",
    _UNPROVEN: "See deviations in the receipt; use load_method upsert.",
    _OTHER_COUNT: "Run again, and report it if it stays.",
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """The records that arrived of one stream.

    `distinct` is None (unknown) if stream maps changed the rows, or if rows are not kept.
    """

    records: int
    distinct: int | None


class Receipts:
    """The receipts of a run."""

    def __init__(self) -> None:
        self.announced = False
        """True if the tap has announced receipts."""
        self._by_key: dict[tuple[Any, ...], Mapping[str, Any]] = {}

    def add(self, receipt: Mapping[str, Any]) -> None:
        """Add one receipt; a later one for the same pass replaces it."""
        key = tuple(receipt.get(name) for name in ("tenant", "source", "collection", "runId"))
        self._by_key[key] = receipt

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self._by_key.values())

    @property
    def scope(self) -> str | None:
        """The filter of the twin that came; None if no twin with a scope came, or rows of several."""
        filters = {r.get("filter") for r in self._by_key.values() if r.get("distinct")}
        return filters.pop() if len(filters) == 1 and all(map(is_scope, filters)) else None

    def of(self, stream: str) -> list[Mapping[str, Any]]:
        """Return the receipts of one stream, in order of arrival."""
        return [r for r in self._by_key.values() if r.get("collection") == stream]

    def derived(self, stream: str) -> bool:
        """True if the rows were derived from their parents' records, so that a parent brings all its rows.

        Only such rows have receipts without a digest of their content.
        """
        return any("contentDigest" in r and r["contentDigest"] is None for r in self.of(stream))

    def complete(self, stream: str) -> bool:
        """True if every receipt of a stream says that its source was read to the end."""
        return all(r.get("complete") is True for r in self.of(stream))

    def in_passes(self, stream: str, records: int) -> bool:
        """True if one run brought these records in several passes, each of which has an id once, as bulk and delta do.

        A later record then replaces an earlier one, whatever their dates.
        """
        receipts = self.of(stream)
        runs = {r.get("runId") for r in receipts}
        passes = [int(r.get("distinct") or 0) for r in receipts]
        return len(passes) > 1 and len(runs) == 1 and None not in runs and sum(passes) == records

    def faults(
        self,
        streams: Mapping[str, Arrival],
        *,
        required: bool,
        nested: Collection[str] = (),
        snapshots: Collection[str] = (),
        scope: str | None = None,
    ) -> dict[str, str]:
        """Return the faults by stream, for streams that arrived or that were promised.

        `nested`: streams whose rows were nested in their parents' records, which prove them. `snapshots`: streams whose
        files delete rows that they lack, so they need complete reads without a filter, or of the whole scope of a twin,
        whose filter is `scope`. Raise TargetError if receipts are `required` and the input has none.
        """
        if not self.announced:
            if required:
                raise TargetError(
                    "require_receipts is set and the input has no syncReceipts: it cannot be told from a run that broke off."
                )
            return {}
        promised = {str(r.get("collection")) for r in self._by_key.values() if r.get("distinct")}
        found = dict.fromkeys(promised - streams.keys(), _NEVER_CAME)
        for stream, arrival in streams.items():
            if fault := self._fault(stream, arrival, scope, snapshot=stream in snapshots):
                found[stream] = fault
        return {stream: fault for stream, fault in sorted(found.items()) if stream not in nested}

    def _fault(self, stream: str, arrival: Arrival, scope: str | None, *, snapshot: bool) -> str | None:
        receipts = self.of(stream)
        if not receipts:
            return _NO_RECEIPT
        if fault := _count_fault([int(r.get("distinct") or 0) for r in receipts], arrival):
            return fault
        if not self.complete(stream):
            return NOT_COMPLETE
        if not snapshot:
            return None
        modes = {r.get("mode") for r in receipts}
        if "delta" in modes:
            return _DELTA
        if filters := {r["filter"] for r in receipts if r.get("filter")} - {scope}:
            return _OTHER_SCOPE if all(map(is_scope, filters)) else _FILTERED
        if not modes <= _WHOLE:
            return _SKIPPED
        if any(r.get("rejected") for r in receipts):
            return _ROWS_LEFT_OUT
        if any(r.get("distinct") and set(NO_SNAPSHOT) & {*(r.get("deviations") or ())} for r in receipts):
            return _UNPROVEN
        return None


def is_scope(filter_: Any) -> bool:
    """True if a receipt's filter names the policy of a twin, whose whole scope was read."""
    return isinstance(filter_, str) and filter_.startswith(TWIN_FILTER)


def explain(faults: Mapping[str, str]) -> str:
    """Return the faults of streams as one text that ends with advice.

    If there are several faults, only advice that solves all of them is included.
    """
    streams: dict[str, list[str]] = {}
    for stream, fault in faults.items():
        streams.setdefault(fault, []).append(stream)
    advised = list(streams)
    if _DELTA in streams:
        advised = [fault for fault in advised if fault not in {_SKIPPED, _FILTERED}]
    advice = dict.fromkeys(_ADVICE[fault] for fault in advised if fault in _ADVICE)
    text = "; ".join(f"{', '.join(sorted(names))}: {fault}" for fault, names in streams.items())
    return " ".join([f"{text}.", *advice])


def _count_fault(promised: list[int], arrival: Arrival) -> str | None:
    """Return a fault if the counts differ. A receipt counts the distinct ids of one pass; later passes may repeat ids."""
    if arrival.distinct is None:
        return _OTHER_COUNT if arrival.records < sum(promised) else None
    if not max(promised) <= arrival.distinct <= sum(promised) or arrival.records < sum(promised):
        return _OTHER_COUNT
    return None
