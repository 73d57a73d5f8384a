"""Each package carries its own copy of the model: what one copy says, the others understand."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path

import oneroster_core.model as one
import pytest
import tap_oneroster._core.model as of_the_tap
import target_oneroster._core.model as of_the_target

ROOT = Path(__file__).resolve().parents[2]
COPIES = {"core": one, "tap": of_the_tap, "target": of_the_target}
PAIRS = [pytest.param(COPIES[a], COPIES[b], id=f"{a}-{b}") for a, b in permutations(COPIES, 2)]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("words", ["Version", "Kind", "Service"])
def test_words_of_two_copies_are_equal_and_find_each_other_as_keys(ours, theirs, words):
    """Though they are different classes, so that `is` fails."""
    mine, others = getattr(ours, words), getattr(theirs, words)
    assert mine is not others
    for word in mine:
        other = others(word.value)
        assert word is not other
        assert word == other
        assert {word: word.name}[other] == other.name
    assert list(mine) == list(others)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_a_model_takes_the_versions_and_fields_of_another_copy(ours, theirs):
    """The questions that the packages ask of the model have the same answer whoever's version is asked about."""
    for mine, other in zip(ours.FILES, theirs.FILES, strict=True):
        for version in theirs.Version:
            own = ours.Version(version.value)
            assert mine.exists_in(version) == mine.exists_in(own) == other.exists_in(own)
            assert [f.name for f in mine.columns(version)] == [f.name for f in mine.columns(own)]
            for field in mine.fields:
                if field.exists_in(own):
                    assert field.header(version) == field.header(own)
                    assert field.csv_type(version) == field.csv_type(own)
                if field.words:
                    assert field.words.of(version) == field.words.of(own)


def test_no_code_compares_words_of_the_model_by_identity():
    """`is` between a Version and one of another copy is silently false."""
    by_identity = re.compile(r"\bis (?:not )?(?:model\.)?(?:Version|Kind|Service)\.[A-Z]|\bis (?:not )?RECEIPTS\b")
    packages = ("oneroster-core", "tap-oneroster", "target-oneroster-csv", "oneroster-sample", "tools")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for package in packages
        for path in (ROOT / package).rglob("*.py")
        if "_core" not in path.parts
        for line in path.read_text(encoding="utf-8").splitlines()
        if by_identity.search(line)
    ]
    assert found == []
