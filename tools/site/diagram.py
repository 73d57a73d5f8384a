"""Diagrams of tables and keys: the model's references as lines between boxes, in SVG.

The positions of boxes are set by hand; their content and the lines come from the model. Tables are to the right of
those they refer to; lines to one table share a path and the table's colour.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from html import escape

import oneroster_core.model as model

# Columns from left to right, each a list of tables from top to bottom. Tables of other services are shown by name only.
LAYOUT: dict[str, list[list[str]]] = {
    "rostering": [
        ["academicSessions", "orgs"],
        ["courses", "users"],
        ["classes", "userProfiles", "demographics"],
        ["enrollments", "roles"],
    ],
    "gradebook": [
        ["classes", "courses", "academicSessions", "orgs", "users"],
        ["categories", "scoreScales"],
        ["lineItems", "assessmentLineItems"],
        ["results", "lineItemLearningObjectiveIds", "lineItemScoreScales", "assessmentResults"],
        ["resultLearningObjectiveIds", "resultScoreScales"],
    ],
    "resources": [
        ["classes", "courses", "users", "orgs"],
        ["resources"],
        ["classResources", "courseResources", "userResources"],
    ],
}
COLOURS = ("#1976d2", "#2e7d32", "#ad1457", "#e65100", "#8e44ad", "#00838f", "#9e6b00", "#8d6e63", "#607d8b", "#b71c1c")
HEAD, LINE, PAD, GAP, LANE = 28, 20, 12, 34, 9
LETTER = 7.3
"""Width of a letter of the 12 px monospaced text."""


@dataclass(frozen=True, slots=True)
class Box:
    """A table with its position and its rows."""

    file: model.File
    ghost: bool
    column: int
    x: float
    y: float
    width: float

    @property
    def rows(self) -> list[model.Field]:
        """Keys and references; empty for a table of another service."""
        return [] if self.ghost else [f for f in self.file.fields if f.name == "sourcedId" or f.refers_to]

    @property
    def more(self) -> int:
        """Number of columns that are not shown."""
        return len(self.file.fields) - len(self.rows)

    @property
    def height(self) -> float:
        """Height of header, rows and the line that counts the rest."""
        return HEAD if self.ghost else HEAD + LINE * (len(self.rows) + 1) + 6

    def row_y(self, field: model.Field) -> float:
        """Return the vertical middle of a row."""
        return self.y + HEAD + 4 + LINE * (self.rows.index(field) + 0.5)


def _width(names: list[str], service: str) -> float:
    shown = []
    for name in names:
        file = model.file(name)
        shown.append(len(name) + 3)
        if file.service.value == service:
            shown += [len(f.name) + 3 for f in file.fields if f.refers_to]
    return max(shown) * LETTER + 2 * PAD


class Drawing:
    """The boxes of a service, and the lines between them."""

    def __init__(self, service: str) -> None:
        columns = LAYOUT[service]
        place = {name: number for number, names in enumerate(columns) for name in names}
        wanted = [
            (file.name, field)
            for file in model.FILES
            if file.service.value == service
            for field in file.fields
            if field.refers_to and field.refers_to != file.name
        ]
        targets = list(dict.fromkeys(str(field.refers_to) for _, field in wanted))
        targets.sort(key=lambda name: (place[name], columns[place[name]].index(name)))
        self.colour = {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(targets)}
        far = [t for t in targets if any(f.refers_to == t and place[s] - place[t] > 1 for s, f in wanted)]
        self.lane_y = {name: 8 + LANE * n for n, name in enumerate(far)}
        top = 8 + LANE * len(far) + 16
        # Lanes in the channel left of each column: tables that its boxes refer to, and ends of long lines.
        self.channel: dict[int, dict[str, float]] = defaultdict(dict)
        for number in range(len(columns) + 1):
            here = [
                t
                for t in targets
                if any(f.refers_to == t and place[s] == number for s, f in wanted)
                or (t in far and place[t] == number - 1)
            ]
            self.channel[number] = dict.fromkeys(here, 0.0)
        self.boxes: dict[str, Box] = {}
        x = 10.0
        for number, names in enumerate(columns):
            if number or self.channel[0]:
                x += 14
                for name in self.channel[number]:
                    self.channel[number][name] = x
                    x += LANE
                x += 14
            width, y = _width(names, service), top + 0.0
            for name in names:
                ghost = model.file(name).service.value != service
                self.boxes[name] = box = Box(model.file(name), ghost, number, x, y, width)
                y += box.height + GAP
            x += width
        self.wanted = wanted
        self.width = x + 12
        self.height = max(box.y + box.height for box in self.boxes.values()) + 12

    def lines(self) -> list[str]:
        """Return a line from each reference to its table."""
        drawn = []
        for source, field in self.wanted:
            name = str(field.refers_to)
            drawn.append(self._line(self.boxes[source], field, self.boxes[name]))
        return drawn

    def _line(self, source: Box, field: model.Field, target: Box) -> str:
        name = target.file.name
        y, aim = source.row_y(field), target.y + HEAD / 2
        lane = self.channel[source.column][name]
        points = [(source.x, y), (lane, y)]
        if target.column == source.column:
            points += [(lane, aim), (target.x - 2, aim)]
        else:
            if target.column < source.column - 1:
                down = self.channel[target.column + 1][name]
                points += [(lane, self.lane_y[name]), (down, self.lane_y[name])]
                lane = down
            points += [(lane, aim), (target.x + target.width + 2, aim)]
        path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        colour = self.colour[name]
        title = escape(f"{source.file.name}.{field.name} refers to {name}")
        return (
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-linejoin="round" '
            f'marker-end="url(#to-{name})"><title>{title}</title></path>'
        )

    def box(self, box: Box) -> list[str]:
        """Return a table as a box."""
        name = box.file.name
        kind = "other" if box.ghost else "own"
        page = "" if not box.ghost else f"{box.file.service.value}.html"
        colour = self.colour.get(name, "#607d8b")
        faint = ' fill-opacity="0.75"' if box.ghost else ""
        drawn = [
            f'<rect class="box {kind}" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="5"/>',
            (
                f'<a href="{page}#{name.lower()}"><rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{HEAD}" '
                f'rx="5" fill="{colour}"{faint}/>'
                f'<text class="head" x="{box.x + PAD:.1f}" y="{box.y + 19:.1f}">{name}</text></a>'
            ),
        ]
        for field in box.rows:
            key = field.name == "sourcedId"
            own = "↺ " if field.refers_to == name else ""
            tint = self.colour.get(field.refers_to or "", "currentColor") if not own else "currentColor"
            mark = "key" if key else "ref"
            drawn.append(
                f'<text class="{mark}" x="{box.x + PAD:.1f}" y="{box.row_y(field) + 4:.1f}">{own}{field.name}'
                f"{' []' if field.kind.is_list else ''}</text>"
                + (
                    f'<circle cx="{box.x:.1f}" cy="{box.row_y(field):.1f}" r="3" fill="{tint}"/>'
                    if field.refers_to and not own
                    else ""
                )
            )
        if not box.ghost:
            y = box.y + HEAD + 4 + LINE * (len(box.rows) + 0.5) + 4
            drawn.append(f'<text class="more" x="{box.x + PAD:.1f}" y="{y:.1f}">and {box.more} more</text>')
        return drawn


STYLE = (
    "text{font:12px/1 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:var(--md-default-fg-color,#222)}"
    ".head{fill:#fff;font-weight:bold}.key{font-weight:bold}.more{font-style:italic;opacity:.6}"
    ".box{fill:var(--md-default-bg-color,#fff);stroke:var(--md-default-fg-color--light,#888)}.other{stroke-dasharray:4 3}"
)


def svg(service: str) -> str:
    """Return the diagram of a service."""
    drawing = Drawing(service)
    markers = "".join(
        f'<marker id="to-{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
        for name, colour in drawing.colour.items()
    )
    parts = [*drawing.lines(), *(line for box in drawing.boxes.values() for line in drawing.box(box))]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="group" aria-label="Tables and keys: {service}" '
        f'width="{drawing.width:.0f}" height="{drawing.height:.0f}" viewBox="0 0 {drawing.width:.0f} {drawing.height:.0f}">'
        f"<style>{STYLE}</style><defs>{markers}</defs>{''.join(parts)}</svg>"
    )


def of_service(service: str) -> str:
    """Return the diagram in the form that a page includes."""
    return f'<div class="diagram" markdown="0">{svg(service)}</div>\n'
