"""The receipts stream of this project: for each collection of a run, the number of records received and delivered."""

from __future__ import annotations

from ._types import Field, File, Kind, Service

RECEIPTS = File(
    "syncReceipts",
    Service.ROSTERING,
    (
        Field("runId", Kind.ID),
        Field("collection", Kind.STRING),
        Field("source", Kind.STRING),  # host of the service, or name of the bundle
        Field("mode"),  # rest, bulk, delta, warehouse, absent, skipped
        Field("version"),
        Field("expected", Kind.INTEGER),
        Field("received", Kind.INTEGER),
        Field("distinct", Kind.INTEGER),
        Field("rejected", Kind.INTEGER),
        Field("pages", Kind.INTEGER),
        Field("pageSizeAsked", Kind.INTEGER),
        Field("pageSizeServed", Kind.INTEGER),
        Field("startedAt", Kind.DATETIME),
        Field("finishedAt", Kind.DATETIME),
        Field("filter"),
        Field("revision"),
        Field("contentDigest"),
        Field("deviations", Kind.OBJECT),  # rule -> count
        Field("complete", Kind.TRUE_FALSE),
        Field("columns", Kind.STRINGS),
        Field("headerDigest"),
        Field("counts", Kind.OBJECT),  # school -> rows
        Field("sourceModifiedAt", Kind.DATETIME),
    ),
    csv=False,
)
"""The key is `source`, `collection` and `runId`, with `tenant` first if it is set."""

RECEIPT_KEYS = ("runId", "collection", "source")

TWIN_FILTER = "twin "
"""What the filter of a receipt begins with if a twin's whole scope was read; the digest of its policy follows."""

UNPROVEN = "end of the collection not proven"
TOTAL_NOT_REACHED = "records of the total that never came, accepted"
NO_SNAPSHOT = (UNPROVEN, TOTAL_NOT_REACHED)
"""Deviations of a complete read that proves nothing about records that did not arrive: the source may still hold them.
"""
