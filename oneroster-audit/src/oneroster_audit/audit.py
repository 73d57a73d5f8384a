"""The audit of one load: the warehouse is read, findings and counts are made, nothing is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ._core.model import FILES, Kind
from ._core.sql import quoted
from .calendar import emptying, limit, rule_of
from .cells import Counts, tally
from .checks import arrival, brake, columns, keys, sanity
from .diff import GRADE_RANK, GRADE_ROSE, dimensions, kept, moves, places_at
from .errors import Unknown
from .verdicts import cell_verdicts, judge
from .warehouse import sql
from .words import ALL, Cell, Finding, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ._core.model import File
    from .cells import Move, Places
    from .policy import Policy, Rule
    from .verdicts import Judgement
    from .warehouse import Load, Warehouse

__all__ = ["Audit", "Before", "audit_load"]


@dataclass(frozen=True, slots=True)
class Before:
    """What earlier audits left."""

    released: dict[str, int]
    """For each school the load from which it may be published."""
    not_held: int | None
    """The newest load that was not held: the baseline of what has no school."""
    approved: dict[str, int] = field(default_factory=dict)
    """For each school the newest load that was approved; `*` for all."""
    first_loads: dict[str, int] = field(default_factory=dict)
    """Since which load a finding of the last audit stands."""

    @property
    def baseline(self) -> int | None:
        """The newest load that stands for any school."""
        return max([*self.released.values(), *([self.not_held] if self.not_held else [])], default=None)

    def of(self, school: str) -> int | None:
        """Return the baseline of a school; what has no school uses the newest load that was not held."""
        if school == ALL:
            return self.baseline
        return self.released.get(school, self.not_held or self.baseline)


@dataclass(slots=True)
class Audit:
    """The rows of the store for one load."""

    load: Load
    baseline: int | None
    judgement: Judgement
    findings: list[Finding]
    counts: dict[Cell, Counts]
    verdicts: dict[Cell, Verdict]
    reasons: list[dict[str, Any]]
    columns: list[dict[str, Any]]
    arrivals: list[dict[str, Any]]
    schools: dict[str, str]
    facts: dict[str, Any]


@dataclass(slots=True)
class _Side:
    """What moved in one file since one baseline."""

    before: list[tuple[Places, int]]
    moves: list[Move]
    counts: dict[Cell, Counts] = field(default_factory=dict)


@dataclass(slots=True)
class _Night:
    """What every check needs."""

    warehouse: Warehouse
    policy: Policy
    load: Load
    loads: dict[int, Load]
    before: Before
    day: date
    receipts: list[dict[str, Any]]
    touched: dict[str, int]
    """For each file the newest load that changed one of its rows."""
    findings: list[Finding] = field(default_factory=list)
    again: list[tuple[list[Finding], Callable[[set[str]], set[tuple[str, Cell]]]]] = field(default_factory=list)
    """Findings of the brake, and what is still found when the rows of some schools are left out."""
    counts: dict[Cell, Counts] = field(default_factory=dict)
    columns: list[dict[str, Any]] = field(default_factory=list)
    schools: dict[str, str] = field(default_factory=dict)

    def is_quiet(self, files: Iterable[str], baseline: int) -> bool:
        """True if no row of these files was changed since a load."""
        return all(self.touched.get(name, 0) <= baseline for name in files)

    def rule(self, cell: Cell) -> Rule | None:
        """Return the calendar's rule of a cell today."""
        return rule_of(self.policy.calendar, self.day, cell)

    def limit_of(self, cell: Cell) -> float:
        """Return how many percent of a cell may be lost today."""
        return limit(self.rule(cell), self.normal_limit(cell))

    def normal_limit(self, cell: Cell) -> float:
        """Return the limit without the calendar: the school's own until its end, else everybody's."""
        own = self.policy.limits.schools.get(cell.school)
        return own.lost_percent if own and self.day <= own.until else self.policy.limits.lost_percent


