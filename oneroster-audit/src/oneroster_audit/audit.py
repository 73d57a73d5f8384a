"""The audit of one load: the warehouse is read, findings and counts are made, nothing is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from . import sources
from .cells import Counts, tally
from .checks import arrival, columns, keys, sanity
from .checks.brake import fold
from .checks.gone import gone
from .consumers.judge import judge_consumers, store_rows
from .diff import GRADE_RANK, YEARLY, dimensions, kept, moves, places_at
from .errors import Unknown
from .families import Families, ask_families, baselines, fold_families
from .loss import FileLoss, empty_schools, explain
from .night import Night
from .verdicts import cell_verdicts, judge
from .warehouse import sql
from .words import ALL, Cell, Finding, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._core.model import File
    from .consumers.judge import Judged
    from .night import Before
    from .policy import Policy
    from .verdicts import Judgement
    from .warehouse import Load, Warehouse


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
    families: Families
    baselines: dict[int, tuple[list[str], bool]]
    """For each baseline the schools that are compared with it, and whether what has no school is, too."""
    consumers: list[Judged]


def audit_load(warehouse: Warehouse, policy: Policy, loads: dict[int, Load], number: int, before: Before) -> Audit:
    """Audit a load against what earlier audits left."""
    load = loads[number]
    warehouse.run(GRADE_RANK)
    day = load.loaded_at.astimezone(policy.zone).date()
    night = Night(warehouse, policy, load, loads, before, day, warehouse.receipts(load), warehouse.touched())
    night.schools = _schools(warehouse, number, before)
    _arrival(night)
    for of in kept(warehouse):
        _file(night, of)
    if warehouse.has("enrollments"):
        empty_schools(night)
    families = ask_families(night)
    explain(night)
    baseline = before.baseline
    if baseline is not None and not night.is_quiet(("users", "classes"), baseline):
        night.findings += keys.reused(warehouse, baseline, number)
    everything = baseline is not None and night.is_quiet(night.touched, baseline)
    night.findings += sanity.sanity(warehouse, baseline, number, is_quiet=everything)
    night.findings += sources.differ(warehouse, policy, number)
    _calendar(night)
    _policy(night)
    fold(night.findings)
    fold_families(night)
    consumers = judge_consumers(night)
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
        arrivals=arrival.arrivals(load, night.receipts, _gone(night)),
        schools=night.schools,
        facts=_facts(night),
        families=families,
        baselines=baselines(night),
        consumers=consumers,
    )


def _schools(warehouse: Warehouse, load: int, before: Before) -> dict[str, str]:
    """Return the names of all schools: those that are there, and those of a baseline that are gone."""
    found: dict[str, str] = dict.fromkeys(before.released, "")
    for at in sorted({*before.released.values(), load}):
        rows = warehouse.run(
            """SELECT "sourcedId", coalesce("name", '') FROM "orgs_at"($load) WHERE "type" = 'school'""", load=at
        )
        found |= {school: name for school, name in rows if at == load or school in before.released}
    return dict(sorted(found.items()))


def _arrival(night: Night) -> None:
    policy, baseline = night.policy, night.before.baseline
    is_blackout = (rule := night.rule(Cell())) is not None and rule.rule == "blackout"
    days = float("inf") if is_blackout else policy.max_source_age_days
    night.findings += arrival.arrival(
        night.load, night.loads, baseline, night.receipts, hours=policy.max_age_hours, days=days
    )
    if baseline is not None:
        night.findings += arrival.header(night.warehouse.receipts(night.loads[baseline]), night.receipts)


def _gone(night: Night) -> dict[str, tuple[int, int]]:
    baseline = night.before.baseline
    if baseline is None:
        return {}
    files = [of.name for of in kept(night.warehouse) if not night.is_quiet((of.name,), baseline)]
    return gone(night.warehouse, files, baseline, night.load.number)


def _file(night: Night, of: File) -> None:
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
    loss = FileLoss(night, of, now, {*YEARLY, *(f.column for f in blank)})
    counts = loss.counts()
    night.counts |= counts
    table = night.load.tables.get(of.name)
    is_whole = table is None or table.whole
    loss.history_reaches_back()
    loss.brake(counts, is_whole=is_whole)
    if is_whole:
        loss.slow()


def _calendar(night: Night) -> None:
    """Add what the calendar holds today, and mark what it holds as planned."""
    everywhere = night.rule(Cell())
    if everywhere is not None and everywhere.rule == "blackout":
        night.findings.append(Finding("calendar.blackout", Severity.HOLD, planned=True))
    for school in night.schools:
        rule = night.rule(Cell(school=school))
        if rule is not None and rule is not everywhere and rule.rule == "blackout":
            night.findings.append(Finding("calendar.blackout", Severity.HOLD, Cell(school=school), planned=True))
    _additions_only(night)
    for finding in night.findings:
        rule = night.rule(finding.cell)
        if rule is not None and rule.rule in ("blackout", "additions_only"):
            is_brake = finding.check.startswith(("brake.", "calendar."))
            finding.planned = rule.rule == "blackout" or is_brake


def _additions_only(night: Night) -> None:
    """Hold the schools in which rows were changed or are gone while additions pass only."""
    moved: Counter[str] = Counter()
    for cell, count in night.counts.items():
        rule = night.rule(cell)
        is_total = cell.role == ALL and cell.term == ALL
        if is_total and cell.school != ALL and rule is not None and rule.rule == "additions_only":
            moved[cell.school] += count.removed + count.changed
    for school, rows in sorted(moved.items()):
        if rows:
            cell = Cell(school=school)
            night.findings.append(Finding("calendar.additions-only", Severity.HOLD, cell, now=rows, planned=True))


def _policy(night: Night) -> None:
    named = set(night.policy.limits.schools)
    named.update(*(rule.schools or () for rule in night.policy.calendar))
    orgs = {org for (org,) in night.warehouse.run('SELECT "sourcedId" FROM "orgs_at"($load)', load=night.load.number)}
    if unknown := named - orgs - set(night.schools):
        night.findings.append(Finding("policy.school", Severity.WARN, now=len(unknown)))


def _reasons(night: Night) -> list[dict[str, Any]]:
    """Return the reasons of each school; they add up to the student enrollments that its cells removed."""
    if night.before.baseline is None or not night.warehouse.has("enrollments"):
        return []
    found = []
    before = night.before
    for baseline in before.all:
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


def _finish(night: Night) -> list[Finding]:
    """Order the findings, the worst first, and say since when each stands."""
    for finding in night.findings:
        finding.first_load = night.before.first_loads.get(finding.id, night.load.number)
    unique = {finding.id: finding for finding in reversed(night.findings)}
    return sorted(
        unique.values(),
        key=lambda f: (
            bool(f.root),
            -f.severity,
            f.check.startswith("consumer."),
            -(f.share or 0),
            -f.count,
            f.check,
            f.cell,
            f.column,
        ),
    )


def _facts(night: Night) -> dict[str, Any]:
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


def compare(warehouse: Warehouse, a: int, b: int) -> list[dict[str, Any]]:
    """Return the total of each file between any two loads; from the newer to the older, what was added is removed."""
    warehouse.run(GRADE_RANK)
    found = []
    older, newer = sorted((a, b))
    for of in kept(warehouse):
        now = places_at(warehouse, of, newer)
        before = places_at(warehouse, of, older)
        moved = moves(warehouse, of, older, newer, date.min)
        count = tally(of.name, dimensions(of), before, now, moved).get(Cell(of.name, ALL, ALL, ALL), Counts())
        if a > b:
            count = Counts(count.now, count.removed, count.added, count.changed, count.before)
        row = {
            "file": of.name,
            "before": count.before,
            "added": count.added,
            "removed": count.removed,
            "changed": count.changed,
            "now": count.now,
        }
        found.append(row)
    return found


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
    yield from audit.families.tables()
    yield "columns", audit.columns
    yield "arrivals", audit.arrivals
    yield from store_rows(load, audit.consumers)
    yield (
        "schools",
        [
            {"load": load, "school_id": school, "name": name, "held": school in audit.judgement.held}
            for school, name in audit.schools.items()
        ],
    )
