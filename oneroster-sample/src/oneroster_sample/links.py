"""The Link header: correct addresses of other pages, or wrong ones if a knob is set."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .knobs import Knobs

TOKEN = "pageToken"  # noqa: S105
"""Name of the parameter that holds a place, if `Knobs.link_tokens` is set."""


def start_of(query: Mapping[str, str], offset: int, knobs: Knobs) -> int:
    """Return the start of a page: the offset, the token's place, or always 0, as the knobs say."""
    if knobs.ignore_offset:
        return 0
    if not knobs.link_tokens:
        return offset
    try:
        return int(urlsafe_b64decode(query.get(TOKEN, "")).decode().removeprefix("row "))
    except ValueError:
        return 0


def link_header(address: str, query: Mapping[str, str], knobs: Knobs, *, limit: int, start: int, total: int) -> str:
    """Return links to the first, last, next and previous page, as the knobs define them."""
    places = {"first": 0, "last": max(0, (total - 1) // limit * limit)}
    if start + limit < total:
        places["next"] = start + limit
    if start:
        places["prev"] = max(0, start - limit)
    if knobs.link_fault == "loop":
        places["next"] = min(limit, total)
    root, host, path = address.partition(address.split("/", 3)[2])
    if knobs.link_fault == "tilde":
        root, host = "~", ""
    elif knobs.link_fault == "host":
        host = "inside.example"
    return ", ".join(
        f'<{root}{host}{path}?{_query(query, limit, place, knobs)}>; rel="{rel}"' for rel, place in places.items()
    )


def _query(query: Mapping[str, str], limit: int, place: int, knobs: Knobs) -> str:
    changed = {**query, "limit": str(limit), "offset": str(place)}
    if knobs.link_tokens:
        del changed["offset"]
        changed[TOKEN] = urlsafe_b64encode(f"row {place}".encode()).decode()
    if knobs.link_fault == "unfiltered":
        changed.pop("filter", None)
    return urlencode(changed, quote_via=quote)
