"""Parts that several pages have: the five numbers, what was not given, the frame, and the words about what is hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _figures as figures
from .._figures import Raw, element
from . import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .contents import Contents

MEASURES = {
    "enrolled": ("enrolled", "Students enrolled", False),
    "attendance": ("attendance_rate", "Attendance this week", True),
    "mean-percent": ("mean_percent", "Mean percent to date", True),
    "missing-rate": ("missing_rate", "Work missing, four weeks", True),
    "on-worklist": ("on_worklist", "On the worklist", False),
}
"""The five numbers by the id that each has on a page: the measure, what it is called, and whether it is a percent."""
USED = {
    "attendance": "the attendance",
    "calendar_days": "the calendar of school days",
    "final_grades": "the final grades",
    "licences": "the licences",
    "lms_memberships": "the memberships of the learning platform",
    "staff_fte": "the full-time equivalents of staff",
    "vendor_activity": "the activity of vendors",
}
"""What an input is called within a sentence."""
OF_SCHOOLS = ("attendance", "calendar_days", "final_grades", "lms_memberships")
"""Inputs from which the pages of schools are made."""
OPEN = 40
"""Rows of a table that are open; the others are folded."""
FEW = 12
"""The same of a table of which the first rows say most, so that what comes after it is not far down."""
MOST = 400
BYTES = 90_000
"""Rows of a table, open and folded, at most, and how large they are together as they are written: a page has 500 kB for all of its parts."""


def paragraph(*texts: object, kind: str | None = None) -> Raw:
    """Return a paragraph."""
    return element("p", *texts, class_=kind)


def items(texts: Iterable[object]) -> Raw:
    """Return a list; a sentence if there is nothing in it."""
    found = [element("li", text) for text in texts]
    return element("ul", *found) if found else paragraph("Nothing.")


def big_numbers(of: Contents, now: dict[str, Any], before: dict[str, Any], notes: dict[str, str] | None = None) -> Raw:
    """Return the five numbers, by measure, each with how it moved since last week."""
    cells = []
    is_judged = any(now.get(measure) is not None for measure in ("attendance_rate", "mean_percent", "missing_rate"))
    for name, (measure, label, is_rate) in MEASURES.items():
        value = now.get(measure)
        if value is None:
            is_given = "attendance" not in of.not_given or measure != "attendance_rate"
            is_hidden = now.get("is_hidden", False) or (measure == "on_worklist" and is_judged and not of.is_restricted)
            text = "not given" if not is_given else words.fewer(of.small) if is_hidden else "not known"
            note = _why(of, is_given=is_given, is_hidden=is_hidden)
        else:
            text = words.percent(value, now.get("enrolled"), 1) if is_rate else words.count(value)
            note = words.moved(value, before.get(measure), is_rate=is_rate)
        note = (notes or {}).get(measure) or note
        data = element("data", text, id=name, value="" if value is None else f"{value:.4f}".rstrip("0").rstrip("."))
        cells.append(element("li", element("span", label), data, element("span", note, class_="soft") if note else ""))
    return element("ul", *cells, class_="big")


def _why(of: Contents, *, is_given: bool, is_hidden: bool) -> str:
    if not is_given:
        return "see what was not given"
    if is_hidden:
        return f"it, or what it would tell of others, counts fewer than {of.small} students"
    return "no result that counts"


def not_given(of: Contents, inputs: Sequence[str]) -> Raw:
    """Return the section that says what of some inputs was not given, and what of the given could not be used."""
    sentences = [words.not_given(name) for name in of.not_given if name in inputs]
    for row in of.inputs:
        if row["input"] not in inputs:
            continue
        unused = row["unmatched"] + row["rejected"]
        if row["given"] and unused:
            part = f"{words.count(unused)} of {words.count(row['rows'])} rows of {USED[row['input']]}"
            sentences.append(f"{part} could not be used: they name what the roster does not have, or cannot be read.")
    sentences += [
        f"Not all of {row['collection']} came with the last load." for row in of.feed if row["complete"] is False
    ]
    body = items(sentences) if sentences else paragraph("Everything was given.")
    return figures.section("not-given", "What was not given", body)


def fitting(lines: Sequence[Sequence[object]], most: int) -> Sequence[Sequence[object]]:
    """Return the first lines of a table that are not more than `most` bytes together, as they are written."""
    used = 0
    for n, line in enumerate(lines):
        used += 20 + sum(25 + len(figures.escape(cell).encode()) for cell in line)
        if used > most:
            return lines[:n]
    return lines


def folded(
    caption: str,
    heads: Sequence[str],
    lines: Sequence[Sequence[object]],
    numbers: Sequence[int],
    noun: str,
    *,
    most_open: int = OPEN,
    place: str = "the mart",
) -> Raw:
    """Return a table whose later rows are folded, and say how many are left out, and in which place they are."""
    kept = fitting(lines[:MOST], BYTES)
    shown = figures.table(caption, heads, kept[:most_open], numbers=numbers)
    left = len(lines) - len(kept)
    said = paragraph(f"{words.count(left)} more {noun} are in {place}.") if left else ""
    more = kept[most_open:]
    if not more:
        return Raw(f"{shown}{said}")
    rest = figures.table(f"{caption} (continued)", heads, more, numbers=numbers)
    return Raw(
        f"{shown}<details><summary>{words.count(len(more))} more {figures.escape(noun)}</summary>{rest}{said}</details>"
    )


def reading(of: Contents, *sentences: str) -> Raw:
    """Return the section that says how the page is to be read."""
    if of.is_restricted:
        hidden = "No number is hidden: this page is for those who may see every student of the school."
    else:
        hidden = (
            f"Numbers of fewer than {of.small} persons are hidden, and others that would tell them; rates of few students are cut at "
            "95 % and 5 %. A dash means that there is no number, or that it is hidden. Counts of the roster are shown as they are."
        )
    return figures.section(
        "reading",
        "How to read this",
        paragraph(f"The district as its roster stood on {words.day(of.today)}. {hidden}"),
        *(paragraph(sentence) for sentence in sentences),
    )


def framed(
    title: str, head: str, line: object, sections: Sequence[tuple[str, Raw]], *, over: object = "", banner: str = ""
) -> str:
    """Return a page.

    `sections` are pairs of the words for the list of contents, empty for none, and the section. The list stands after the first one,
    so that this is what is seen first, on a phone, too.
    """
    jumps = [
        element("li", element("a", text, href=f"#{name}"))
        for text, part in sections
        if text and (name := part.partition('aria-labelledby="')[2].partition('"')[0])
    ]
    contents = element("nav", element("ul", *jumps, class_="jump"), aria_label="On this page") if jumps else ""
    said = paragraph(banner, kind="banner") if banner else ""
    header = element("header", paragraph(over, kind="soft") if over else "", element("h1", head), paragraph(line), said)
    first, *rest = [part for _, part in sections]
    body = "\n".join([first, contents, *rest])
    return figures.page(
        title, Raw(f'{header}\n<main id="main" tabindex="-1">\n{body}</main>'), skip="Skip to the numbers"
    )
