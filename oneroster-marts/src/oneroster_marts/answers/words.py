"""Words of questions: how they are compared, which say nothing by themselves, and which name a grade, a group, a date or an order."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?|%")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)

EMPTY = frozenset(
    [
        "a",
        "about",
        "all",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "average",
        "be",
        "been",
        "between",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "each",
        "every",
        "for",
        "from",
        "give",
        "had",
        "has",
        "have",
        "how",
        "i",
        "in",
        "into",
        "is",
        "it",
        "its",
        "large",
        "many",
        "me",
        "mean",
        "much",
        "my",
        "number",
        "of",
        "on",
        "or",
        "our",
        "out",
        "over",
        "per",
        "please",
        "percent",
        "percentage",
        "rate",
        "s",
        "same",
        "say",
        "school",
        "schools",
        "share",
        "show",
        "so",
        "tell",
        "than",
        "that",
        "the",
        "their",
        "them",
        "there",
        "these",
        "they",
        "this",
        "to",
        "today",
        "total",
        "up",
        "us",
        "was",
        "we",
        "week",
        "were",
        "what",
        "what's",
        "when",
        "where",
        "which",
        "with",
        "would",
        "you",
        "your",
        "now",
        "currently",
        "current",
        "year",
        "far",
        "district",
        "whole",
        "across",
        "have",
        "having",
        "overall",
        "there's",
        "who's",
        "on",
        "most",
        "least",
        "more",
        "less",
        "same",
        "amount",
        "count",
        "level",
        "levels",
        "rank",
        "list",
        "compare",
        "compared",
        "versus",
        "vs",
    ]
)
"""Words that may stand in a question without a meaning of their own."""
SCHOOL_KINDS = frozenset({"school", "elementary", "high", "middle", "k", "academy", "k8", "the"})
"""Words of names of schools that do not tell them apart."""
ORDERS = {
    "highest": "highest", "most": "highest", "biggest": "highest", "largest": "highest", "best": "highest", "greatest": "highest",
    "top": "highest", "lowest": "lowest", "least": "lowest", "fewest": "lowest", "smallest": "lowest", "worst": "lowest", "bottom": "lowest",
}  # fmt: skip
BY = {
    "school": "school", "schools": "school", "grade": "grade", "grades": "grade", "course": "course", "courses": "course",
    "subject": "course", "subjects": "course", "term": "term", "terms": "term", "semester": "term", "semesters": "term",
    "week": "week", "weeks": "week", "weekly": "week", "sex": "sex", "gender": "sex", "race": "race_ethnicity",
    "races": "race_ethnicity", "ethnicity": "race_ethnicity", "ethnicities": "race_ethnicity", "product": "product", "products": "product",
    "building": "school", "buildings": "school", "vendor": "product", "software": "product",
}  # fmt: skip
_ORDINALS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
)
GRADES = {
    **{word: f"{n:02d}" for n, word in enumerate(_ORDINALS, 1)},
    **{f"{n}{'st' if n == 1 else 'nd' if n == 2 else 'rd' if n == 3 else 'th'}": f"{n:02d}" for n in range(1, 13)},
    "kindergarten": "KG", "kindergartners": "KG", "kindergartner": "KG", "kindergarteners": "KG", "prekindergarten": "PK", "prek": "PK",
}  # fmt: skip
GROUPS = {
    "girls": ("sex", "female"), "girl": ("sex", "female"), "female": ("sex", "female"), "boys": ("sex", "male"), "boy": ("sex", "male"),
    "male": ("sex", "male"), "hispanic": ("race_ethnicity", "hispanic"), "latino": ("race_ethnicity", "hispanic"),
    "latina": ("race_ethnicity", "hispanic"), "black": ("race_ethnicity", "black"), "white": ("race_ethnicity", "white"),
    "asian": ("race_ethnicity", "asian"), "multiracial": ("race_ethnicity", "two_or_more"),
    "indigenous": ("race_ethnicity", "american_indian"),
}  # fmt: skip
PERSON = re.compile(
    r"\bwho\b|\bwhose\b|\bwhom\b|\bnames?\b|\bwhich (students?|pupils?|kids?|children|teachers?|child)\b|\be-?mail\b|\bphone\b|\baddress\b"
    r"|[^\s@]+@[^\s@]+|\b(student|pupil|teacher|user) [a-z]*\d[\w.-]*|\b\d{6,}\b|\b(list|show)( me)?( all)?( the)? (students|pupils|kids|teachers)\b"
    r"|\bmy (son|daughter|child|kid)\b",
    re.IGNORECASE,
)
"""What a question about single persons looks like."""


def plain(text: str) -> str:
    """Return a text in lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def tokens(text: str) -> list[str]:
    """Return the words of a text, numbers without zeros in front."""
    return [word.lstrip("0") or "0" if word.isdigit() else word for word in _TOKEN.findall(plain(text))]


def stem(word: str) -> str:
    """Return a word without the ending of its plural."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3 else word


def since_of(text: str, today: date) -> tuple[str, str]:
    """Return the date since when a question asks, as ISO 8601 has it, and the question without it; empty if it names none."""
    months = "|".join(f"{name}|{name[:3]}" for name in _MONTHS)
    patterns = (
        r"\b(?:since|from|after) (?P<iso>\d{4}-\d\d-\d\d)",
        rf"\b(?:since|from|after) (?P<day>\d{{1,2}})\.? (?P<month>{months})\b(?: (?P<year>\d{{4}}))?",
        rf"\b(?:since|from|after) (?P<month>{months}) (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year>\d{{4}}))?",
        rf"\b(?:since|from|after) (?P<month>{months})\b(?: (?P<year>\d{{4}}))?",
        r"\b(?:in|over|during) the (?:last|past) (?P<weeks>\d{1,2}) weeks\b",
        r"\bsince (?P<last>last week|yesterday|last month)\b",
    )
    for pattern in patterns:
        found = re.search(pattern, plain(text))
        if not found:
            continue
        its = found.groupdict()
        rest = f"{plain(text)[: found.start()]} {plain(text)[found.end() :]}"
        try:
            return _date(its, today).isoformat(), rest
        except ValueError:
            continue
    return "", text


def _date(its: dict[str, str | None], today: date) -> date:
    if iso := its.get("iso"):
        return date.fromisoformat(iso)
    if weeks := its.get("weeks"):
        return today - timedelta(7 * int(weeks))
    if last := its.get("last"):
        return today - timedelta({"yesterday": 1, "last week": 7, "last month": 30}[last])
    month = next(n for n, name in enumerate(_MONTHS, 1) if name.startswith((its["month"] or "")[:3]))
    year = its.get("year")
    day = date(int(year) if year else today.year, month, int(its.get("day") or 1))
    return day if year or day <= today else day.replace(year=today.year - 1)
