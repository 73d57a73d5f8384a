"""SVG as text, with everything escaped that comes from outside."""

from __future__ import annotations

import html
from typing import Any


class Raw(str):
    """Markup that is safe as it stands."""

    __slots__ = ()

    def __html__(self) -> str:
        """Tell Jinja that this is markup."""
        return str(self)


def escape(value: object) -> Raw:
    """Return a value as text of HTML; markup that is safe stays as it is."""
    if isinstance(value, Raw):
        return value
    return Raw(html.escape(str(value), quote=True))


def element(name: str, *inside: object, **attributes: Any) -> Raw:
    """Return one element. `class_` is written as class; attributes that are None are left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Raw(f"<{name}{written}>{''.join(map(escape, inside))}</{name}>")


def svg(width: float, height: float, *inside: object) -> Raw:
    """Return a drawing. It says nothing by itself: the sentence and the table beside it do."""
    return element(
        "svg",
        *inside,
        viewBox=f"0 0 {_short(width)} {_short(height)}",
        width=width,
        height=height,
        aria_hidden="true",
        focusable="false",
    )


def _short(value: object) -> object:
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
