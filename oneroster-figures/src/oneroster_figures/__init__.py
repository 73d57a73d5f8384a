"""Figures as inline SVG, and the frame of static pages: no script, no request, no font.

The figures are rectangles, lines and text, so plain SVG is enough. Altair with vl-convert draws the same at 15 KB a
figure, 265 MB of memory and four seconds of CPU time at the start; these are under 1 KB and need the standard library
only.
"""

from __future__ import annotations

from .draw import bar, calendar, columns, diverging, interval, share, slope, sparkline, strip
from .frame import CSP, CSS, figure, page, section, table
from .svg import Raw, element, escape

__all__ = [
    "CSP",
    "CSS",
    "Raw",
    "bar",
    "calendar",
    "columns",
    "diverging",
    "element",
    "escape",
    "figure",
    "interval",
    "page",
    "section",
    "share",
    "slope",
    "sparkline",
    "strip",
    "table",
]