def audit_load(warehouse: Warehouse, policy: Policy, loads: dict[int, Load], number: int, before: Before) -> Audit:
    """Audit a load against what earlier audits left."""
    load = loads[number]
    warehouse.run(GRADE_RANK)
    day = load.loaded_at.astimezone(policy.zone).date()
    night = _Night(warehouse, policy, load, loads, before, day, warehouse.receipts(load), warehouse.touched())
    night.schools = _schools(warehouse, number, before)
    _arrival(night)
    for of in kept(warehouse):
        _file(night, of)
    if warehouse.has("enrollments"):
        _empty_schools(night)
    _explain(night)
    baseline = before.baseline
    if baseline is not None and not night.is_quiet(("users", "classes"), baseline):
        night.findings += keys.reused(warehouse, baseline, number)
    everything = baseline is not None and night.is_quiet(night.touched, baseline)
    night.findings += sanity.sanity(warehouse, baseline, number, is_quiet=everything)
    _calendar(night)
    _policy(night)
    brake.fold(night.findings)
    reasons = _reasons(night)
    findings = _finish(night)
    judgement = judge(findings, set(night.schools), {})
    return Audit(
        load=load,
        baseline=before.baseline,
        judgement=judgement,
        findings=findings,
        counts=night.counts,
        verdicts=cell_verdicts(findings, {}),
        reasons=reasons,
        columns=night.columns,
        arrivals=arrival.arrivals(load, night.receipts),
        schools=night.schools,
        facts=_facts(night),
    )


def _schools(warehouse: Warehouse, load: int, before: Before) -> dict[str, str]:
    """Return the names of all schools: those that are there, and those of a baseline that are gone."""
    found: dict[str, str] = dict.fromkeys(before.released, "")
    for at in sorted({*before.released.values(), load}):
        rows = warehouse.run("""SELECT "sourcedId", coalesce("name", '') FROM "orgs_at"($load) WHERE "type" = 'school'""", load=at)
        found |= {school: name for school, name in rows if at == load or school in before.released}
    return dict(sorted(found.items()))


def _arrival(night: _Night) -> None:
    policy, baseline = night.policy, night.before.baseline
    is_blackout = (rule := night.rule(Cell())) is not None and rule.rule == "blackout"
    days = float("inf") if is_blackout else policy.max_source_age_days
    night.findings += arrival.arrival(
        night.load, night.loads, baseline, night.receipts, hours=policy.max_age_hours, days=days
    )
    if baseline is not None:
        night.findings += arrival.header(night.warehouse.receipts(night.loads[baseline]), night.receipts)


def _file(night: _Night, of: File) -> None:
    """Count a file, and ask the checks that look at one file."""
    warehouse, load, before = night.warehouse, night.load.number, night.before
    now = places_at(warehouse, of, load)
    total = sum(rows for _, rows in now)
    filled = columns.filled(warehouse, of, load)
    words = columns.words(warehouse, of, load)
    night.columns += columns.column_rows(of, load, filled, words)
    related = {of.name, *(f.refers_to for f in of.fields if f.refers_to), *(("roles",) if of.name == "users" else ())}
    if before.baseline is None or not night.is_quiet(related, before.baseline):
        night.findings += keys.orphans(warehouse, of, before.baseline, load, total)
    if before.baseline is None:
        night.findings += keys.missing(of, {}, filled)
        for cell, count in tally(of.name, dimensions(of), [], now, []).items():
            night.counts[cell] = Counts(now=count.now)
        return
    blank: list[Finding] = []
    if not night.is_quiet(related, before.baseline):
        was = columns.filled(warehouse, of, before.baseline)
        blank = list(columns.blank(of, was, filled))
        night.findings += [*blank, *keys.missing(of, was, filled)]
        night.findings += columns.words_changed(of, columns.words(warehouse, of, before.baseline), words)
    elsewhere = {GRADE_ROSE, *(f.column for f in blank)}
    sides: dict[int, _Side] = {}

    def side(baseline: int) -> _Side:
        if baseline not in sides:
            sides[baseline] = _side(night, of, baseline, now, elsewhere)
        return sides[baseline]

    counts = _chosen(side, night.before)
    for cell, count in counts.items():
        if not count.adds_up:
            raise Unknown(f"the counts of {of.name} do not add up. Nothing newer is released.")
    night.counts |= counts
    table = night.load.tables.get(of.name)
    is_whole = table is None or table.whole
    _brake(night, of, counts, side, now, elsewhere, is_whole=is_whole)
    if is_whole:
        _slow(night, of, side, now, elsewhere)


def _side(night: _Night, of: File, baseline: int, now: list[tuple[Places, int]], elsewhere: set[str]) -> _Side:
    placed_by = (of.name, *(("roles",) if of.name == "users" else ("classes",) if of.terms else ()))
    side = _Side(now, [])
    if not night.is_quiet(placed_by, baseline):
        side = _Side(
            places_at(night.warehouse, of, baseline),
            moves(night.warehouse, of, baseline, night.load.number, night.day),
        )
    side.counts = tally(of.name, dimensions(of), side.before, now, side.moves, is_quiet=elsewhere.issuperset)
    return side


