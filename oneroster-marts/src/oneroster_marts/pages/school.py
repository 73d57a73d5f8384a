"""The principal's page: five numbers, what moved, what was not given, and then each of them by grade and course."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .. import _figures as figures
from .._figures import Raw, element
from . import parts, results, rosters, words

if TYPE_CHECKING:
    from .contents import School

MOVED = 6
"""Sentences about what moved, at most."""


def school_page(its: School) -> str:
    """Return the page of a school."""
    of = its.of
    now = {measure: its.value(measure) for measure, _, _ in parts.MEASURES.values()}
    now["is_hidden"] = bool(its.week().get("suppressed"))
    before = {measure: its.value(measure, 1) for measure, _, _ in parts.MEASURES.values()}
    sections = [
        ("", figures.section("five", "This week in five numbers", parts.big_numbers(of, now, before))),
        ("", figures.section("moved", "What moved", parts.items(moves(its)))),
        ("", parts.not_given(of, parts.OF_SCHOOLS)),
        ("Class sizes by grade", rosters.grades(its)),
        ("Class sizes by course", rosters.courses(its)),
        ("Percents by grade", results.percents(its)),
        ("Pass rates", results.pass_rates(its)),
        ("Who came and left", rosters.transfers(its)),
        ("Load of teachers", rosters.teachers(its)),
        ("Learning platform", rosters.lms(its)),
        ("How to read this", parts.reading(of, *READING)),
    ]
    over: object = element("a", "All schools", href="../index.html")
    banner = ""
    if of.is_restricted:
        file = words.file_of(its.id)
        counsellor = element("a", "The counsellor's list", href=f"../counsellor/{file}")
        over = Raw(f"{over} · {counsellor} · {element('a', 'Class membership', href=f'../class-membership/{file}')}")
        banner = "Restricted: no number is hidden on this page. Do not forward it."
    line = f"Week of {words.day(of.monday)}, as of {words.day(of.today)}."
    return parts.framed(f"{its.name} - school page", its.name, line, sections, over=over, banner=banner)


READING = (
    (
        "A class size is the mean of the sizes of whole classes, each with all of its students, so a class of two grades counts in both. "
        "Homerooms are left out, unless a school has nothing else."
    ),
    (
        "Mean percents come from published results, with three results that count at least; a gradebook may weigh them otherwise. Work is "
        "missing if it was due in the last four weeks and was not handed in. Who is on the worklist was found by a rule with "
        "reasons: the counsellor has the list."
    ),
    "The line of a pass rate is where the rate would lie 95 times of 100 if the same course were held again with as many students.",
)


def moves(its: School) -> list[str]:
    """Return sentences about what moved, the largest first."""
    found: list[tuple[float, str]] = []
    for grade in its.grades:
        days = its.days(grade)
        change = days[-1] - days[0] if len(days) > 1 else 0
        if abs(change) >= max(2, 0.03 * days[0]) if days else False:
            what = "more" if change > 0 else "fewer"
            text = f"{words.grade(grade)} has {words.count(abs(change))} students {what} than on {words.day(its.first_day(grade))}: {words.count(days[-1])}."
            found.append((abs(change) / max(1, days[0]) * 100, text))
    for measure, label, is_rate in parts.MEASURES.values():
        for grade in ("all", *its.grades) if is_rate else ("all",):
            weeks = its.weeks(measure, grade)
            if len(weeks) < 2:
                continue
            back = weeks[-2] if measure == "attendance_rate" else weeks[max(0, len(weeks) - 5)]
            change, since = weeks[-1][1] - back[1], f"the week of {words.day(back[0])}"
            least = 2.0 if is_rate else 5.0
            if abs(change) >= least and weeks[-1][0] == its.of.monday:
                where = "" if grade == "all" else f", {words.grade(grade)}"
                to = words.percent(weeks[-1][1], None, 1) if is_rate else words.count(weeks[-1][1])
                by = words.points(change) if is_rate else f"{change:+,.0f}".replace("-", words.MINUS)
                found.append((abs(change), f"{label}{where}: {to}, {by} since {since}."))
    recent = its.of.monday - timedelta(21)
    for direction, text in (("in", "came from other schools or from outside"), ("out", "left")):
        rows = [row for row in its.rows["moves"] if row["direction"] == direction and row["week"] >= recent]
        students = sum(row["students"] or 0 for row in rows)
        hidden = sum(1 for row in rows if row["suppressed"])
        if students:
            found.append((students, f"{words.plural(students, 'student', 'students')} {text} in the last four weeks."))
        elif hidden:
            found.append((1, f"Fewer than {its.of.small} students at a time {text} in the last four weeks."))
    found.sort(key=lambda pair: -pair[0])
    return [text for _, text in found[:MOVED]] or [
        "Nothing moved by much: no grade by 3 %, and no percent by 2 points."
    ]
