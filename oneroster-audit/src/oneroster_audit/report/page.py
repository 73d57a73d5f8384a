"""The page: numbers of the store in, one file of HTML out. It has no clock but the load's, so it is the same every time."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

from .. import _figures as figures
from .._figures import Raw
from ..checks.catalogue import check
from ..words import ALL
from . import families
from .consumers import consumer_table
from .contents import moment
from .sources import two_sources
from .text import change

if TYPE_CHECKING:
    from ..policy import Policy
    from .contents import Contents, Row

MINUS = "\N{MINUS SIGN}"
NEEDS, OPEN_SCHOOLS, FOLDED_SCHOOLS, NAMED = 7, 50, 1000, 10
MARKS = {"passed": "c", "noted": "e", "held": "b", "unknown": "g"}


def page(of: Contents, policy: Policy) -> str:
    """Return the whole page."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(
        files(__package__ or __name__).joinpath("page.html.j2").read_text(encoding="utf-8")
    )
    needs, others = _needs(of)
    schools = _schools(of)
    folded = schools[OPEN_SCHOOLS : OPEN_SCHOOLS + FOLDED_SCHOOLS]
    body = template.render(
        of=of,
        at=moment(of.load["loaded_at"], policy.zone),
        age=_age(of),
        held_names=_named(of, of.held),
        needs=needs,
        others=_others(of, others) if others else "",
        others_count=len(others),
        arrived=_arrived(of),
        schools=_school_table(of, schools[:OPEN_SCHOOLS], is_drawn=True) if schools else "",
        more_schools=_school_table(of, folded, is_drawn=False) if folded else "",
        more_count=f"{len(folded):,}",
        untold=f"{max(0, len(schools) - OPEN_SCHOOLS - FOLDED_SCHOOLS):,}",
        cells=_cells(of),
        reasons=_reasons(of),
        new_ids=families.new_ids(of),
        schedule=families.schedule(of),
        rollover=families.rollover(of),
        columns=_columns(of),
        nights=_nights(of),
        approvals=_approvals(of),
        small=policy.small,
        consumers=consumer_table(of),
        two_sources=two_sources(of, policy.second),
    )
    return figures.page(f"{of.load['verdict']}: load {of.load['load']} - roster audit", Raw(body))


def _named(of: Contents, schools: list[str]) -> str:
    text = ", ".join(of.school(s) for s in schools[:NAMED])
    return text + (f" and {len(schools) - NAMED:,} more" if len(schools) > NAMED else "")


def _age(of: Contents) -> str:
    newest = of.load["source_modified_at"]
    if newest is None:
        return ""
    hours = (of.load["loaded_at"] - newest).total_seconds() / 3600
    return (
        f"The source was changed {hours / 24:.0f} days before."
        if hours >= 48
        else f"The source was changed {max(0, hours):.0f} hours before."
    )


def _needs(of: Contents) -> tuple[list[Row], list[Row]]:
    """Return the findings that somebody has to read, in words, and the others."""
    roots = [f for f in of.findings if not f["root"] and f["severity"] != "note"]
    shown = roots[:NEEDS]
    follow = Counter(f["root"] for f in of.findings if f["root"])
    ids = {f["id"] for f in shown}
    items = []
    for finding in shown:
        known = check(finding["check_id"])
        school = finding["school_id"] if finding["school_id"] not in ("", ALL) else ""
        is_brake = known.family == "brake" and finding["severity"] == "hold"
        reasons = of.reasons_of(school) if is_brake and school else []
        command = f"oneroster-audit rows {finding['id']} --out rows.csv" if finding["count"] else ""
        if finding["severity"] == "hold" and of.load["verdict"] == "held" and school in of.held:
            command = f"oneroster-audit approve {of.load['load']} --school {_argument(school)} --by NAME --reason TEXT"
        elif finding["severity"] == "hold" and of.load["verdict"] == "held":
            command = f"oneroster-audit approve {of.load['load']} --by NAME --reason TEXT"
        items.append(
            {
                "severity": finding["severity"], "sentence": known.sentence, "where": of.where(finding),
                "change": change(finding), "since": finding["first_load"] if finding["first_load"] < of.load["load"] else 0,
                "reasons": ", ".join(f"{n:,} {reason}" for reason, n in reasons[:3]), "follows": follow[finding["id"]],
                "owner": known.owner, "advice": known.advice, "approved": finding["approved_by"], "command": command,
            }
        )  # fmt: skip
    return items, [f for f in of.findings if f["id"] not in ids and f["root"] not in ids]