def _chosen(side: Callable[[int], _Side], before: Before) -> dict[Cell, Counts]:
    """Return the counts of each cell since the baseline of its school."""
    found: dict[Cell, Counts] = {}
    for baseline in sorted({b for b in (*before.released.values(), before.not_held, before.baseline) if b is not None}):
        found |= {cell: c for cell, c in side(baseline).counts.items() if before.of(cell.school) == baseline}
    return found


def _brake(
    night: _Night,
    of: File,
    counts: dict[Cell, Counts],
    side: Callable[[int], _Side],
    now: list[tuple[Places, int]],
    elsewhere: set[str],
    *,
    is_whole: bool,
) -> None:
    small = night.policy.small
    days = [night.day]
    sums = counts
    if any(emptying(night.policy.calendar, days, cell) for cell in counts):
        left = _without(night, of, side, now, elsewhere, days, set())
        sums = {cell: left.get(cell, count) if ALL in cell else count for cell, count in counts.items()}
    found = list(brake.brake(sums, night.limit_of, small, is_whole=is_whole))

    def again(held: set[str]) -> set[tuple[str, Cell]]:
        rest = _without(night, of, side, now, elsewhere, days, held)
        return {(f.check, f.cell) for f in brake.brake(rest, night.limit_of, small, is_whole=is_whole)}

    night.findings += found
    night.again.append((found, again))


def _without(
    night: _Night,
    of: File,
    side: Callable[[int], _Side],
    now: list[tuple[Places, int]],
    elsewhere: set[str],
    days: list[date],
    held: set[str],
) -> dict[Cell, Counts]:
    """Return the sums without the rows of terms that may empty, and without the rows of these schools."""

    def is_left_out(cell: Cell) -> bool:
        return cell.school in held or emptying(night.policy.calendar, days, cell)

    def counted(baseline: int) -> _Side:
        of_side = side(baseline)
        again = tally(
            of.name, dimensions(of), of_side.before, now, of_side.moves, is_quiet=elsewhere.issuperset, is_left_out=is_left_out
        )
        return _Side([], [], again)

    return _chosen(counted, night.before)


def _explain(night: _Night) -> None:
    """Give what holds every school a root, where it holds because of schools that are held by themselves.

    Their rows are not released, so sums are asked again without them.
    """
    own = [f for f in night.findings if f.severity == Severity.HOLD and f.cell.school in night.schools]
    if not own:
        return
    root = max(own, key=lambda f: (f.check == "brake.empty-school", f.count)).id
    held = {f.cell.school for f in own}
    for findings, again in night.again:
        summed = [f for f in findings if f.cell.school == ALL]
        still = again(held) if summed else set()
        for finding in summed:
            if (finding.check, finding.cell) not in still:
                finding.root = root
    _explain_unplaced(night, sorted(held), root)


def _slow(night: _Night, of: File, side: Callable[[int], _Side], now: list[tuple[Places, int]], elsewhere: set[str]) -> None:
    """Ask the brake against the load a week ago, or against the oldest; an approval is where a school begins again."""
    since = night.load.loaded_at - timedelta(days=night.policy.lookback_days)
    older = sorted(n for n in night.loads if n < night.load.number)
    if not older:
        return
    back = max((n for n in older if night.loads[n].loaded_at <= since), default=older[0])
    starts = {s: max(back, night.before.approved.get(s, 0), night.before.approved.get(ALL, 0)) for s in (*night.schools, ALL, "")}
    approved = [n for s, n in night.before.approved.items() if s != ALL]
    starts[ALL] = max([starts[ALL], *approved]) if approved else starts[ALL]
    first = night.loads[back].loaded_at.astimezone(night.policy.zone).date()
    days = [first + timedelta(days=n) for n in range((night.day - first).days + 1)]
    counts: dict[Cell, Counts] = {}
    for start in sorted({*starts.values()}):
        if start not in night.loads or start >= night.load.number:
            continue
        of_side = side(start)
        left = tally(
            of.name,
            dimensions(of),
            of_side.before,
            now,
            of_side.moves,
            is_left_out=lambda cell: emptying(night.policy.calendar, days, cell),
        )
        counts |= {
            cell: left.get(cell, count) if ALL in cell else count
            for cell, count in of_side.counts.items()
            if starts.get(cell.school, start) == start and night.before.of(cell.school) != start
        }

    def limit_of(cell: Cell) -> float:
        return max(limit(rule_of(night.policy.calendar, day, cell), night.normal_limit(cell)) for day in days)

    already = {f.cell for f in night.findings if f.check == "brake.lost"}
    found = [f for f in brake.lost(counts, limit_of, night.policy.small, "brake.slow") if f.cell not in already]

    def again(held: set[str]) -> set[tuple[str, Cell]]:
        start = starts[ALL]
        if start not in night.loads or start >= night.load.number:
            return set()
        of_side = side(start)
        rest = tally(
            of.name,
            dimensions(of),
            of_side.before,
            now,
            of_side.moves,
            is_left_out=lambda cell: cell.school in held or emptying(night.policy.calendar, days, cell),
        )
        return {(f.check, f.cell) for f in brake.lost(rest, limit_of, night.policy.small, "brake.slow")}

    night.findings += found
    night.again.append((found, again))


