"""The report as text, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..checks.catalogue import check
from .consumers import consumer_lines
from .contents import moment
from .families import family_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from .contents import Contents, Row

SHOWN = 20
_COUNTS = ("before", "added", "removed", "changed", "now")


def text(of: Contents, zone: ZoneInfo) -> str:
    """Return the whole report."""
    return "\n".join(_lines(of, zone)) + "\n"


def _lines(of: Contents, zone: ZoneInfo) -> Iterator[str]:
    load = of.load
    yield of.sentence
    baseline = "no baseline" if of.is_first else f"baseline {load['baseline']}"
    yield f"load {load['load']}, {moment(load['loaded_at'], zone)}, {baseline}, calendar: {load['rule']}"
    for school in of.held[:SHOWN]:
        why = "; ".join(f"{n:,} {reason}" for reason, n in of.reasons_of(school)[:3])
        yield f"  held: {of.school(school)}" + (f" - student enrollments gone: {why}" if why else "")
    if len(of.held) > SHOWN:
        yield f"  and {len(of.held) - SHOWN:,} more"
    yield ""
    yield from file_table(of.files)
    roots = [f for f in of.findings if not f["root"]]
    yield from family_lines(of)
    yield ""
    yield f"{len(roots):,} findings" + (
        f", {len(of.findings) - len(roots):,} more follow from them" if len(roots) < len(of.findings) else ""
    )
    for finding in roots[:SHOWN]:
        yield f"  {finding['severity']:<7} {finding['id']}  {finding['check_id']}: {of.where(finding)}: {change(finding)}"
        yield f"          {check(finding['check_id']).sentence}. {check(finding['check_id']).advice}"
        if finding["approved_by"]:
            yield f"          approved by {finding['approved_by']}"
    if len(roots) > SHOWN:
        yield f"  and {len(roots) - SHOWN:,} more: oneroster-audit show --json"
    yield from consumer_lines(of)
    if of.held and load["verdict"] == "held":
        yield ""
        yield f"If it is right: oneroster-audit approve {load['load']} --by NAME --reason TEXT"


def file_table(files: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of the table of what each file had, got and lost."""
    yield f"{'file':<30}" + "".join(f"{name:>12}" for name in _COUNTS)
    for row in files:
        yield f"{row['file']:<30}" + "".join(f"{row[name]:>12,}" for name in _COUNTS)


def change(finding: Row) -> str:
    """Return the numbers of a finding in words."""
    parts = []
    if finding["before"] is not None and finding["now"] is not None:
        parts.append(f"{finding['before']:,} before, {finding['now']:,} now")
    elif finding["now"] is not None and finding["now"] != finding["count"]:
        parts.append(f"{finding['now']:,}")
    if finding["count"]:
        parts.append(f"{finding['count']:,} {check(finding['check_id']).counted}")
    if finding["share"] is not None:
        parts.append(f"{finding['share'] * 100:.1f} %")
    return ", ".join(parts) or "see the load"
