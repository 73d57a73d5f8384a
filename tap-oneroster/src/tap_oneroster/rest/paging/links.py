"""The header Link: the address of the next page, and whether it can be followed.

Offsets work with nearly every service. A Link is used if the service ignores offsets, and only if it stays at the
collection, keeps the query, and leads to another page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from string import digits
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

from ..._core.http.addresses import same_origin
from .answers import Answer, Link

_KEPT = ("filter", "sort", "orderBy")
"""Parameters that every page must keep; `limit` may be the service's own."""


def next_link(headers: Mapping[str, str], url: str) -> Link | None:
    """Return the next page that an answer to `url` names; None if it names none."""
    if not (text := headers.get("Link")):
        return None
    for entry in requests.utils.parse_header_links(text):
        if "next" in entry.get("rel", "").lower().split():
            if _differs_in_offset_only(entry["url"], url):
                return Link(entry["url"])
            try:
                target = urljoin(url, entry["url"])
                return Link(target, _fault(entry["url"], target, url))
            except ValueError:
                return Link("", "not an address")
    return None


def _differs_in_offset_only(target: str, url: str) -> bool:
    """True for the usual link, which needs no parsing."""
    beginning = url.rstrip(digits)
    return target != url and beginning.endswith("&offset=") and target.rstrip(digits) == beginning


def _fault(written: str, target: str, url: str) -> str | None:
    if written.startswith("~"):
        return "not an address"
    if not same_origin(target, url):
        return "another host"
    here, there = urlsplit(url), urlsplit(target)
    if here.path.rstrip("/") != there.path.rstrip("/") or there.username or there.password:
        return "another path"
    asked = dict(parse_qsl(here.query, keep_blank_values=True))
    kept = dict(parse_qsl(there.query, keep_blank_values=True))
    for name in _KEPT:
        if name in asked and kept.get(name) != asked[name]:
            return f"{name} left out"
    return "the same page again" if asked == kept else None


@dataclass(slots=True)
class Trail:
    """The sequence of pages along links."""

    follow: Callable[[str], Answer]
    fault: str | None = None
    """Why the last link was not followed."""

    def __call__(self, link: Link | None) -> Iterator[Answer]:
        """Yield answers until one has no next page or one that cannot be followed."""
        read: set[int] = set()
        while link:
            self.fault = link.fault
            if not self.fault and hash(link.url) in read:
                self.fault = "the same page again"
            if self.fault:
                return
            read.add(hash(link.url))
            answer = self.follow(link.url)
            link = answer.link
            yield answer