_OWNERS = {
    "users": 'SELECT "userSourcedId" FROM "roles_at"($baseline) WHERE list_contains($held, "orgSourcedId")',
    "classes": 'SELECT "sourcedId" FROM "classes_at"($baseline) WHERE list_contains($held, "schoolSourcedId")',
    "courses": 'SELECT "sourcedId" FROM "courses_at"($baseline) WHERE list_contains($held, "orgSourcedId")',
}
"""Queries of the rows of held schools to which rows of files without a school belong."""


def _explain_unplaced(night: _Night, held: list[str], root: str) -> None:
    """Do the same for files without a school: the rows of held schools' users, classes and courses went with them."""
    for finding in night.findings:
        of = next((f for f in FILES if f.name == finding.cell.file), None)
        is_lost = finding.check in ("brake.lost", "brake.slow") and not finding.root
        if not is_lost or of is None or of.school or night.before.baseline is None:
            continue
        owner = next((f for target in _OWNERS for f in of.fields if f.refers_to == target and f.kind == Kind.REF), None)
        if owner is None:
            continue
        ((before, gone),) = night.warehouse.run(
            f'SELECT count(*), count(*) FILTER (n."sourcedId" IS NULL) FROM {quoted(of.name + "_at")}($baseline) x '
            f'LEFT JOIN {quoted(of.name + "_at")}($load) n ON n."sourcedId" = x."sourcedId" '
            f"WHERE x.{quoted(owner.name)} NOT IN ({_OWNERS[str(owner.refers_to)]})",
            baseline=night.before.baseline,
            load=night.load.number,
            held=held,
        )
        if not (before > night.policy.small and gone * 100 > before * night.limit_of(finding.cell)):
            finding.root = root


def _empty_schools(night: _Night) -> None:
    if night.before.baseline is None:
        return

    def is_planned(cell: Cell) -> bool:
        rule = night.rule(cell)
        return rule is not None and rule.rule == "rollover" and limit(rule, 0) >= 100

    table = night.load.tables.get("enrollments")
    if table is None or table.whole:
        night.findings += brake.empty_schools(night.counts, is_planned)


def _calendar(night: _Night) -> None:
    """Add what the calendar holds today, and mark what it holds as planned."""
    everywhere = night.rule(Cell())
    if everywhere is not None and everywhere.rule == "blackout":
        night.findings.append(Finding("calendar.blackout", Severity.HOLD, planned=True))
    for school in night.schools:
        rule = night.rule(Cell(school=school))
        if rule is None or rule is everywhere and rule.rule == "blackout":
            continue
        if rule.rule == "blackout":
            night.findings.append(Finding("calendar.blackout", Severity.HOLD, Cell(school=school), planned=True))
    moved: Counter[str] = Counter()
    for cell, count in night.counts.items():
        rule = night.rule(cell)
        is_total = cell.role == ALL and cell.term == ALL
        if is_total and cell.school != ALL and rule is not None and rule.rule == "additions_only":
            moved[cell.school] += count.removed + count.changed
    for school, rows in sorted(moved.items()):
        if rows:
            night.findings.append(
                Finding("calendar.additions-only", Severity.HOLD, Cell(school=school), count=rows, planned=True)
            )
    for finding in night.findings:
        rule = night.rule(finding.cell)
        if rule is not None and rule.rule in ("blackout", "additions_only"):
            brakes = finding.check.startswith(("brake.", "calendar."))
            finding.planned = rule.rule == "blackout" or brakes


