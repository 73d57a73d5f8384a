"""New ids, schedule and rollover of one night: findings, and rows of the store. Ids stay in the warehouse's session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import crosswalk
from .checks import churn, rollover, schedule
from .diff import GRADE_RANK
from .errors import Unknown
from .words import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from .night import Night
    from .warehouse import Warehouse
    from .words import Cell

_READ = (*crosswalk.FILES, "roles")
"""Files of which a change may matter."""


@dataclass(frozen=True, slots=True)
class Families:
    """Rows of the store's tables of these names."""

    new_ids: list[dict[str, Any]] = field(default_factory=list)
    schedule_counts: list[dict[str, Any]] = field(default_factory=list)
    rollover: list[dict[str, Any]] = field(default_factory=list)

    def tables(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Yield table and rows."""
        yield "new_ids", self.new_ids
        yield "schedule_counts", self.schedule_counts
        yield "rollover", self.rollover


def ask_families(night: Night) -> Families:
    """Ask the three families, each school since its baseline. The counts of users and classes go before."""
    found = Families()
    warehouse, load = night.warehouse, night.load.number
    crosswalk.prepare(warehouse)
    schedule.prepare(warehouse)
    season = _rollover(night, found)
    is_anew = season is not None and season.expects_new_classes(night.day)
    for baseline in night.before.all:
        if baseline not in night.loads or night.is_quiet(_READ, baseline):
            continue
        crosswalk.build(warehouse, baseline, load)
        new = [row for row in churn.counted(warehouse, baseline) if night.before.of(row.school) == baseline]
        found.new_ids.extend(
            {"load": load, "school_id": row.school, "file": row.file, "verdict": row.verdict, "rows": row.rows}
            for row in new
        )
        night.findings += churn.churn(new, night.counts, night.schools, expects_new_classes=is_anew)
        twice = churn.two_ids_counted(warehouse, baseline)
        night.findings += churn.two_ids((s, n) for s, n in twice if night.before.of(s) == baseline)
        schedule.build(warehouse, baseline, load, night.day)
        rows = [
            row for row in schedule.summary(warehouse, baseline, load) if night.before.of(row["school_id"]) == baseline
        ]
        found.schedule_counts.extend({"load": load, **row} for row in rows)
        night.findings += schedule.schedule(rows, night.counts, expects_new_classes=is_anew)
    return found


def _rollover(night: Night, found: Families) -> rollover.Season | None:
    warehouse, load = night.warehouse, night.load.number
    if not warehouse.has("academicSessions"):
        return None
    season = rollover.prepare(warehouse, load, night.day)
    night.findings += rollover.circles(warehouse)
    if season is None or not (warehouse.has("classes") and warehouse.has("enrollments")):
        return season
    answers = rollover.answers(warehouse, season, load, night.day)
    told = list(rollover.lines(answers, night.schools))
    found.rollover.extend(
        {"load": load, "school_id": school, "line": line, "state": state, "count": count}
        for school, line, state, count in told
    )
    night.findings += rollover.findings(told, answers, night.schools, has_begun=night.day >= season.starts)
    return season


def fold_families(night: Night) -> None:
    """Give what follows from a school that is gone its root: its classes closed, and nobody stayed to have a new id."""
    empty = {f.cell.school: f.id for f in night.findings if f.check == "brake.empty-school"}
    for finding in night.findings:
        if finding.check == "schedule.moved" and finding.cell.school in empty:
            finding.root = empty[finding.cell.school]


def baselines(night: Night) -> dict[int, tuple[list[str], bool]]:
    """Return for each baseline the schools that are compared with it, and whether what has no school is, too."""
    before = night.before
    return {
        baseline: (sorted(s for s in before.released if before.of(s) == baseline), before.of("") == baseline)
        for baseline in before.all
    }


def family_rows(
    warehouse: Warehouse, check: str, cell: Cell, baseline: int | None, load: int, day: date
) -> list[tuple[str]]:
    """Return the ids behind a finding of these families; raise Unknown if the warehouse does not keep them any more."""
    family, _, line = check.partition(".")
    if family == "rollover":
        warehouse.run(GRADE_RANK)
        season = rollover.prepare(warehouse, load, day)
        if line == "circle":
            return warehouse.run("SELECT id FROM rollover_sessions WHERE is_there AND is_circle")
        if line == "org" or season is None:
            return [(cell.school,)]
        query = rollover.rows(warehouse, season, load, day)
        return warehouse.run(
            f"SELECT id FROM ({query}) WHERE line = $line AND school = $school", line=line, school=cell.school
        )
    if baseline is None or baseline not in warehouse.loads():
        raise Unknown("the warehouse does not keep what this finding compared")
    crosswalk.prepare(warehouse)
    crosswalk.build(warehouse, baseline, load)
    query = churn.churn_rows(cell.file)
    if check == "keys.two-ids":
        query = "SELECT school, id FROM two_ids WHERE baseline = $baseline"
    elif family == "schedule":
        schedule.prepare(warehouse)
        schedule.build(warehouse, baseline, load, day)
        query = schedule.schedule_rows()
    return warehouse.run(
        f"SELECT DISTINCT id FROM ({query}) WHERE school = $school OR $school = '{ALL}'",
        baseline=baseline,
        school=cell.school,
    )
