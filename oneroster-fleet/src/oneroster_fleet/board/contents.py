"""What the board says, from the records of runs and the audits' reports: the same for page, JSON and webhook."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from ..clock import written, zone
from ..status import statuses
from ..stores.base import NIGHTS
from ..words import NEEDS_A_PERSON, Word

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from ..district import Board, District, Fleet
    from ..status import Row
    from ..stores import Store

NIGHTS_COMPARED = 14
SHRUNK_SHARE, SMALL_SCHOOL = 0.2, 10
EXPIRES_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Line:
    """One district on the board."""

    row: Row
    log: str
    """Path of its last log, relative to the board; empty if there is none."""
    whole_read_at: str = ""
    records: int = 0
    usual: float = 0.0
    """The median of the nights before."""
    trend: tuple[int, ...] = ()
    streams: tuple[tuple[str, int, float], ...] = ()
    """Each collection with its records and their median."""
    shrunk: tuple[str, ...] = ()
    """Ids of schools that have lost a fifth of their enrollments against the median."""
    expires: str = ""
    verdict: str = ""
    """The audit's word, where the district is audited."""

    @property
    def district(self) -> District:
        """The district."""
        return self.row.district

    @property
    def word(self) -> Word:
        """Its word."""
        return self.row.words.word


@dataclass(frozen=True, slots=True)
class Contents:
    """The whole board."""

    at: datetime
    board: Board
    lines: list[Line]
    providers: dict[str, list[Line]] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the times on the page."""
        return zone(self.board.time_zone)

    @property
    def counts(self) -> dict[str, int]:
        """How many districts have each word."""
        found = Counter(line.word for line in self.lines)
        return {word.value: found[word] for word in Word if found[word]}

    @property
    def needing(self) -> list[Line]:
        """The districts that need a person, in the order of the words."""
        order = list(Word)
        return sorted((line for line in self.lines if line.word in NEEDS_A_PERSON), key=lambda i: order.index(i.word))

    def as_json(self) -> dict[str, Any]:
        """Return the content of board.json."""
        return {
            "generated": written(self.at),
            "counts": self.counts,
            "districts": [
                {
                    "id": line.district.id,
                    "name": line.district.name,
                    "provider": line.district.provider,
                    "word": line.word.value,
                    "since": written(line.row.words.since) if line.row.words.since else None,
                    "why": line.row.words.why,
                    "log": line.log or None,
                }
                for line in self.lines
            ],
        }


def contents(fleet: Fleet, store: Store, at: datetime, out: Path) -> Contents:
    """Read everything that the board says."""
    rows = statuses(fleet, store, at)
    nights = store.records(NIGHTS, [row.district.id for row in rows])
    lines = [_line(fleet, row, nights.get(row.district.id, {}).get("nights", []), at, out) for row in rows]
    providers: dict[str, list[Line]] = {}
    for line in lines:
        providers.setdefault(line.district.provider, []).append(line)
    return Contents(at, fleet.board, lines, providers)


def _line(fleet: Fleet, row: Row, nights: list[dict[str, Any]], at: datetime, out: Path) -> Line:
    district = row.district
    run = row.last.get("run") if row.last else None
    log = fleet.log_dir / district.id / f"{run}.log"
    link = Path(os.path.relpath(log, out.resolve())).as_posix() if run and log.is_file() else ""
    end = district.secrets_expire
    local_day = at.astimezone(district.zone).date()
    expires = f"{end} (in {(end - local_day).days} days)" if end and end - local_day <= EXPIRES_SOON else str(end or "")
    if not nights:
        return Line(row, link, expires=expires, verdict=_verdict(fleet, district))
    newest, before = nights[-1], nights[:-1][-NIGHTS_COMPARED:]
    totals = [sum(night["records"].values()) for night in [*before, newest]]
    usual = _median([night["records"] for night in before])
    usual_schools = _median([night.get("schools", {}) for night in before])
    return Line(
        row,
        link,
        whole_read_at=str(newest.get("whole_read_at") or "")[:16].replace("T", " "),
        records=totals[-1],
        usual=median(totals[:-1]) if before else float(totals[-1]),
        trend=tuple(totals),
        streams=tuple((name, n, usual.get(name, float(n))) for name, n in newest["records"].items()),
        shrunk=tuple(
            school
            for school, most in usual_schools.items()
            if most >= SMALL_SCHOOL and newest.get("schools", {}).get(school, 0) < most * (1 - SHRUNK_SHARE)
        ),
        expires=expires,
        verdict=_verdict(fleet, district),
    )


def _median(nights: list[dict[str, int]]) -> dict[str, float]:
    names = dict.fromkeys(name for night in nights for name in night)
    return {name: median(night.get(name, 0) for night in nights) for name in names}


def _verdict(fleet: Fleet, district: District) -> str:
    """Return the audit's word and sentence, from its JSON report."""
    if not district.audit:
        return ""
    try:
        report = json.loads((fleet.folder / district.audit).read_text(encoding="utf-8"))
        load = report.get("load", report)
        return str(load["verdict"] if isinstance(load, dict) else report["verdict"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "not audited"
