"""The page in a browser: axe finds nothing, nothing is fetched, and nothing is wider than a phone."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.audit.conftest import STATES
from tests.audit.nights import district, lost_from, rebuilt
from tests.support.browser import launched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.audit.conftest import Desk

pytestmark = pytest.mark.slow
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


@pytest.mark.parametrize("mode", ["light", "dark", "print", "320 px"])
def test_in_a_browser(browser: Any, pages: dict[str, str], tmp_path: Path, mode: str) -> None:
    """Each state of the page, opened as a file."""
    axe = importlib.import_module("axe_playwright_python.sync_playwright")
    size = {"width": 320 if mode == "320 px" else 1100, "height": 900}
    scheme = "dark" if mode == "dark" else "light"
    context = browser.new_context(color_scheme=scheme, viewport=size, bypass_csp=True)  # for axe's own script
    for state in STATES:
        path = tmp_path / "page.html"
        path.write_text(pages[state], encoding="utf-8")
        page = context.new_page()
        requests: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request, seen=requests: seen.append(request.url))
        page.on("console", lambda message, seen=errors: seen.append(message.text))
        page.emulate_media(media="print" if mode == "print" else "screen", color_scheme=scheme)
        page.goto(path.as_uri())
        found = axe.Axe().run(page, options={"runOnly": RULES})
        assert not [(v["id"], v["nodes"][0]["target"]) for v in found.response["violations"]], (state, mode)
        assert requests == [path.as_uri()]
        assert errors == []
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        assert page.locator(".verdict .word").first.bounding_box()["y"] < 300, "the verdict is not on the first screen"
        heads = page.evaluate("[...document.querySelectorAll('h2')].map(h => h.getBoundingClientRect().top)")
        assert heads == sorted(heads)
        assert len(heads) == 13
        if mode == "print":
            page.pdf(path=str(tmp_path / "page.pdf"), format="A4")
            assert len(re.findall(rb"/Type\s*/Page[^s]", (tmp_path / "page.pdf").read_bytes())) <= 12
        page.close()
    context.close()


def test_a_page_of_forty_schools_is_printed_on_twelve(browser: Any, desk: Desk) -> None:
    """A hard night of forty schools, each with students and teachers in two terms, on A4 and on Letter."""
    desk.policy("warehouse: warehouse.duckdb\nmax_age_hours: 1000000\nreport: {path: page.html}\n")
    rows = district(40, students=21, classes=2)
    desk.audit(rows)
    desk.audit(lost_from(rebuilt(rows, "s3"), "s9", 30), code=3)
    page = browser.new_page()
    page.goto((desk.folder / "page.html").as_uri())
    for paper in ("A4", "Letter"):
        page.pdf(path=str(desk.folder / "page.pdf"), format=paper)
        assert len(re.findall(rb"/Type\s*/Page[^s]", (desk.folder / "page.pdf").read_bytes())) <= 12
    page.close()
