"""What a report says of one load, read from the store: the same for page, text, JSON and alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..checks.catalogue import check
from ..words import ALL, Verdict
from .families import schedule_json

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from ..store import Store

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contents:
    """One load. Rows are those of the store's tables."""

    load: Row
    schools: dict[str, str]
    held: list[str]
    findings: list[Row]
    files: list[Row]
    """Totals of each file."""
    by_school: dict[str, dict[str, Row]]
    """For each school the counts of students, teachers, classes and enrollments."""
    cells: list[Row]
    """Counts of roles and terms of schools with a finding."""
    reasons: list[Row]
    arrivals: dict[str, Row]
    columns: list[Row]
    approvals: list[Row]
    trend: dict[str, list[int]]
    """For each file the number of rows of the last nights, the oldest first."""
    nights: list[Row]
    new_ids: list[Row]
    schedule: list[Row]
    rollover: list[Row]
    consumers: list[Row]
    """Each consumer with its `result`, and the `rules` that are broken there."""

    @property
    def is_first(self) -> bool:
        """True if there was nothing to compare with."""
        return self.load["baseline"] is None

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        verdict, total, held = self.load["verdict"], len(self.schools), len(self.held)
        if self.is_first and verdict != Verdict.UNKNOWN and not held:
            return f"First night: {total:,} schools, nothing to compare with yet. They can be published."
        if verdict == Verdict.UNKNOWN:
            return "Unknown: this load could not be judged. Nothing newer is released."
        if verdict == Verdict.HELD:
            planned = "Held, as planned" if self.load["planned"] else "Held"
            rest = f"{total - held:,} can be published." if total > held else "Nothing newer is released."
            return f"{planned}: {held:,} of {total:,} schools. {rest}"
        found = sum(1 for f in self.findings if f["severity"] != "note")
        if verdict == Verdict.NOTED:
            return f"Noted: {found:,} findings, none holds. All {total:,} schools can be published."
        return f"Passed: all {total:,} schools can be published."

    def school(self, school_id: str) -> str:
        """Return a school's name and id."""
        if school_id in ("", ALL):
            return "no school" if not school_id else "all schools"
        name = self.schools.get(school_id, "")
        return f"{name} ({school_id})" if name else school_id

    def where(self, finding: Row) -> str:
        """Return what a finding is about, in words."""
        parts = [finding["file"], finding["column_name"]]
        if finding["school_id"] not in ("", ALL):
            parts.append(self.school(finding["school_id"]))
        parts += [finding[k] for k in ("role", "term_id") if finding[k] not in ("", ALL)]
        return ", ".join(part for part in parts if part) or "the load"

    def reasons_of(self, school: str) -> list[tuple[str, int]]:
        """Return why student enrollments left a school, the most frequent reason first."""
        found = [(r["reason"], r["enrollments"]) for r in self.reasons if r["school_id"] == school]
        return sorted(found, key=lambda reason: (-reason[1], reason[0]))

    def as_json(self) -> Row:
        """Return what `show --json` prints."""
        return {
            "load": self.load["load"],
            "baseline": self.load["baseline"],
            "verdict": self.load["verdict"],
            "held_schools": [{"id": s, "name": self.schools[s]} for s in self.held],
            "files": [
                {k: row[k] for k in ("file", "before", "added", "removed", "changed", "now")} for row in self.files
            ],
            "findings": [self._finding(f) for f in self.findings],
            "schedule": schedule_json(self.schedule),
            "rollover": [
                {"school": row["school_id"], "line": row["line"], "state": row["state"], "count": row["count"]}
                for row in self.rollover
            ],
            "consumers": [
                {
                    "name": c["consumer"],
                    "result": c["result"],
                    "rules": [{"id": r["rule"], "severity": r["severity"], "count": r["count"]} for r in c["rules"]],
                }
                for c in self.consumers
            ],
        }

    def _finding(self, row: Row) -> Row:
        return {
            "id": row["id"], "check": row["check_id"], "severity": row["severity"], "owner": check(row["check_id"]).owner,
            "file": row["file"], "school": row["school_id"], "role": row["role"], "term": row["term_id"],
            "column": row["column_name"], "before": row["before"], "now": row["now"], "count": row["count"],
            "share": row["share"], "root": row["root"],
        }  # fmt: skip


_KINDS = {
    "students": ("enrollments", "student"),
    "teachers": ("enrollments", "teacher"),
    "classes": ("classes", ALL),
    "enrollments": ("enrollments", ALL),
}


def contents(store: Store, number: int, nights: int = 30) -> Contents:
    """Read what the store says of a load."""
    load = store.load(number)
    schools = store.rows("schools", "load = $load", "school_id", load=number)
    findings = store.rows("findings", "load = $load", "rowid", load=number)
    files = store.rows(
        "counts", f"load = $load AND school_id = '{ALL}' AND role = '{ALL}' AND term_id = '{ALL}'", "rowid", load=number
    )
    counts = store.rows(
        "counts",
        f"load = $load AND school_id NOT IN ('', '{ALL}') AND term_id = '{ALL}' AND file IN ('enrollments', 'classes')",
        "school_id, file, role",
        load=number,
    )
    by_school: dict[str, dict[str, Row]] = {}
    for row in counts:
        for kind, (file, role) in _KINDS.items():
            if (row["file"], row["role"]) == (file, role):
                by_school.setdefault(row["school_id"], {})[kind] = row
    cells = store.rows(
        "counts",
        f"load = $load AND school_id NOT IN ('', '{ALL}') AND term_id <> '{ALL}' AND file = 'enrollments' "
        "AND list_contains($schools, school_id)",
        "school_id, role, term_id",
        load=number,
        schools=sorted({f["school_id"] for f in findings if f["severity"] == "hold"}),
    )
    trend: dict[str, list[int]] = {}
    for row in store.rows(
        "counts",
        f"load > $since AND load <= $load AND school_id = '{ALL}' AND role = '{ALL}' AND term_id = '{ALL}'",
        "file, load",
        since=number - nights,
        load=number,
    ):
        trend.setdefault(row["file"], []).append(row["now"])
    return Contents(
        load=load,
        schools={s["school_id"]: s["name"] for s in schools},
        held=[s["school_id"] for s in schools if s["held"]],
        findings=findings,
        files=files,
        by_school=by_school,
        cells=cells,
        reasons=store.rows("reasons", "load = $load", "school_id, reason", load=number),
        arrivals={a["file"]: a for a in store.rows("arrivals", "load = $load", "rowid", load=number)},
        columns=store.rows("columns", "load = $load", "rowid", load=number),
        approvals=store.rows("approvals", "load <= $load", "load DESC, school_id LIMIT 50", load=number),
        trend=trend,
        nights=store.rows("loads", "load <= $load", "load DESC LIMIT 60", load=number),
        new_ids=store.rows("new_ids", "load = $load", "school_id, file, verdict", load=number),
        schedule=store.rows("schedule_counts", "load = $load", "school_id", load=number),
        rollover=store.rows("rollover", "load = $load", "rowid", load=number),
        consumers=_consumers(store, number),
    )


def _consumers(store: Store, number: int) -> list[Row]:
    rules: dict[str, list[Row]] = {}
    for row in store.rows("consumer_rules", "load = $load", "rowid", load=number):
        rules.setdefault(row["consumer"], []).append(row)
    found = store.rows("consumers", "load = $load", "rowid", load=number)
    return [row | {"rules": rules.get(row["consumer"], [])} for row in found]


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Return a time in the district's zone."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")
