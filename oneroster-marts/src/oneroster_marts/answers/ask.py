"""Understands a question without a model: words are matched with labels, synonyms and names, and what is left over is not guessed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .asked import Asked, CannotSay
from .metrics import Metric, metrics
from .words import BY, EMPTY, GRADES, GROUPS, ORDERS, PERSON, SCHOOL_KINDS, since_of, stem, tokens

if TYPE_CHECKING:
    from .query import Answers

ABOUT_PERSONS = "Questions about single persons are not answered here; ask for numbers, or ask those who may see the school's lists."
_TYPOS = 84
"""How alike a word and a known one are, of 100, to be taken for it."""
_NAMED = ("product", "school", "course", "term")
WHOM = frozenset({"students", "student", "pupils", "pupil", "kids", "children", "graders", "kindergartners"})
"""Words for students: most metrics count them, so these weigh little."""


class Unclear(CannotSay):
    """Two meanings fit; the message asks back, and `between` are the metrics or names."""

    def __init__(self, message: str, between: list[str]) -> None:
        super().__init__(message)
        self.between = between


@dataclass
class _Question:
    """Words of a question, and those of them that are not understood yet."""

    words: list[str]
    left: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.left = set(range(len(self.words)))

    def places(self, wanted: str) -> list[int]:
        """Return the places of a word among those that are left, in singular or plural."""
        return [n for n in sorted(self.left) if stem(self.words[n]) == stem(wanted)]

    def take(self, places: set[int]) -> None:
        """Mark words as understood."""
        self.left -= places


def understand(text: str, answers: Answers) -> Asked:
    """Return the question that a text asks.

    Raises:
        Unclear: Two metrics fit, or a name that several have.
        CannotSay: It is about a person, or has a word that is not known, or fits no metric.
    """
    if PERSON.search(text):
        raise CannotSay(ABOUT_PERSONS)
    since, rest = since_of(text, answers.today)
    question = _Question(tokens(rest))
    vocabulary = _vocabulary(answers)
    _mend(question, vocabulary)
    by = _by(question)
    where = _named(question, answers)
    where |= _grades(question)
    _groups(question, where, by)
    order = next((ORDERS[word] for word in question.words if word in ORDERS), "")
    metric = _metric(question, by, where)
    if "lost" in question.words and metric.how == "change":
        order = "lowest"
    unknown = [question.words[n] for n in sorted(question.left) if _says(question.words[n])]
    if any(word.endswith("'s") for word in unknown):
        raise CannotSay(ABOUT_PERSONS)
    if unknown:
        words = ", ".join(f"“{word}”" for word in unknown[:3])
        raise CannotSay(f"I do not know what {words} means here, so I do not guess. I know: {metric.label}.")
    by = [name for name in by if name not in where or len(where[name]) > 1]
    if order and not by:
        order = ""
    return Asked(metric.name, tuple(by[:2]), where, since if metric.has_since else _no_time(metric, since), order=order)


def _no_time(metric: Metric, since: str) -> str:
    if since:
        raise CannotSay(f"{metric.label} is known for today only, not since {since}.")
    return ""


def _says(word: str) -> bool:
    return word not in EMPTY and word not in ORDERS and word != "%"


def _vocabulary(answers: Answers) -> set[str]:
    known = {word for metric in metrics().values() for text in metric.synonyms for word in tokens(text)}
    known |= {word for name in _NAMED for text in answers.values(name).values() for word in tokens(text)}
    return known | EMPTY | ORDERS.keys() | BY.keys() | GRADES.keys() | GROUPS.keys()


def _mend(question: _Question, vocabulary: set[str]) -> None:
    """Put a known word in place of one that is written a little otherwise."""
    from rapidfuzz import fuzz, process

    stems = {stem(word) for word in vocabulary}
    for n, word in enumerate(question.words):
        if len(word) < 5 or word in vocabulary or stem(word) in stems or not word.isalpha():
            continue
        found = process.extractOne(word, sorted(vocabulary), scorer=fuzz.ratio, score_cutoff=_TYPOS)
        if found:
            question.words[n] = found[0]


def _named(question: _Question, answers: Answers) -> dict[str, tuple[str, ...]]:
    """Return the products, schools, courses and terms that are named; each word is used once."""
    where: dict[str, tuple[str, ...]] = {}
    common = {stem(word) for metric in metrics().values() for text in metric.synonyms for word in tokens(text)}
    common |= {stem(word) for word in (*EMPTY, *ORDERS, *BY, *GRADES, *GROUPS)}
    for dimension in _NAMED:
        found: defaultdict[int, list[tuple[str, set[int]]]] = defaultdict(list)
        for key, name in answers.values(dimension).items():
            words = tokens(name)
            own = [word for word in words if stem(word) not in common and not word.isdigit() and len(word) > 1]
            own = [word for word in own if dimension != "school" or word not in SCHOOL_KINDS]
            places = {n for word in own for n in question.places(word)}
            if not places:
                continue
            places |= {n for word in words for n in question.places(word) if _is_near(n, places)}
            matched = len({stem(question.words[n]) for n in places})
            found[matched].append((key, places))
        if not found:
            continue
        best = found[max(found)]
        if dimension == "school" and len(best) > 1:
            names = [answers.name("school", key) for key, _ in best]
            if len({frozenset(places) for _, places in best}) == 1:
                raise Unclear(f"Which school is meant: {' or '.join(names[:4])}?", [key for key, _ in best])
        where[dimension] = tuple(key for key, _ in best)
        for _, places in best:
            question.take(places)
    return where


def _is_near(place: int, places: set[int]) -> bool:
    return any(abs(place - other) <= 2 for other in places)


def _grades(question: _Question) -> dict[str, tuple[str, ...]]:
    found: list[str] = []
    for n in sorted(question.left):
        word = question.words[n]
        after = question.words[n + 1] if n + 1 < len(question.words) else ""
        before = question.words[n - 1] if n else ""
        if word in GRADES and (GRADES[word].isalpha() or stem(after) in ("grade", "grader")):
            found.append(GRADES[word])
            question.take(
                {n} if word in ("kindergarten", "prek", "prekindergarten") or not GRADES[word].isalpha() else set()
            )
            question.take({n + 1} if after == "grade" else set())
        elif word.isdigit() and stem(before) == "grade":
            found.append(f"{int(word):02d}")
            question.take({n, n - 1})
    return {"grade": tuple(dict.fromkeys(found))} if found else {}


def _by(question: _Question) -> list[str]:
    """Return the dimensions by which it is asked: after by, per, each, which, across, and what is joined to one by `and`."""
    found: list[str] = []
    for n, word in enumerate(question.words):
        if n not in question.left or word not in BY:
            continue
        before = question.words[n - 1] if n else ""
        is_asked = before in ("by", "per", "each", "every", "which", "across", "what", "of") or word == "weekly"
        is_asked |= before == "and" and bool(found)
        if is_asked and not (before == "of" and word in ("grade", "school")):
            found.append(BY[word])
            question.take({n})
    return list(dict.fromkeys(found))


def _groups(question: _Question, where: dict[str, tuple[str, ...]], by: list[str]) -> None:
    """Take words for groups of a demographic; several of one demographic ask by it."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for n in sorted(question.left):
        if question.words[n] in GROUPS:
            dimension, value = GROUPS[question.words[n]]
            found[dimension].append(value)
            question.take({n})
    for dimension, values in found.items():
        if len(set(values)) > 1 or dimension in by:
            if dimension not in by:
                by.append(dimension)
        else:
            where[dimension] = (values[0],)


