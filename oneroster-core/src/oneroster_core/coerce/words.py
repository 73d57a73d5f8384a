"""Words of vocabularies, in any letter case."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

from ..model import Version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model import Vocabulary

STATUS = frozenset({"active", "tobedeleted"})
_DELETED = {"inactive", "tobedeleted", "deleted"}


@cache
def _by_lower_case(words: Vocabulary) -> dict[str, str]:
    """Return the words of all versions by their lower case, except words that differ in case only."""
    every = words.of(Version.V1_2)
    times = Counter(map(str.lower, every))
    return {word.lower(): word for word in every if times[word.lower()] == 1}


def read_word(text: str, words: Vocabulary, version: Version) -> tuple[str, str | None]:
    """Return the vocabulary's word that a text matches, and the rule it broke, if any.

    A text that matches no word, or more than one, passes unchanged.
    """
    if words.accepts(text, version):
        return text, None
    word = text.strip()
    found = word if words.accepts(word, version) else _by_lower_case(words).get(word.lower(), text)
    if not words.accepts(found, version):
        return found, "unknown word"
    return found, "blanks around a word" if found == word else "word in another case"


def read_status(text: str | None) -> tuple[str, str | None]:
    """Return the status that a text stands for, and the rule it broke, if any."""
    if text and text in STATUS:
        return text, None
    word = (text or "").strip().lower()
    if word in _DELETED:
        return "tobedeleted", "tobedeleted in another word"
    if word in {"", "active", "null"}:
        return "active", "active in another word, or blank"
    return text or "", "unknown word"


def read_statuses(texts: Sequence[Any], deviations: Counter[str]) -> Sequence[Any]:
    """Return the statuses of a column, as `read_status` reads each; broken rules are added to `deviations`."""
    if texts.count("active") == len(texts) or STATUS.issuperset(texts):
        return texts
    values, rules = zip(*map(read_status, texts), strict=True)
    deviations.update(f"status: {rule}" for rule in rules if rule)
    return values
