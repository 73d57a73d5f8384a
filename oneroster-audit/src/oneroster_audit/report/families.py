"""New ids, schedule and rollover in words: sections 6 to 8 of the page, and their lines of the text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .. import _figures as figures
from .._figures import Raw
from ..checks.catalogue import check
from ..checks.rollover import LINES
from ..checks.schedule import MOVES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .contents import Contents, Row

SHOWN = 50
VERDICTS = ("proposed", "weak", "conflict")
NAMES = {"users": "persons", "classes": "classes", "enrollments": "enrollments", "courses": "courses", "orgs": "orgs",
         "academicSessions": "sessions"}  # fmt: skip


def schedule_json(rows: list[Row]) -> list[Row]:
    """Return the schools with classes that opened, closed or moved, as `show --json` has them."""
    return [
        {
            "school": row["school_id"],
            "opened": row["opened"],
            "closed": row["closed"],
            "moved": {move: row[move] for move in MOVES},
            "students": row["students"],
            "teachers": row["teachers"],
        }
        for row in rows
        if row["classes"]
    ]


def _new_ids(of: Contents) -> tuple[Counter[tuple[str, str]], dict[str, Counter[tuple[str, str]]]]:
    """Return the numbers by file and verdict, of all schools and of each."""
    total: Counter[tuple[str, str]] = Counter()
    by_school: dict[str, Counter[tuple[str, str]]] = {}
    for row in of.new_ids:
        key = row["file"], row["verdict"]
        total[key] += row["rows"]
        by_school.setdefault(row["school_id"], Counter())[key] += row["rows"]
    return total, by_school


def _number(count: int, name: str) -> str:
    one = name.removesuffix("es") if name == "classes" else name.removesuffix("s")
    return f"{count:,} {one if count == 1 else name}"


def _new_ids_sentence(total: Counter[tuple[str, str]]) -> str:
    parts = [_number(total[file, "proposed"], name) for file, name in NAMES.items() if total[file, "proposed"]]
    unsure = sum(n for (_, verdict), n in total.items() if verdict != "proposed")
    text = (
        f"Came back under other ids: {', '.join(parts)}."
        if parts
        else "Nothing came back under another id for certain."
    )
    return text + (f" Weak or in conflict, and not proposed: {unsure:,}." if unsure else "")


def new_ids(of: Contents) -> Raw | str:
    """Return section 6; empty if nothing came back under another id."""
    total, by_school = _new_ids(of)
    if not total:
        return ""
    order = sorted(by_school, key=lambda s: (-by_school[s].total(), s))
    pairs = [(file, verdict) for file in ("users", "classes") for verdict in VERDICTS if total[file, verdict]]
    if not pairs:
        pairs = [("users", VERDICTS[0]), ("classes", VERDICTS[0])]
    lines = [[of.school(s), *(f"{by_school[s][pair]:,}" for pair in pairs)] for s in order[:SHOWN]]
    heads = ["School", *(f"{NAMES[file].capitalize()}, {verdict}" for file, verdict in pairs)]
    caption = "Persons and classes under other ids; who is at two schools counts in each"
    command = figures.escape(f"oneroster-audit crosswalk {of.load['load']} --out crosswalk.csv")
    return Raw(
        f"<p>{figures.escape(_new_ids_sentence(total))} Weak: only name, school and grade agree, or rosters overlap too little. "
        "Conflict: keys speak for different persons. The pairs, with what agreed, are in "
        f"<code>{command}</code>.</p>{figures.table(caption, heads, lines, numbers=range(1, 1 + len(pairs)))}{_more(order)}"
    )


def _more(order: list[str]) -> str:
    left = len(order) - SHOWN
    return f"<p>And {left:,} more schools: oneroster-audit show --json.</p>" if left > 0 else ""


def schedule(of: Contents) -> Raw | str:
    """Return section 7; empty if no class opened, closed or moved, and none has a new id."""
    rows = sorted(of.schedule, key=lambda row: (-row["classes"], row["school_id"]))
    if not rows:
        return ""
    names = ("opened", "closed", *MOVES, "new_ids", "students", "teachers")
    lines = [[of.school(row["school_id"]), *(f"{row[name]:,}" for name in names)] for row in rows[:SHOWN]]
    heads = ["School", "Opened", "Closed", *(move.capitalize() for move in MOVES), "New id", "Students", "Teachers"]
    caption = "Classes that opened, closed, moved, or have a new id, and the students and teachers in them"
    return Raw(
        "<p>A class that came back under a new id (section New ids) is the same class: it is neither opened nor closed. Students "
        "and teachers are those of classes that opened, closed or moved.</p>"
        f"{figures.table(caption, heads, lines, numbers=range(1, 11))}{_more([r['school_id'] for r in rows])}"
    )


def rollover(of: Contents) -> Raw | str:
    """Return section 8; empty out of season."""
    if not of.rollover:
        return ""
    by_line: dict[str, Counter[str]] = {}
    by_school: dict[str, dict[str, Row]] = {}
    counts: Counter[str] = Counter()
    for row in of.rollover:
        by_line.setdefault(row["line"], Counter())[row["state"]] += 1
        by_school.setdefault(row["school_id"], {})[row["line"]] = row
        counts[row["line"]] += row["count"]
    lines = [
        [check(f"rollover.{line}").sentence, *(f"{by_line[line][s]:,}" for s in ("clean", "fix", "not begun")), f"{counts[line]:,}"]
        for line in LINES
        if line in by_line
    ]  # fmt: skip
    heads = ["What is looked for", "Schools clean", "To fix", "Not begun", "Rows to fix"]
    whole = figures.table("Rollover to the new school year, all schools", heads, lines, numbers=range(1, 5))
    order = [s for s, its in by_school.items() if any(row["state"] != "clean" for row in its.values())]
    order.sort(key=lambda s: (-sum(row["state"] == "fix" for row in by_school[s].values()), s))
    cells = [[of.school(s), *(_state(by_school[s].get(line)) for line in LINES)] for s in order[:SHOWN]]
    names = [line.replace("-", " ").capitalize() for line in LINES]
    each = figures.table("Schools that are not clean", ["School", *names], cells) if cells else ""
    return Raw(f"<p>{figures.escape(_rollover_sentence(of))}</p>{whole}{each}{_more(order)}")


def _state(row: Row | None) -> str:
    if row is None:
        return ""
    return f"fix: {row['count']:,}" if row["state"] == "fix" else str(row["state"])


def _rollover_sentence(of: Contents) -> str:
    schools: dict[str, set[str]] = {}
    for row in of.rollover:
        schools.setdefault(row["school_id"], set()).add(row["state"])
    fix = sum("fix" in states for states in schools.values())
    waiting = sum("not begun" in states for states in schools.values())
    clean = sum(states == {"clean"} for states in schools.values())
    return (
        f"Of {len(schools):,} schools {clean:,} are clean, {fix:,} have something to fix, {waiting:,} have not begun."
    )


def family_lines(of: Contents) -> Iterator[str]:
    """Yield a line for each of the three that has something to say."""
    total, _ = _new_ids(of)
    if total:
        yield f"new ids: {_new_ids_sentence(total)} oneroster-audit crosswalk {of.load['load']} --out FILE"
    sums = Counter({name: sum(row[name] for row in of.schedule) for name in ("opened", "closed", *MOVES, "new_ids")})
    if sums.total():
        moved = ", ".join(f"{sums[move]:,} {move}" for move in MOVES)
        yield (
            f"schedule: {sums['opened']:,} classes opened, {sums['closed']:,} closed, moved: {moved}; "
            f"{sums['new_ids']:,} have a new id"
        )
    if of.rollover:
        yield f"rollover: {_rollover_sentence(of)}"
