"""The page of the loads of teachers: how many teach how much; no teacher is named."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from .. import _figures as figures
from .._figures import Raw, element
from . import parts, words
from .parts import paragraph

if TYPE_CHECKING:
    from ..reader import Reader, Row
    from .contents import Contents

MEASURES = {
    "sections": ("Classes", "the number of their classes"),
    "sections_shared": (
        "Classes, shared ones in part",
        "the number of their classes, each divided by the number of its teachers",
    ),
    "preps": ("Courses to prepare", "the number of different courses"),
    "students": ("Students", "the number of their students"),
    "seats": ("Places", "the number of places in their classes"),
}
SCHOOLS = 200


def teachers_page(reader: Reader, of: Contents) -> str:
    """Return the page, of what is shared."""
    loads = reader.table("shared.teacher_load_distribution")
    by_measure: defaultdict[str, list[Row]] = defaultdict(list)
    for row in reader.rows(f"select * from {loads}"):
        if of.is_current(row["term_id"]):
            by_measure[row["measure"]].append(row)
    sections: list[tuple[str, Raw]] = []
    for measure, (title, sentence) in MEASURES.items():
        sections.append((title, _measure(of, measure, title, sentence, by_measure.get(measure, []))))
    sections.append(("", parts.not_given(of, ("staff_fte",))))
    sections.append(("How to read this", parts.reading(of, READING)))
    over = element("a", "All schools", href="index.html")
    line = f"Terms that go on, as of {words.day(of.today)}. No teacher is named."
    return parts.framed("Loads of teachers - district page", "Loads of teachers", line, sections, over=over)


READING = "A teacher of two schools or two terms counts in each. Whoever is counted in a number that is left out is in no sum."


def _measure(of: Contents, measure: str, title: str, words_of: str, rows: list[Row]) -> Raw:
    shown = [row for row in rows if row["teachers"] is not None]
    if not shown:
        return figures.section(measure, title, paragraph("No number of teachers may be shown, or none is known."))
    counts: defaultdict[tuple[float, float], float] = defaultdict(float)
    schools: defaultdict[str, dict[str, float]] = defaultdict(lambda: {"n": 0.0, "sum": 0.0, "hidden": 0.0})
    for row in rows:
        its = schools[row["school_id"]]
        if row["teachers"] is None:
            its["hidden"] += 1
            continue
        counts[row["bin_from"], row["bin_to"]] += row["teachers"]
        its["n"] += row["teachers"]
        its["sum"] += row["teachers"] * (row["bin_from"] + row["bin_to"] - 1) / 2
    bins = sorted(counts)
    width = bins[0][1] - bins[0][0]
    steps = [bins[0][0] + n * width for n in range(int((bins[-1][0] - bins[0][0]) / width) + 1)]
    drawn = figures.columns(
        [counts.get((start, start + width), 0) for start in steps],
        [_bin((start, start + width)) for start in steps],
        32 + 24 * (width > 1),
    )
    most = max(bins, key=lambda its: counts[its])
    hidden = len(rows) - len(shown)
    sentence = f"{words.plural(sum(counts.values()), 'teacher is', 'teachers are')} shown, by {words_of}; most of them have {_bin(most)}."
    if hidden:
        sentence += f" {words.plural(hidden, 'number of a school is', 'numbers of schools are')} left out, which count fewer than {of.small} or would tell of fewer."
    table = figures.table(
        f"Teachers by {words_of}",
        [title, "Teachers"],
        [[_bin(its), words.count(counts[its])] for its in bins],
        numbers=(1,),
    )
    return figures.section(
        measure, title, figures.figure(f"f-{measure}", drawn, sentence, table), _schools(of, title, schools)
    )


def _bin(its: tuple[float, float]) -> str:
    start, end = its
    return f"{start:.0f}" if end - start == 1 else f"{start:.0f}\N{EN DASH}{end - 1:.0f}"


def _schools(of: Contents, title: str, schools: dict[str, dict[str, Any]]) -> Raw:
    lines = [
        [of.name("school", school), f"{its['sum'] / its['n']:.1f}", words.count(its["n"]), words.count(its["hidden"])]
        for school, its in sorted(schools.items(), key=lambda pair: (-(pair[1]["sum"] / (pair[1]["n"] or 1)), pair[0]))
        if its["n"]
    ]
    left = len(schools) - len(lines[:SCHOOLS])
    said = paragraph(f"{words.plural(left, 'school is', 'schools are')} hidden or left out.") if left else ""
    heads = ["School", "On average, about", "Teachers", "Numbers left out"]
    inner = figures.table(f"{title} of a teacher by school, the most first", heads, lines[:SCHOOLS], numbers=(1, 2, 3))
    return Raw(f"<details><summary>By school</summary>{inner}{said}</details>")