def _argument(school: str) -> str:
    return school if school.isalnum() else "'" + school.replace("'", "'\\''") + "'"


def _others(of: Contents, rows: list[Row]) -> Raw:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["severity"], row["check_id"]), []).append(row)
    lines = []
    for (severity, name), its in groups.items():
        schools = sorted({f["school_id"] for f in its} - {"", ALL})
        where = _named(of, schools) if schools else of.where(its[0])
        lines.append(
            [check(name).sentence, name, severity, f"{len(its):,}", f"{sum(f['count'] for f in its):,}", where]
        )
    return figures.table(
        "Other findings, by check", ["What", "Check", "Severity", "Findings", "Rows", "Where"], lines, numbers=(3, 4)
    )


def _arrived(of: Contents) -> Raw:
    totals = {row["file"]: row for row in of.files}
    lines = []
    for name in dict.fromkeys([*of.arrivals, *totals]):
        arrival, row = of.arrivals.get(name, {}), totals.get(name, {})
        if arrival.get("complete") is None:
            receipt = "no receipt" if arrival else "did not come"
        else:
            receipt = "complete" if arrival["complete"] else "not complete"
        if arrival and not arrival.get("whole"):
            receipt += ", not whole"
        if arrival.get("marked") and arrival.get("vanished"):
            receipt += f"; gone: {arrival['marked']:,} marked as deleted, {arrival['vanished']:,} no longer sent"
        elif arrival.get("marked"):
            receipt += "; all that is gone was marked as deleted"
        trend = of.trend.get(name, [])
        drawn = figures.sparkline(trend) if len(trend) > 1 else ""
        lines.append(
            [name, _n(arrival.get("promised")), _n(arrival.get("arrived")), *(_n(row.get(k)) for k in ("before", "added", "removed", "changed", "now")), drawn, receipt]
        )  # fmt: skip
    heads = [
        "File",
        "Promised",
        "Arrived",
        "Before",
        "+",
        MINUS,
        "Changed",
        "Now",
        f"{len(of.trend.get('users', []))} nights",
        "Receipt",
    ]
    return figures.table("What arrived, and what changed since the baseline", heads, lines, numbers=range(1, 8))


