"""Section 9 of the page: what the second source of the night has otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _figures as figures
from .._figures import Raw

if TYPE_CHECKING:
    from .contents import Contents


def two_sources(of: Contents, second: str) -> Raw:
    """Return the table of the files that differ, or a sentence."""
    if not second:
        return Raw("<p>Not configured.</p>")
    checks = {f["check_id"] for f in of.findings}
    if "sources.apart" in checks:
        return Raw("<p>Not compared: the two were loaded more than six hours apart.</p>")
    lines = [
        [f["file"], f"{f['count']:,}", f"{f['share'] * 100:.1f} %", f["column_name"] or ""]
        for f in of.findings
        if f["check_id"] == "sources.differ"
    ]
    if not lines:
        return Raw("<p>Both sources hold the same.</p>")
    return figures.table("Files that differ", ["File", "Rows not the same", "Share", "Columns"], lines)
