"""Records that share one sourcedId: which of them counts, if any. The rule is the same for sources and targets.

1. Records that differ in `dateLastModified` only are one record: the newest counts.
2. If every record has a `dateLastModified`, those that are older than the newest do not count.
3. Users that differ in org and role only are one person, with all of these orgs and roles.
4. Anything else is a conflict, because nothing tells which record is right: none counts.

`records` decides between records in memory, as a source sends them; `tables` decides in SQL between staged rows.
"""

from __future__ import annotations

__all__ = ["PLACES"]

PLACES = ("orgSourcedIds", "role")
"""What records of one person may differ in."""