def _policy(night: _Night) -> None:
    named = set(night.policy.limits.schools)
    named.update(*(rule.schools or () for rule in night.policy.calendar))
    orgs = {org for (org,) in night.warehouse.run('SELECT "sourcedId" FROM "orgs_at"($load)', load=night.load.number)}
    if unknown := named - orgs - set(night.schools):
        night.findings.append(Finding("policy.school", Severity.WARN, now=len(unknown)))


def _reasons(night: _Night) -> list[dict[str, Any]]:
    """Return the reasons of each school; they add up to the student enrollments that its cells removed."""
    if night.before.baseline is None or not night.warehouse.has("enrollments"):
        return []
    found = []
    before = night.before
    for baseline in sorted({b for b in (*before.released.values(), before.not_held, before.baseline) if b is not None}):
        rows = night.warehouse.run(
            f"SELECT school, reason, count(*), count(DISTINCT person) FROM ({sql('checks/reasons.sql')}) GROUP BY ALL ORDER BY ALL",
            baseline=baseline,
            load=night.load.number,
        )
        found += [
            {"load": night.load.number, "school_id": school, "reason": reason, "enrollments": n, "students": persons}
            for school, reason, n, persons in rows
            if before.of(school) == baseline
        ]
    sums: Counter[str] = Counter()
    for row in found:
        sums[row["school_id"]] += row["enrollments"]
    for cell, count in night.counts.items():
        is_students = cell.file == "enrollments" and cell.role == "student" and cell.term == ALL and cell.school != ALL
        if is_students and sums[cell.school] != count.removed:
            raise Unknown("the reasons do not add up to what is gone. Nothing newer is released.")
    return found


def _finish(night: _Night) -> list[Finding]:
    """Order the findings, the worst first, and say since when each stands."""
    for finding in night.findings:
        finding.first_load = night.before.first_loads.get(finding.id, night.load.number)
    unique = {finding.id: finding for finding in reversed(night.findings)}
    return sorted(unique.values(), key=lambda f: (bool(f.root), -f.severity, -(f.share or 0), -f.count, f.check, f.cell, f.column))


def _facts(night: _Night) -> dict[str, Any]:
    receipts = night.receipts
    rule = night.rule(Cell())
    return {
        "run_ids": sorted({str(r["runId"]) for r in receipts}),
        "source": ", ".join(sorted({str(r["source"]) for r in receipts})),
        "mode": ", ".join(sorted({str(r["mode"]) for r in receipts} - {"absent", "skipped"})),
        "complete": all(r["complete"] is not False for r in receipts),
        "source_modified_at": arrival.source_time(receipts),
        "rule": rule.rule if rule else "normal",
    }


def compare(warehouse: Warehouse, baseline: int, load: int, day: date) -> Iterator[tuple[File, Counts]]:
    """Yield the total of each file between any two loads."""
    warehouse.run(GRADE_RANK)
    for of in kept(warehouse):
        now = places_at(warehouse, of, load)
        counted = tally(of.name, dimensions(of), places_at(warehouse, of, baseline), now, moves(warehouse, of, baseline, load, day))
        yield of, counted.get(Cell(of.name, ALL, ALL, ALL), Counts())


def as_rows(audit: Audit) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the rows of each table of the store."""
    load = audit.load.number
    yield "counts", [
        {
            "load": load, "file": cell.file, "school_id": cell.school, "role": cell.role, "term_id": cell.term,
            "before": count.before, "added": count.added, "removed": count.removed, "changed": count.changed,
            "now": count.now, "verdict": str(audit.verdicts.get(cell, Verdict.PASSED)),
        }
        for cell, count in sorted(audit.counts.items())
    ]  # fmt: skip
    yield "findings", [
        {
            "id": f.id, "load": load, "check_id": f.check, "severity": f.severity.name.lower(), "file": f.cell.file,
            "school_id": f.cell.school, "role": f.cell.role, "term_id": f.cell.term, "column_name": f.column,
            "before": f.before, "now": f.now, "count": f.count, "share": f.share, "root": f.root or None,
            "planned": f.planned, "first_load": f.first_load, "approved_by": None,
        }
        for f in audit.findings
    ]  # fmt: skip
    yield "reasons", audit.reasons
    yield "columns", audit.columns
    yield "arrivals", audit.arrivals
    yield "schools", [
        {"load": load, "school_id": school, "name": name, "held": school in audit.judgement.held}
        for school, name in audit.schools.items()
    ]
