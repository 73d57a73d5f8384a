"""The pages in a browser: axe finds nothing, nothing is fetched, nothing is wider than a phone; and the pictures of the docs."""

from __future__ import annotations

import importlib
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.browser import launched

from .pictures import ASSETS, PICTURES, WIDTHS, take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .warehouses import Desk

pytestmark = pytest.mark.slow
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = (
    "index.html",
    "licences.html",
    "teachers.html",
    "school/00003.html",
    "counsellor/00003.html",
    "class-membership/00002.html",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


@pytest.mark.parametrize("mode", ["light", "dark", "print", "320 px"])
def test_in_a_browser(browser: Any, restricted_site: Path, tmp_path: Path, mode: str) -> None:
    """Each kind of page, opened as a file."""
    axe = importlib.import_module("axe_playwright_python.sync_playwright")
    size = {"width": 320 if mode == "320 px" else 1100, "height": 900}
    scheme = "dark" if mode == "dark" else "light"
    context = browser.new_context(color_scheme=scheme, viewport=size, bypass_csp=True)  # for axe's own script
    for name in PAGES:
        page = context.new_page()
        requests: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request, seen=requests: seen.append(request.url))
        page.on("console", lambda message, seen=errors: seen.append(message.text))
        page.emulate_media(media="print" if mode == "print" else "screen", color_scheme=scheme)
        page.goto((restricted_site / name).as_uri())
        found = axe.Axe().run(page, options={"runOnly": RULES})
        assert not [(v["id"], v["nodes"][0]["target"]) for v in found.response["violations"]], (name, mode)
        assert requests == [(restricted_site / name).as_uri()]
        assert errors == []
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, name
        heads = page.evaluate("[...document.querySelectorAll('h2')].map(h => h.getBoundingClientRect().top)")
        assert heads == sorted(heads)
        if mode == "print":
            page.pdf(path=str(tmp_path / "page.pdf"), format="A4")
            assert len(re.findall(rb"/Type\s*/Page[^s]", (tmp_path / "page.pdf").read_bytes())) <= 60
        page.close()
    context.close()


def test_no_column_is_cut_off_on_paper(browser: Any, restricted_site: Path) -> None:
    """Between the margins of an A4 sheet, which is 680 pixels, each table ends before the sheet does; paper is not scrolled."""
    page = browser.new_page(viewport={"width": 680, "height": 1000})
    page.emulate_media(media="print")
    for name in PAGES:
        page.goto((restricted_site / name).as_uri())
        rights = page.evaluate("[...document.querySelectorAll('table')].map(t => t.getBoundingClientRect().right)")
        assert rights
        assert max(rights) <= 680, name
    page.close()


@pytest.mark.parametrize(("width", "height"), [(1100, 700), (320, 1150)])
def test_the_five_numbers_are_seen_first(browser: Any, site: Path, width: int, height: int) -> None:
    """Without scrolling on a desk, and at the top of the page on a phone; the words that lead to class sizes are beneath."""
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto((site / "school" / "00003.html").as_uri())
    boxes = [page.locator(f"data#{name}").bounding_box() for name in ("enrolled", "on-worklist")]
    assert all(box["y"] + box["height"] < height for box in boxes)
    link = page.get_by_role("link", name="Class sizes by grade")
    assert link.bounding_box()["y"] > boxes[-1]["y"]
    link.click()
    assert page.locator("#grades").bounding_box()["y"] < 100
    page.get_by_role("row", name="Grade 10").first.wait_for()
    context.close()


def test_it_is_read_with_the_keyboard(browser: Any, site: Path) -> None:
    """The first stop leads past the head to the numbers; tables that scroll can be reached."""
    page = browser.new_page()
    page.goto((site / "school" / "00003.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.className"))
    assert {"A ", "DIV wide", "SUMMARY "} <= reached
    page.close()


def test_six_students_are_printed_on_a_page(browser: Any, restricted_site: Path, tmp_path: Path) -> None:
    text = (restricted_site / "counsellor" / "00003.html").read_text(encoding="utf-8")
    cards = len(re.findall(r"<li><p>", text))
    page = browser.new_page()
    page.goto((restricted_site / "counsellor" / "00003.html").as_uri())
    for paper in ("A4", "Letter"):
        page.pdf(path=str(tmp_path / "page.pdf"), format=paper)
        printed = len(re.findall(rb"/Type\s*/Page[^s]", (tmp_path / "page.pdf").read_bytes()))
        assert cards / 6 < printed <= cards / 6 + 6
    page.close()


def test_the_pictures_of_the_docs_are_those_of_the_pages(browser: Any, town: Desk, tmp_path: Path) -> None:
    """Of the same size as what is drawn now; `.marts/bin/python -m tests.marts.pictures` takes them anew."""
    taken = take(browser, town, tmp_path)
    assert taken == sorted(PICTURES)
    for name in taken:
        now, kept = (struct.unpack(">II", (folder / name).read_bytes()[16:24]) for folder in (tmp_path, ASSETS))
        assert now == kept, name
        assert now[0] in WIDTHS
        assert (tmp_path / name).stat().st_size > 20_000, "it is not blank"
    page = (ASSETS.parent / "marts-pages.md").read_text(encoding="utf-8")
    assert [name for name in PICTURES if f"assets/{name}" not in page] == []
