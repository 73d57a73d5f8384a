"""Figures as inline SVG, and the frame of static pages: no script, no request, no font.

The six figures are rectangles, lines and text, so plain SVG is enough. Altair with vl-convert draws the same at 15 KB a
figure, 265 MB of memory and four seconds of CPU time at the start; these are under 1 KB and need the standard library
only.
"""

from __future__ import annotations

from .draw import bar, calendar, diverging, share, slope, sparkline
from .frame import CSP, CSS, figure, page, table
from .svg import Raw, escape

__all__ = [
    "CSP",
    "CSS",
    "Raw",
    "bar",
    "calendar",
    "diverging",
    "escape",
    "figure",
    "page",
    "share",
    "slope",
    "sparkline",
    "table",
]
