"""From findings and approvals to verdicts: of each cell, of each school, and of the load (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .words import ALL, Cell, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from .words import Finding


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer for a load."""

    verdict: Verdict
    held: frozenset[str]
    """Schools whose rows are not released."""
    is_planned: bool
    """True if it is held, and the calendar said so before."""


def judge(findings: Collection[Finding], schools: Collection[str], approved: Mapping[str, str]) -> Judgement:
    """Judge a load. `approved` maps a school, or `*`, to who approved it.

    A finding without a school holds every school; one that follows from another holds no more than its root does.
    """
    holding = [f for f in findings if f.severity == Severity.HOLD and not (f.root and not _school(f, schools))]
    everywhere = [f for f in holding if not _school(f, schools)]
    local: dict[str, list[Finding]] = {}
    for finding in holding:
        if school := _school(finding, schools):
            local.setdefault(school, []).append(finding)
    open_schools = set() if ALL in approved else set(schools) - set(approved)
    held = frozenset(s for s in open_schools if everywhere or s in local)
    why = [f for s in held for f in (*everywhere, *local.get(s, ()))]
    if not schools and ALL not in approved:
        why = everywhere
    if any(f.severity == Severity.UNKNOWN for f in findings):
        return Judgement(Verdict.UNKNOWN, held, is_planned=False)
    if why:
        return Judgement(Verdict.HELD, held, is_planned=all(f.planned for f in why))
    noted = any(f.severity >= Severity.WARN for f in findings)
    return Judgement(Verdict.NOTED if noted else Verdict.PASSED, held, is_planned=False)


def _school(finding: Finding, schools: Collection[str]) -> str:
    """Return the school that a finding is about; empty if it is about none, or about an org that is no school."""
    return finding.cell.school if finding.cell.school in schools else ""


def cell_verdicts(findings: Iterable[Finding], approved: Mapping[str, str]) -> dict[Cell, Verdict]:
    """Return the verdict of each cell that has findings."""
    found: dict[Cell, Verdict] = {}
    order = list(Verdict)
    for finding in findings:
        verdict = (Verdict.PASSED, Verdict.NOTED, Verdict.HELD, Verdict.UNKNOWN)[finding.severity]
        if verdict == Verdict.HELD and (ALL in approved or finding.cell.school in approved):
            verdict = Verdict.NOTED
        found[finding.cell] = max(found.get(finding.cell, Verdict.PASSED), verdict, key=order.index)
    return found


def exit_code(verdict: Verdict, *, is_planned: bool) -> int:
    """Return the exit code of a verdict: 3 where somebody has to look, 1 where nothing is known."""
    if verdict == Verdict.UNKNOWN:
        return 1
    return 3 if verdict == Verdict.HELD and not is_planned else 0
