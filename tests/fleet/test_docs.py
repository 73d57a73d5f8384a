"""The page about fleets: its fleet file has no mistakes, and its words are those of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from oneroster_fleet.words import Word

if TYPE_CHECKING:
    from tests.support.fleet import Desk

PAGE = (Path(__file__).parents[2] / "docs/fleet.md").read_text(encoding="utf-8")


def test_the_fleet_file_of_the_page_has_no_mistakes(desk: Desk) -> None:
    """With the real plugins."""
    (block,) = re.findall(r'```yaml title="fleet.yml"\n(.*?)```', PAGE, re.DOTALL)
    (desk.folder / "fleet.yml").write_text(block)
    assert desk("check") == (0, ["fleet.yml: 3 districts, no mistakes"], "")


def test_the_page_has_the_words_in_their_order() -> None:
    table = PAGE.partition("| Word | Meaning |")[2]
    assert re.findall(r"^\| (\w+) \|", table, re.MULTILINE)[: len(Word)] == [word.value for word in Word]
