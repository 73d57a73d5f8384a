"""What a night brought, from the counts that the tap keeps in its state: records by collection, enrollments by school."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

OF_SCHOOLS = "enrollments"


def night_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return `records` by collection, `schools` by id with their enrollments, and when it was last read whole."""
    records: dict[str, int] = {}
    schools: dict[str, int] = {}
    whole: list[str] = []
    bookmarks = state.get("bookmarks")
    for name, its in bookmarks.items() if isinstance(bookmarks, dict) else ():
        counts = its.get("counts") if isinstance(its, dict) else None
        if isinstance(counts, dict) and isinstance(counts.get("total"), int):
            records[str(name)] = counts["total"]
            if name == OF_SCHOOLS and isinstance(counts.get("schools"), dict):
                schools = {str(school): n for school, n in counts["schools"].items() if isinstance(n, int)}
        if isinstance(its, dict) and isinstance(its.get("full_read_at"), str):
            whole.append(its["full_read_at"])
    return {"records": records, "schools": schools, "whole_read_at": min(whole, default=None)}