def _metric(question: _Question, by: list[str], where: dict[str, tuple[str, ...]]) -> Metric:
    """Return the metric whose words are in the question, and take them."""
    wanted = {*by, *where}
    scores: dict[str, tuple[int, set[int]]] = {}
    for metric in metrics().values():
        for text in (*metric.synonyms, metric.label):
            places = _places(question, tokens(text))
            if places:
                score = sum(1 if question.words[n] in WHOM else len(stem(question.words[n])) + 1 for n in places)
                if score > scores.get(metric.name, (0, set()))[0]:
                    scores[metric.name] = (score, places)
    if not scores:
        left = [question.words[n] for n in sorted(question.left) if _says(question.words[n])]
        what = f"I do not know what “{left[0]}” means here." if left else "I do not see which number is asked for."
        raise CannotSay(f"{what} Ask for one of: {_labels()}.")
    top = max(score for score, _ in scores.values())
    best = [metrics()[name] for name, (score, _) in scores.items() if score == top]
    able = [metric for metric in best if wanted <= metric.dimensions.keys()]
    question.take(set().union(*(scores[metric.name][1] for metric in best)))
    if not able:
        missing = sorted(wanted - best[0].dimensions.keys())
        known = ", ".join(best[0].dimensions) or "the district as a whole"
        raise CannotSay(f"{best[0].label} is not known by {', '.join(missing).replace('_', ' ')}; it is by {known}.")
    families = {metric.family or metric.name: metric for metric in reversed(able)}
    if len(families) > 1:
        found = [metric for metric in able if families.get(metric.family or metric.name) is metric]
        labels = " or ".join(f"“{metric.label}”" for metric in found)
        raise Unclear(f"Two fit; which is meant: {labels}?", [metric.name for metric in found])
    (chosen,) = families.values()
    _take_rest(question, chosen)
    return chosen


def _take_rest(question: _Question, metric: Metric) -> None:
    """Take further words that the metric's synonyms have, and those for students, whom most metrics count."""
    known = {stem(word) for text in (*metric.synonyms, metric.label) for word in tokens(text)}
    known |= {"student", "pupil", "kid", "enrolled", "graded", "known", "teach", "taught", "go", "like"}
    question.take({n for n in question.left if stem(question.words[n]) in known})


def _places(question: _Question, words: list[str]) -> set[int]:
    """Return where the words of a synonym stand among those that are left; empty unless all are there."""
    found: set[int] = set()
    for word in words:
        places = [n for n in question.places(word) if n not in found]
        if not places:
            return set()
        found.add(places[0])
    return found


def _labels() -> str:
    shown = [
        metric.label.lower()
        for metric in metrics().values()
        if not metric.family or metric.name.startswith(("class", "mean", "missing"))
    ]
    return ", ".join(shown[:12])
