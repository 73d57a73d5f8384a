"""The frame of a page: one file that needs nothing else, readable on paper, on a phone, and by a screen reader."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from .svg import Raw, element, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
CSS = files(__package__ or __name__).joinpath("page.css").read_text(encoding="utf-8")


def page(title: str, body: Raw, *, lang: str = "en", skip: str = "Skip to the verdict") -> str:
    """Return a whole page; `skip` are the words of the link to what matters, the element of id `main`."""
    style = Raw("\n".join(line.strip() for line in CSS.splitlines() if line.strip()))
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(lang)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{CSP}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        '<meta name="robots" content="noindex">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}\n</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#main">{escape(skip)}</a>\n{body}\n</body>\n</html>\n'
    )


def section(name: str, title: str, *parts: object) -> Raw:
    """Return a section of a page; `name` is the id of its heading, the only one of that name on the page."""
    inside = "".join(map(escape, parts))
    return Raw(
        f'<section aria-labelledby="{escape(name)}">\n<h2 id="{escape(name)}">{escape(title)}</h2>\n{inside}\n</section>\n'
    )


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[int] = ()) -> Raw:
    """Return a table that scrolls sideways by itself; the first cell of a row is its header.

    `numbers` are the columns that are right-aligned.
    """
    right = set(numbers)
    head = "".join(element("th", text, scope="col", class_="n" if n in right else None) for n, text in enumerate(heads))
    lines = []
    for row in rows:
        first, *rest = row
        cells = [element("th", first, scope="row")]
        cells += [element("td", cell, class_="n" if n in right else None) for n, cell in enumerate(rest, 1)]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    inner = f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return Raw(
        f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0"><table>{inner}</table></div>'
    )


def figure(name: str, drawing: Raw, sentence: str, its_table: Raw) -> Raw:
    """Return a figure: the drawing, a sentence that says what it shows, and its table, folded.

    `name` is an id, the only one of that name on the page.
    """
    return Raw(
        f'<figure><div role="img" aria-labelledby="{escape(name)}">{drawing}</div>'
        f'<figcaption id="{escape(name)}">{escape(sentence)}</figcaption></figure>'
        f"<details><summary>The numbers of this figure</summary>{its_table}</details>"
    )
