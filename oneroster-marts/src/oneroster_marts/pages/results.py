"""How the students of a school do: percents by grade and week, and pass rates by course."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from .. import _figures as figures
from .._figures import Raw
from . import parts, words
from .parts import paragraph

if TYPE_CHECKING:
    from .contents import School


def percents(its: School) -> Raw:
    """Return the section of percents by grade and week."""
    lines, best = [], []
    for grade in (*its.grades, "all"):
        weeks = its.weeks("mean_percent", grade)
        missing = its.weeks("missing_rate", grade)
        row = its.week(grade=grade)
        if weeks:
            best.append((weeks[-1][1], grade))
        lines.append(
            [
                words.grade(grade),
                words.count(row.get("enrolled")),
                words.percent(weeks[-1][1], None, 1) if weeks else words.NONE,
                figures.sparkline([value for _, value in weeks], least=10) if len(weeks) > 1 else words.NONE,
                words.points(weeks[-1][1] - weeks[max(0, len(weeks) - 5)][1]) if len(weeks) > 1 else words.NONE,
                words.percent(missing[-1][1], row.get("enrolled"), 1) if missing else words.NONE,
                words.percent(row.get("attendance_rate"), row.get("enrolled"), 1),
            ]
        )
    own = [pair for pair in best if pair[1] != "all"]
    if not best:
        return figures.section(
            "percents", "Percents by grade and week", paragraph("There is no result that may be shown.")
        )
    sentence = (
        f"{words.grade(min(own)[1])} has the lowest mean percent, {words.percent(min(own)[0], None, 1)}; "
        f"{words.grade(max(own)[1])} the highest, {words.percent(max(own)[0], None, 1)}."
        if len(own) > 1
        else "Mean percents of published results to date."
    )
    heads = ["Grade", "Students", "Mean percent", "By week", "In four weeks", "Work missing", "Attendance this week"]
    table = figures.table(
        "Mean percent to date by week, missing work and attendance of each grade", heads, lines, numbers=(1, 2, 4, 5, 6)
    )
    weeks = its.weeks("mean_percent")
    return figures.section("percents", "Percents by grade and week", paragraph(sentence), table, _by_week(weeks))


def _by_week(weeks: list[tuple[Any, Any]]) -> Raw | str:
    if not weeks:
        return ""
    lines = [[words.day(week), words.percent(value, None, 1)] for week, value in reversed(weeks)]
    inner = figures.table(
        "Mean percent of the school to date, the newest week first", ["Week of", "Mean percent"], lines, numbers=(1,)
    )
    return Raw(f"<details><summary>The mean percent of each week</summary>{inner}</details>")


def _interval(passed: float, graded: float) -> tuple[float, float]:
    """Return the interval of Wilson in which a rate lies, in percent."""
    z, share = 1.96, passed / graded
    middle = (share + z * z / (2 * graded)) / (1 + z * z / graded)
    half = z * sqrt(share * (1 - share) / graded + z * z / (4 * graded * graded)) / (1 + z * z / graded)
    return 100 * (middle - half), 100 * (middle + half)


def pass_rates(its: School) -> Raw:
    """Return the section of pass rates by course."""
    shown = [row for row in its.rows["courses"] if row["pass_rate"] is not None]
    hidden = sum(1 for row in its.rows["courses"] if row["suppressed"])
    title = "Pass rates by course"
    said = paragraph(f"{words.plural(hidden, 'course is', 'courses are')} hidden.") if hidden else ""
    if not shown:
        return figures.section("passes", title, paragraph("No final grade may be shown yet."), said)
    lines = []
    for row in sorted(shown, key=lambda row: (row["pass_rate"], row["course_id"])):
        rate, graded = row["pass_rate"], row["graded"]
        low, high = _interval(row["passed"], graded) if row["passed"] is not None and graded else (rate, rate)
        lines.append(
            [
                its.of.name("course", row["course_id"]),
                words.percent(rate, graded),
                figures.interval(rate, low, high),
                f"{low:.0f} to {high:.0f} %" if high > low else words.NONE,
                words.count(graded),
                words.count(row["dropped"]),
                its.of.name("term", row["term_id"]),
            ]
        )
    worst = min(shown, key=lambda row: (row["pass_rate"], row["course_id"]))
    sentence = f"Lowest is {its.of.name('course', worst['course_id'])}: {words.percent(worst['pass_rate'], worst['graded'])} of {words.count(worst['graded'])} pass."
    heads = ["Course", "Pass", "0 to 100 %", "Likely between", "Graded", "Dropped", "Term"]
    table = parts.folded(
        "Pass rates of courses, the lowest first", heads, lines, (1, 3, 4, 5), "courses", most_open=parts.FEW
    )
    return figures.section("passes", title, paragraph(sentence), table, said)
