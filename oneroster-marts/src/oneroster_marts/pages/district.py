"""The district's page: the five numbers over all schools, what moved, what was not given, and a row a school."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _figures as figures
from .._figures import Raw, element
from . import parts, words
from .parts import MEASURES, paragraph
from .school import moves

if TYPE_CHECKING:
    from ..reader import Reader
    from .contents import Contents, School

DRAWN = 150
"""With more schools, the drawings are left out, so that the page stays small."""
MOVED = 10


class Line(NamedTuple):
    """What the district's page keeps of a school."""

    id: str
    name: str
    now: dict[str, Any]
    before: dict[str, Any]
    percents: list[float]
    moved: list[str]


def line_of(its: School) -> Line:
    """Return what the district's page keeps of a school."""
    now, before = ({measure: its.value(measure, back) for measure, _, _ in MEASURES.values()} for back in (0, 1))
    now["is_hidden"] = bool(its.week().get("suppressed"))
    return Line(its.id, its.name, now, before, [value for _, value in its.weeks("mean_percent")], moves(its)[:1])


def district_page(reader: Reader, of: Contents, lines: list[Line]) -> str:
    """Return the page of the district, of what is shared."""
    now, before = _over(lines, "now"), _over(lines, "before")
    hidden = sum(1 for line in lines if line.now["on_worklist"] is None)
    notes = {}
    if hidden and now["on_worklist"] is not None:
        notes["on_worklist"] = f"without {words.plural(hidden, 'school', 'schools')} of which the number is hidden"
    sections = [
        ("", figures.section("five", "This week in five numbers", parts.big_numbers(of, now, before, notes))),
        ("", figures.section("moved", "What moved", _moved(lines))),
        ("", parts.not_given(of, parts.OF_SCHOOLS)),
        ("Schools", _schools(lines)),
        ("Whom the rule finds", _equity(reader)),
        ("How to read this", parts.reading(of, READING)),
    ]
    more = Raw(
        f"Week of {words.day(of.monday)}, as of {words.day(of.today)}. See also "
        '<a href="licences.html">licences</a> and <a href="teachers.html">loads of teachers</a>.'
    )
    return parts.framed("All schools - district page", "All schools", more, sections)


READING = (
    "Rates and percents of the district are means over the schools of which the number is shown, weighted by their students. A student "
    "of two schools counts in each."
)


def _over(lines: list[Line], when: str) -> dict[str, Any]:
    rows = [getattr(line, when) for line in lines]
    found: dict[str, Any] = {}
    for measure, _, is_rate in MEASURES.values():
        known = [(row[measure], row["enrolled"] or 0) for row in rows if row[measure] is not None]
        total = sum(weight for _, weight in known)
        if is_rate:
            found[measure] = sum(value * weight for value, weight in known) / total if total else None
        else:
            found[measure] = sum(value for value, _ in known) if known else None
    found["is_hidden"] = any(row.get("is_hidden") for row in rows)
    return found


def _moved(lines: list[Line]) -> Raw:
    found = []
    for line in lines:
        now, before = line.now["enrolled"], line.before["enrolled"]
        if now and before and now != before:
            found.append((abs(now - before) / before, line, now - before))
    found.sort(key=lambda item: (-item[0], item[1].id))
    texts: list[object] = [
        Raw(
            f"{_link(line)}: {figures.escape(words.moved(line.now['enrolled'], line.before['enrolled'], is_rate=False))}, "
            f"{words.count(line.now['enrolled'])} students."
        )
        for _, line, _ in found[:MOVED]
    ]
    if not texts:
        texts = [Raw(f"{_link(line)}: {figures.escape(line.moved[0])}") for line in lines[:MOVED] if line.moved]
    return parts.items(texts)


def _equity(reader: Reader) -> Raw:
    """Return the share of each group whom the worklist's rule finds, over the cells that may be shown."""
    table = reader.table("shared.worklist_equity", "demographic", "value", "flagged_rate", "cannot_say_rate")
    query = (
        "select demographic, value, sum(case when flagged_rate is not null then students end) as students,"
        " sum(flagged_rate * students) as flagged, sum(cannot_say_rate * students) as silent,"
        " sum(case when cannot_say_rate is not null then students end) as silent_of,"
        f" sum(case when flagged_rate is null then 1 else 0 end) as hidden from {table} group by demographic, value"
    )
    rows = sorted(reader.rows(query), key=lambda row: (row["demographic"] != "all", row["demographic"], row["value"]))
    title = "Whom the rule of the worklist finds"
    shown = [row for row in rows if row["students"]]
    if not shown:
        return figures.section("equity", title, paragraph("No number of a group may be shown."))
    rates = [row["flagged"] / row["students"] for row in shown]
    lines = [
        [
            "All students"
            if row["demographic"] == "all"
            else f"{words.group(row['demographic'])}: {words.group(row['value'])}",
            words.percent(rate, row["students"]),
            figures.bar(rate, max(rates)),
            words.percent(row["silent"] / row["silent_of"], row["silent_of"]) if row["silent_of"] else words.NONE,
            words.count(row["students"]),
            words.count(row["hidden"]),
        ]
        for row, rate in zip(shown, rates, strict=True)
    ]
    sentence = (
        "For those who review the rule: demographics have no part in it, and here is whom it finds. Grades of schools in which it finds few, or all "
        "but few, are left out, so a share is about right only, and more so the more grades are hidden."
    )
    heads = ["Students", "On the worklist", "Drawn", "Cannot say", "Students shown", "Grades hidden"]
    table_of = figures.table("Share of each group whom the worklist's rule finds", heads, lines, numbers=(1, 3, 4, 5))
    return figures.section("equity", title, paragraph(sentence), table_of)


def _link(line: Line) -> Raw:
    return element("a", line.name, href=f"school/{words.file_of(line.id)}")


def _schools(lines: list[Line]) -> Raw:
    if not lines:
        return figures.section("schools", "Schools", paragraph("The roster has no school with students."))
    is_drawn = len(lines) <= DRAWN
    largest = max(line.now["enrolled"] or 0 for line in lines)
    rows = []
    for line in sorted(lines, key=lambda line: (line.name.casefold(), line.id)):
        now = line.now
        cells: list[object] = [
            _link(line),
            words.count(now["enrolled"]),
            *(
                words.percent(now[name], now["enrolled"], 1)
                for name in ("attendance_rate", "mean_percent", "missing_rate")
            ),
            words.count(now["on_worklist"]),
        ]
        if is_drawn:
            cells[2:2] = [figures.bar(now["enrolled"] or 0, largest)]
            cells.append(figures.sparkline(line.percents, least=10) if len(line.percents) > 1 else words.NONE)
        rows.append(cells)
    heads = ["School", "Students", "Attendance", "Mean percent", "Work missing", "On the worklist"]
    numbers = [1, 2, 3, 4, 5]
    if is_drawn:
        heads[2:2] = ["Students, drawn"]
        heads.append("Mean percent by week")
        numbers = [1, 3, 4, 5, 6]
    table = figures.table("The five numbers of each school this week", heads, rows, numbers=numbers)
    sentence = f"{words.plural(len(lines), 'school', 'schools')}; open one for its grades, courses and moves."
    return figures.section("schools", "Schools", paragraph(sentence), table)
