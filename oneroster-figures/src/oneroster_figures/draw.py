"""Nine figures: bar, diverging bar, sparkline, stacked share, slope, calendar strip; columns, strip of dots, dot with interval.

Colours are classes of the page's style (`a` to `h`), so that dark mode and print can change them. Nothing is said by
colour alone: words and numbers stand beside each figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .svg import Raw, element, svg

if TYPE_CHECKING:
    from collections.abc import Sequence

PALETTE = "abcdefgh"


def bar(value: float, largest: float, width: float = 120, height: float = 12) -> Raw:
    """Draw one bar of a list; `largest` is the longest of all."""
    length = width * min(1, value / largest) if largest > 0 else 0
    return svg(width, height, _track(width, height), element("rect", width=length, height=height, class_="a"))


def diverging(removed: int, added: int, before: int, width: float = 120, height: float = 12) -> Raw:
    """Draw the share lost to the left and the share gained to the right; the middle is the baseline."""
    half = width / 2
    left = half * min(1, removed / before) if before else 0
    right = half * min(1, added / before) if before else (half if added else 0)
    return svg(
        width,
        height,
        _track(width, height),
        element("rect", x=half - left, width=left, height=height, class_="lost"),
        element("rect", x=half, width=right, height=height, class_="gained"),
        element("line", x1=half, x2=half, y1=0, y2=height, class_="axis"),
    )


def sparkline(values: Sequence[float], width: float = 90, height: float = 18, least: float = 0) -> Raw:
    """Draw a line of values over nights, the oldest left, with a dot on the newest.

    The height shows a span of `least` or more, so that small changes look small.
    """
    if not values:
        return svg(width, height)
    low, high = min(values), max(values)
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    span = (high - low) or 1
    step = (width - 6) / max(1, len(values) - 1)
    points = [(3 + n * step, 3 + (height - 6) * (1 - (v - low) / span)) for n, v in enumerate(values)]
    if high == low:
        points = [(x, height / 2) for x, _ in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    last = element("circle", cx=points[-1][0], cy=points[-1][1], r=2.5, class_="dot")
    return svg(width, height, element("polyline", points=path, class_="line"), last)


def share(parts: Sequence[float], width: float = 320, height: float = 16) -> Raw:
    """Draw parts of a whole beside one another; each has the colour and the pattern of its place."""
    total = sum(parts)
    x, drawn = 0.0, []
    for n, part in enumerate(parts):
        length = width * part / total if total else 0
        drawn.append(element("rect", x=x, width=length, height=height, class_=f"{PALETTE[n % len(PALETTE)]} part"))
        x += length
    return svg(width, height, *drawn)


def slope(before: float, now: float, width: float = 60, height: float = 24) -> Raw:
    """Draw two shares (0 to 1), before and now, joined by a line."""
    one, two = ((height - 6) * (1 - min(1, max(0, v))) + 3 for v in (before, now))
    return svg(
        width,
        height,
        element("line", x1=4, x2=width - 4, y1=one, y2=two, class_="line"),
        element("circle", cx=4, cy=one, r=2.5, class_="dot"),
        element("circle", cx=width - 4, cy=two, r=2.5, class_="dot"),
    )


def calendar(words: Sequence[str], marks: dict[str, str], size: float = 10) -> Raw:
    """Draw a strip of nights, a square each; `marks` gives the class of a word."""
    squares = [
        element("rect", x=n * (size + 2), width=size, height=size, class_=marks.get(word, "none"))
        for n, word in enumerate(words)
    ]
    return svg(max(1.0, len(words) * (size + 2)), size, *squares)


def columns(values: Sequence[float], labels: Sequence[str], width: float = 40, height: float = 110) -> Raw:
    """Draw a column for each value on one base line, the first left, with the value above and its label below: a histogram."""
    largest = max(values, default=0)
    base = height - 18
    drawn: list[Raw] = []
    for n, (value, label) in enumerate(zip(values, labels, strict=True)):
        length = (base - 16) * value / largest if largest else 0
        middle = (n + 0.5) * width
        drawn.append(
            element("rect", x=middle - width * 0.4, y=base - length, width=width * 0.8, height=length, class_="a")
        )
        drawn.append(element("text", label, x=middle, y=height - 4))
        if value:
            drawn.append(element("text", f"{value:,.0f}", x=middle, y=base - length - 4))
    whole = max(1, len(values)) * width
    return svg(whole, height, *drawn, element("line", x1=0, x2=whole, y1=base, y2=base, class_="axis"))


def strip(values: Sequence[float], largest: float, middle: float | None, width: float = 160, height: float = 18) -> Raw:
    """Draw a dot for each value from 0 to `largest`, and a line at the middle one; dots on one another are darker."""

    def place(value: float) -> float:
        return 4 + (width - 8) * (min(1, value / largest) if largest > 0 else 0)

    dots = [element("circle", cx=place(value), cy=height / 2, r=3.5, class_="a thin") for value in values]
    line = (
        [] if middle is None else [element("line", x1=place(middle), x2=place(middle), y1=0, y2=height, class_="axis")]
    )
    return svg(
        width, height, element("line", x1=4, x2=width - 4, y1=height / 2, y2=height / 2, class_="rule"), *dots, *line
    )


def interval(value: float, low: float, high: float, width: float = 160, height: float = 18) -> Raw:
    """Draw a percent as a dot on a line from 0 to 100, with the interval in which it lies as a thicker line."""

    def place(percent: float) -> float:
        return 4 + (width - 8) * min(1, max(0, percent / 100))

    y = height / 2
    return svg(
        width,
        height,
        element("line", x1=4, x2=width - 4, y1=y, y2=y, class_="rule"),
        element("line", x1=place(low), x2=place(high), y1=y, y2=y, class_="span"),
        element("circle", cx=place(value), cy=y, r=4, class_="dot"),
    )


def _track(width: float, height: float) -> Raw:
    return element("rect", width=width, height=height, class_="track")
