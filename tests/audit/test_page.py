"""The page: one file without script and without request, readable by everybody."""

from __future__ import annotations

import re
from pathlib import Path

import oneroster_figures as figures
import pytest
from oneroster_audit.checks.catalogue import CHECKS

from tests.audit.conftest import STATES
from tests.support.outline import Outline, assert_in_order, assert_static

each_state = pytest.mark.parametrize("state", STATES)


@each_state
def test_no_script_and_no_request(pages: dict[str, str], state: str) -> None:
    """Nothing is run and nothing is fetched, and the browser is told so; links stay on the page."""
    page = assert_static(pages[state])
    assert not [a for a in page.all("a") if not a["href"].startswith("#")]


@each_state
def test_it_is_in_order_for_a_screen_reader(pages: dict[str, str], state: str) -> None:
    assert_in_order(Outline(pages[state]))


@each_state
def test_each_section_is_there(pages: dict[str, str], state: str) -> None:
    """A section without content is one line, not gone."""
    titles = re.findall(r'<h2 id="s\d+">(.*?)</h2>', pages[state])
    assert titles == [
        "Verdict", "What needs you", "What arrived", "By school", "Why they left", "New ids", "Schedule", "Rollover",
        "Two sources", "Consumers", "Columns", "Brake", "How to read this",
    ]  # fmt: skip


def test_what_it_says(pages: dict[str, str]) -> None:
    """The verdict in a sentence, in each state."""
    text = {state: "".join(Outline(page).text) for state, page in pages.items()}
    assert "first night" in text["first night"]
    assert "All 8 schools can be published" in text["all well"] or "all 8 schools can be published" in text["all well"]
    assert "1 of 8 schools" in text["one school held"]
    assert "90 class has a new id" in text["one school held"]
    assert "93 before, 93 now, 93 gone, 100.0 %" in text["one school held"]
    assert "Nothing newer is released" in text["unknown"]
    assert "8 of 8 schools" in text["everything held"]
    assert "A & B <i>Unified</i>" in text["all well"]


def test_sums_of_the_page_are_those_of_the_store(pages: dict[str, str]) -> None:
    """Before, +, -, changed and now of each file."""
    row = re.search(r"<tr><th scope=\"row\">enrollments</th>(.*?)</tr>", pages["one school held"])
    assert row
    numbers = re.findall(r'<td class="n">([\d,]*)</td>', row[1])
    assert numbers == ["", "744", "744", "93", "93", "0", "744"]


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    text = colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
    channels = [int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """Contrast ratio by WCAG 2.2."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", [0, 1, 2], ids=["light", "dark", "print"])
def test_contrast(mode: int) -> None:
    """Text has 4.5:1 on every ground, marks have 3:1, in light, dark and print."""
    blocks = re.findall(r":root \{(.*?)\}", figures.CSS, re.DOTALL)
    colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6})", blocks[mode]))
    for ground in ("paper", "band"):
        for text in ("ink", "soft", "link", "held"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    if mode < 2:
        for mark in ("a", "b", "c", "d", "e", "f", "g", "h", "lost", "gained"):
            assert contrast(colours[mark], colours["paper"]) >= 3, mark


def test_figures_draw_what_they_are_given() -> None:
    """Lengths follow the numbers, nothing and zero included, and markup is escaped."""
    assert 'width="60"' in figures.bar(5, 10)
    assert 'width="0"' in figures.bar(0, 0)
    assert 'x="30" width="30"' in figures.diverging(5, 0, 10)
    assert figures.sparkline([]).startswith("<svg")
    assert figures.sparkline([3, 3]).count("9") >= 1
    assert figures.share([1, 3], width=40).count("<rect") == 2
    assert figures.slope(0, 1).count("<circle") == 2
    assert figures.calendar(["held", "x"], {"held": "b"}).count('class="b"') == 1
    assert "<b>" not in figures.table("<b>", ["<b>"], [["<b>", 1]])
    assert len(figures.diverging(5, 0, 10)) < 1000


def test_every_check_says_what_to_do() -> None:
    """The catalogue is what docs, page and alerts are made from."""
    assert len({c.id for c in CHECKS}) == len(CHECKS)
    for known in CHECKS:
        assert known.owner in ("registrar", "IT", "vendor")
        assert known.advice.endswith(".")


def test_every_check_has_a_test() -> None:
    """Each check of the catalogue is named by a test of this folder, so one that is switched off is noticed."""
    here = Path(__file__).parent
    tests = "".join(p.read_text(encoding="utf-8") for p in here.glob("test_*.py") if p.name != "test_page.py")
    assert not [c.id for c in CHECKS if c.id not in tests]