def _n(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _schools(of: Contents) -> list[str]:
    """Return the schools, those that lost the largest share first."""

    def share(school: str) -> float:
        row = of.by_school.get(school, {}).get("students")
        return row["removed"] / row["before"] if row and row["before"] else 0.0

    known = [s for s in of.by_school if s in of.schools]
    return sorted(known, key=lambda s: (s not in of.held, -share(s), s))


def _school_table(of: Contents, schools: list[str], *, is_drawn: bool) -> Raw:
    lines = []
    for school in schools:
        its = of.by_school[school]
        students = its.get("students", {"removed": 0, "added": 0, "before": 0})
        lost = f"{students['removed'] * 100 / students['before']:.1f} %" if students["before"] else ""
        drawn = [figures.diverging(students["removed"], students["added"], students["before"])] if is_drawn else []
        word = Raw('<span class="word held">held</span>') if school in of.held else ""
        lines.append(
            [of.school(school), word, *(_change(its.get(k)) for k in ("students", "teachers", "classes", "enrollments")), lost, *drawn]
        )  # fmt: skip
    heads = [
        "School",
        "Verdict",
        "Students",
        "Teachers",
        "Classes",
        "Enrollments",
        "Gone",
        *([f"{MINUS} gone, + new"] if is_drawn else []),
    ]
    caption = "Seats of students and teachers, classes and enrollments of each school"
    return figures.table(caption if is_drawn else f"{caption}, the others", heads, lines, numbers=range(2, 7))


def _change(row: Row | None) -> str:
    if row is None:
        return "0"
    text = f"{row['now']:,}"
    text += f" {MINUS}{row['removed']:,}" if row["removed"] else ""
    return text + (f" +{row['added']:,}" if row["added"] else "")


def _cells(of: Contents) -> list[tuple[str, Raw]]:
    found: dict[str, list[list[object]]] = {}
    for row in of.cells:
        if ALL not in (row["role"], row["term_id"]):
            line = [
                row["role"] or "none",
                row["term_id"] or "none",
                *(_n(row[k]) for k in ("before", "added", "removed", "changed", "now")),
                row["verdict"],
            ]
            found.setdefault(row["school_id"], []).append(line)
    heads = ["Role", "Term", "Before", "+", MINUS, "Changed", "Now", "Verdict"]
    shown = list(found.items())[:OPEN_SCHOOLS]
    return [
        (of.school(s), figures.table(f"Enrollments of {of.school(s)}", heads, rows, numbers=range(2, 7)))
        for s, rows in shown
    ]


def _reasons(of: Contents) -> Raw | str:
    by_school: dict[str, Counter[str]] = {}
    total: Counter[str] = Counter()
    for row in of.reasons:
        by_school.setdefault(row["school_id"], Counter())[row["reason"]] += row["enrollments"]
        total[row["reason"]] += row["enrollments"]
    if not total:
        return ""
    order = [reason for reason, _ in total.most_common()]
    worst = sorted(by_school, key=lambda s: (-by_school[s].total(), s))[:10]
    key = Raw(
        "".join(
            f"<li>{figures.share([0] * n + [1], 12, 12)} {figures.escape(r)}: {total[r]:,}</li>"
            for n, r in enumerate(order)
        )
    )
    drawn = Raw(f"{figures.share([total[r] for r in order])}<ul>{key}</ul>")
    top = order[0]
    sentence = f"{total.total():,} student enrollments are gone; {total[top]:,} of them: {top}."
    lines: list[list[object]] = [
        [
            "All schools",
            *(f"{total[r]:,}" for r in order),
            f"{total.total():,}",
            figures.share([total[r] for r in order], 120, 12),
        ]
    ]
    for school in worst:
        counts = [by_school[school][r] for r in order]
        lines.append(
            [of.school(school), *(f"{n:,}" for n in counts), f"{sum(counts):,}", figures.share(counts, 120, 12)]
        )
    its_table = figures.table(
        "Student enrollments that are gone, by reason: all schools and the ten with most",
        ["School", *order, "All", "Shares"],
        lines,
        numbers=range(1, len(order) + 2),
    )
    return figures.figure("reasons", drawn, sentence, its_table)


def _columns(of: Contents) -> Raw | str:
    lines: list[list[object]] = []
    totals = {row["file"]: row["now"] for row in of.files}
    shares = {(row["file"], row["column_name"]): row for row in of.columns}
    for finding in of.findings:
        if finding["check_id"] not in ("arrival.header", "columns.blank", "columns.words"):
            continue
        known = shares.get((finding["file"], finding["column_name"]), {})
        drawn: Any = ""
        if finding["check_id"] == "columns.blank" and totals.get(finding["file"]):
            now = 1 - finding["count"] / max(1, finding["count"] + finding["now"])
            drawn = figures.slope(min(1, now + finding["share"]), now)
        lines.append(
            [of.where(finding), check(finding["check_id"]).sentence, change(finding), known.get("words") or "", drawn]
        )
    if not lines:
        return ""
    return figures.table("Columns that changed", ["Where", "What", "Numbers", "Words", "Before and now"], lines[:100])


def _nights(of: Contents) -> Raw:
    nights = list(reversed(of.nights))
    counted = Counter(n["verdict"] for n in nights)
    sentence = (
        f"The last {len(nights)} loads: " + ", ".join(f"{n} {verdict}" for verdict, n in sorted(counted.items())) + "."
    )
    lines = [[str(n["load"]), n["verdict"], (n["rule"] or "").replace("_", " ")] for n in reversed(nights)]
    its_table = figures.table("Loads, their verdict, and the calendar's rule", ["Load", "Verdict", "Calendar"], lines)
    return figures.figure("nights", figures.calendar([n["verdict"] for n in nights], MARKS), sentence, its_table)


def _approvals(of: Contents) -> Raw | str:
    if not of.approvals:
        return ""
    lines = [
        [
            str(a["load"]),
            "all held schools" if a["school_id"] == ALL else of.school(a["school_id"]),
            a["approved_by"],
            a["reason"],
        ]
        for a in of.approvals
    ]
    return figures.table("Approvals", ["Load", "For", "By", "Why"], lines)
