"""Who is at a school: grades and the sizes of classes, who came and left, loads of teachers, the learning platform."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Any

from .. import _figures as figures
from .._figures import Raw, element
from . import parts, words
from .parts import paragraph

if TYPE_CHECKING:
    from .contents import School

KINDS = {
    "transfer": "moves between schools", "re-entry": "returns", "dual": "second schools", "withdrawal": "withdrawals",
    "late entry": "late entries",
}  # fmt: skip
LMS = {
    "in_both": "in both", "only_roster": "only in the roster", "only_lms": "only in the platform", "role_differs": "with another role",
    "class_not_found": "in a class that the roster does not have",
}  # fmt: skip


def grades(its: School) -> Raw:
    """Return the section of students and class sizes by grade."""
    rows = {grade: its.count(grade) for grade in its.grades}
    if not rows:
        return figures.section(
            "grades", "Students and class sizes by grade", paragraph("No student is enrolled today.")
        )
    largest = max(row["students"] for row in rows.values())
    has_line = any(len(its.days(grade)) > 1 for grade in rows)  # after the first load no grade has one
    lines = [
        [
            words.grade(grade),
            element("strong", _size(row["mean_class_size"])),
            _size(row["p90_class_size"]),
            words.count(row["classes"]),
            words.count(row["students"]),
            figures.bar(row["students"], largest),
            *([figures.sparkline(its.days(grade)) if len(its.days(grade)) > 1 else words.NONE] if has_line else []),
        ]
        for grade, row in rows.items()
    ]
    total = its.count()
    sentence = (
        f"{words.plural(total.get('students') or 0, 'student', 'students')} in {words.plural(total.get('classes') or 0, 'class', 'classes')} "
        f"with {_size(total.get('mean_class_size'))} students on average."
    )
    heads = ["Grade", "Class size", "Nine in ten at most", "Classes", "Students", "Students, drawn"]
    heads += ["Students by day"] if has_line else []
    table = figures.table("Class size and students of each grade today", heads, lines, numbers=(1, 2, 3, 4))
    return figures.section("grades", "Students and class sizes by grade", paragraph(sentence), table)


def _size(value: Any) -> str:
    return words.NONE if value is None else f"{value:.1f}"


def courses(its: School) -> Raw:
    """Return the section of class sizes by course."""
    by_course: dict[str, list[dict[str, Any]]] = {}
    for row in its.rows["classes"]:
        by_course.setdefault(row["course_id"] or "none", []).append(row)
    title = "Class sizes by course"
    if not by_course:
        return figures.section("courses", title, paragraph("No class goes on."))
    largest = max(row["students"] for rows in by_course.values() for row in rows) or 1
    lines = []
    for course, rows in sorted(by_course.items(), key=lambda pair: (-max(row["students"] for row in pair[1]), pair[0])):
        sizes = [row["students"] for row in rows]
        middle = max(row["course_median_students"] or 0 for row in rows)
        lines.append(
            [
                its.of.name("course", course),
                words.count(max(sizes)),
                words.count(median(sizes)),
                words.count(min(sizes)),
                _size(middle),
                words.count(len(sizes)),
                figures.strip(sizes, largest, middle),
            ]
        )
    sizes = [row["students"] for rows in by_course.values() for row in rows]
    sentence = (
        f"The largest class has {words.plural(max(sizes), 'student', 'students')}, half of the classes have {words.count(median(sizes))} or more. "
        "Each dot is a class, the line is the median of the course in the district."
    )
    heads = ["Course", "Largest", "Middle", "Smallest", "Median in the district", "Classes", "Each class"]
    table = parts.folded(
        "Sizes of the classes of each course, the largest first",
        heads,
        lines,
        (1, 2, 3, 4, 5),
        "courses",
        most_open=parts.FEW,
    )
    return figures.section("courses", title, paragraph(sentence), table)


def transfers(its: School) -> Raw:
    """Return the section of who came and left."""
    rows = its.rows["moves"]
    title = "Who came and left"
    if not rows:
        return figures.section(
            "moves", title, paragraph("Nobody moved into or out of the school this year, after its begin.")
        )
    weeks = sorted({row["week"] for row in rows})[-26:]
    sums: Counter[tuple[Any, str]] = Counter()
    hidden: Counter[tuple[Any, str]] = Counter()
    kinds: Counter[str] = Counter()
    for row in rows:
        sums[row["week"], row["direction"]] += row["students"] or 0
        hidden[row["week"], row["direction"]] += bool(row["suppressed"])
        kinds[row["kind"]] += row["students"] or 0
    largest = max(1, *sums.values())
    lines = [
        [
            words.day(week),
            *(_moved(sums[week, way], hidden[week, way], its.of.small) for way in ("in", "out")),
            figures.diverging(sums[week, "out"], sums[week, "in"], largest),
        ]
        for week in reversed(weeks)
    ]
    told = ", ".join(
        f"{words.count(n)} {KINDS.get(kind, kind)}"
        for kind, n in sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))
        if n
    )
    came, left = (sum(n for (_, way), n in sums.items() if way == name) for name in ("in", "out"))
    sentence = (
        f"{words.count(came)} came and {words.count(left)} left: {told}."
        if told
        else f"Each move of a week is of fewer than {its.of.small} students, so no number is shown."
    )
    heads = ["Week of", "Came", "Left", "Left (to the left) and came"]
    table = figures.table("Students who came and left, the newest week first", heads, lines, numbers=(1, 2))
    return figures.section("moves", title, paragraph(sentence), table)


def _moved(students: int, hidden: int, small: int) -> str:
    if hidden and not students:
        return words.fewer(small)
    return words.count(students) + (" and a few" if hidden else "")


def teachers(its: School) -> Raw:
    """Return the section of the load of teachers."""
    title = "Load of teachers"
    bins = sorted(
        (row for row in its.rows["teachers"] if row["measure"] == "sections"),
        key=lambda row: (row["bin_from"], row["term_id"]),
    )
    if not bins:
        return figures.section("teachers", title, paragraph("No number of teachers may be shown, or no class has one."))
    return figures.section("teachers", title, _histogram(bins, its.of.small, "The teachers of the school"))


def _histogram(bins: list[dict[str, Any]], small: int, who: str) -> Raw:
    counts: dict[float, float | None] = {}
    for row in bins:
        known = counts.get(row["bin_from"])
        counts[row["bin_from"]] = known if row["teachers"] is None else (known or 0) + row["teachers"]
    lines = [
        [f"{start:.0f}", words.fewer(small) if n is None else words.count(n)] for start, n in sorted(counts.items())
    ]
    top = max((n or 0, start) for start, n in counts.items())
    sentence = (
        f"{who} by the number of classes that each teaches; most teach {top[1]:.0f}."
        if top[0]
        else f"{who} by the number of classes that each teaches; each number counts fewer than {small}."
    )
    bins_of = [float(n) for n in range(int(min(counts)), int(max(counts)) + 1)]
    drawn = figures.columns([counts.get(start) or 0 for start in bins_of], [f"{start:.0f}" for start in bins_of])
    table = figures.table("Teachers by the number of their classes", ["Classes", "Teachers"], lines, numbers=(1,))
    return figures.figure("load", drawn, sentence, table)


def lms(its: School) -> Raw:
    """Return the section of the learning platform."""
    title = "Learning platform"
    if "lms_memberships" in its.of.not_given:
        return figures.section("lms", title, paragraph(words.not_given("lms_memberships")))
    rows = its.rows["lms"]
    if not rows:
        return figures.section("lms", title, paragraph("The platform has no class of this school."))
    out = [row for row in rows if row["kind"] != "in_both"]
    members = sum(row["members"] or 0 for row in out)
    hidden = sum(row["hidden"] for row in out)
    sentence = f"{words.plural(members, 'membership is', 'memberships are')} out of step with the roster" + (
        f"; of {words.plural(hidden, 'class', 'classes')} the number is hidden." if hidden else "."
    )
    if hidden and not members:
        sentence = f"Some memberships are out of step with the roster, but nowhere {its.of.small} of a class and kind: the numbers are hidden."
    lines = [
        [
            row["lms"],
            LMS.get(row["kind"], row["kind"]),
            words.count(row["classes"]),
            words.count(row["members"]),
            words.count(row["hidden"]),
        ]
        for row in sorted(rows, key=lambda row: (row["lms"], row["kind"]))
    ]
    heads = ["Platform", "Members who are", "Classes", "Members", "Classes that are hidden"]
    table = figures.table("Members of classes whom roster and platform have", heads, lines, numbers=(2, 3, 4))
    return figures.section("lms", title, paragraph(sentence), table)
