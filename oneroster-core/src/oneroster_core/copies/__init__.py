"""Records that share one sourcedId: which of them counts, if any. Sources and targets use the same rules.

1. Records that differ only in `dateLastModified` are one record: the newest counts.
2. If every record has a `dateLastModified`, those older than the newest do not count.
3. Users that differ only in org and role are one person with all these orgs and roles.
4. Anything else is a conflict, because it is unknown which record is right: none counts.

`records` decides between records in memory, as a source sends them; `tables` decides in SQL between staged rows.
"""

from __future__ import annotations

PLACES = ("orgSourcedIds", "role")
"""Columns in which records of one person may differ."""

IDENTICAL = "the same record more than once: identical"
NEWEST = "the same record more than once: differing, the newest was kept"
UNITED = "the same person more than once: orgs and roles united"
CONFLICT = "different records under one id"
"""The possible decisions, in the words of receipts, logs and reports."""
