"""What of a page matters to a screen reader, and the rules that every page of the project keeps."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Outline(HTMLParser):
    """What of a page matters to a screen reader."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    def all(self, *tags: str) -> list[dict[str, Any]]:
        return [attrs for tag, attrs in self.tags if tag in tags]


def assert_static(text: str) -> Outline:
    """Nothing is run and nothing is fetched, and the browser is told so."""
    page = Outline(text)
    assert not {"script", "link", "iframe", "img", "object", "form", "base"} & {tag for tag, _ in page.tags}
    assert not [key for _, attrs in page.tags for key in attrs if key.startswith("on") or key == "src"]
    assert "url(" not in text
    assert "@import" not in text
    (csp,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert csp.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    return page


def assert_in_order(page: Outline) -> None:
    """A language, a skip link, headings in order, unique ids, tables with caption and scope, figures with a sentence."""
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("a")[0] == {"class": "skip", "href": "#main"}
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    named = [attrs["aria-labelledby"] for _, attrs in page.tags if "aria-labelledby" in attrs]
    assert set(named) <= set(ids)
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(th.get("scope") in ("col", "row") for th in page.all("th"))
    assert all(svg["aria-hidden"] == "true" for svg in page.all("svg"))
    assert len(page.all("main")) == 1
    assert [a["name"] for a in page.all("meta") if a.get("name") == "viewport"] == ["viewport"]
