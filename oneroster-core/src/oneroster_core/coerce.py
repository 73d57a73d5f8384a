"""Values of a source made into values of the warehouse shape, a column at a time.

What cannot be read with certainty becomes null and is counted under its rule; nothing is
guessed. A rule is named ``<field>: <what is wrong>`` and never quotes a value.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

from .codec import ScaleValue, UserId
from .dates import read_date, read_datetime
from .model import Field, Kind, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Column", "Reading", "holds_blanks", "read_number"]

Reading = tuple[Any, str | None]
"""A value, and the rule that the source broke in writing it."""

_MEMO_LIMIT = 5_000
_TRUE_FALSE: dict[str, bool] = {"true": True, "false": False}
_OTHER_TRUE_FALSE: dict[str, bool] = {
    **dict.fromkeys(("1", "yes", "y", "t"), True),
    **dict.fromkeys(("0", "no", "n", "f"), False),
}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?\Z")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d{1,2}\Z")
_YEAR = re.compile(r"\d{4}\Z")
_YEARS = re.compile(r"\d{4}\s*[-/\u2013]\s*(\d{4}|\d{2})\Z")
_BLANK = re.compile(r"[^\S\n]")
_ASCII_BLANKS = [blank for blank in map(chr, range(128)) if blank.isspace() and blank != "\n"]
_PAIR = re.compile(r"\{([^:{}]*):([^{}]*)\}\Z")


def _read_text(text: str) -> Reading:
    return text, None


def _read_true_false(text: str) -> Reading:
    if text in _TRUE_FALSE:
        return _TRUE_FALSE[text], None
    word = text.strip().lower()
    value = _TRUE_FALSE.get(word, _OTHER_TRUE_FALSE.get(word))
    return value, "unreadable true or false" if value is None else "true or false in other words"


def read_number(text: str) -> Reading:
    """A finite number written as text, and the rule it broke, if any."""
    text = text.strip()
    rule = None
    if _DECIMAL_COMMA.match(text):
        # One comma and one or two digits after it cannot be a thousands separator.
        text, rule = text.replace(",", "."), "decimal comma"
    if not _NUMBER.match(text):
        return None, "unreadable number"
    value = float(text)
    return (value, rule) if math.isfinite(value) else (None, "unreadable number")


def _read_integer(text: str) -> Reading:
    value, rule = read_number(text)
    if value is None or not value.is_integer():
        return None, "unreadable integer"
    return int(value), rule


def _read_year(text: str) -> Reading:
    if _YEAR.match(text):
        return text, None
    return text, "range of years" if _YEARS.match(text.strip()) else "unreadable year"


def _split(text: str) -> list[str]:
    return [part for piece in text.split(",") if (part := piece.strip())]


def _read_list(text: str | tuple[str, ...]) -> Reading:
    if isinstance(text, tuple):  # REST has lists as such
        return [part for part in text if part] or None, None
    return _split(text) or None, None


def _read_pairs(make: Callable[[str, str], Any]) -> Callable[[str], Reading]:
    def read(text: str) -> Reading:
        found = [(part, _PAIR.match(part)) for part in _split(text)]
        pairs = [make(match[1], match[2]) for _, match in found if match]
        rule = None if len(pairs) == len(found) else "element that is not {a:b}"
        return pairs or None, rule

    return read


def holds_blanks(lines: str) -> bool:
    """Whether whitespace other than line breaks stands in a text."""
    if lines.isascii():
        return any(blank in lines for blank in _ASCII_BLANKS)
    return _BLANK.search(lines) is not None


def _plain_lists(texts: Sequence[Any]) -> list[Any] | None:
    """Lists of a column that is written by the book; None where a cell might not be."""
    together = f"\n{_joined(texts)}\n"
    if holds_blanks(together) or ",," in together or "\n," in together or ",\n" in together:
        return None
    return [text.split(",") if text else None for text in texts]


def _plain_pairs(make: Callable[[str, str], Any]) -> Callable[[Sequence[Any]], list[Any] | None]:
    """The same for columns of `{a:b}` elements."""

    def read(texts: Sequence[Any]) -> list[Any] | None:
        together = f"\n{_joined(texts)}\n"
        filled = len(texts) - texts.count("")
        elements = filled + together.count("},{")
        by_the_book = (
            together.count("\n{") == together.count("}\n") == filled
            and together.count("{") == together.count("}") == together.count(":") == elements
        )
        if not by_the_book:
            return None
        try:
            return [
                [make(a, b) for a, b in [pair.split(":") for pair in text[1:-1].split("},{")]] if text else None
                for text in texts
            ]
        except ValueError:  # two colons here and none there
            return None

    return read


def _joined(texts: Sequence[Any]) -> str:
    """Texts in one, for a look at all of them; a blank where one is no plain text."""
    try:
        together = "\n".join(texts)
    except TypeError:
        return " "
    return together if together.count("\n") == len(texts) - 1 else " "


class _Memo(dict[Any, Any]):
    """Values by their texts; a text that was not met before is read."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def __missing__(self, text: Any) -> Any:
        return self._read(text)


class Column:
    """Reads the values of one field, whatever the source wrote them as."""

    def __init__(self, field: Field, version: Version, zone: tzinfo = UTC) -> None:
        self.field = field
        self._required = version in field.required
        self._words = field.words
        self._version = version
        self._parse = self._parser(field.kind, zone)
        self._by_the_book = self._quick_reader(field)
        self.is_text = field.kind in {Kind.GUID, Kind.REF, Kind.ID, Kind.STRING}
        """Whether a text is its own value, unless it is blank or the null word."""
        # All-caps systems write the family name Null as NULL.
        self.null_word = "\0" if field.name.endswith("Name") else "NULL"
        self._memo = _Memo(self._read)
        self._odd: dict[str, str] = {}

    def _parser(self, kind: Kind, zone: tzinfo) -> Callable[[str], Reading]:
        match kind:
            case Kind.TRUE_FALSE:
                return _read_true_false
            case Kind.DATE:
                return read_date
            case Kind.DATETIME:
                return lambda text: read_datetime(text, zone)
            case Kind.YEAR:
                return _read_year
            case Kind.INTEGER:
                return _read_integer
            case Kind.NUMBER:
                return read_number
            case Kind.REFS | Kind.STRINGS | Kind.WORDS:
                return _read_list
            case Kind.USER_IDS:
                return _read_pairs(UserId)
            case Kind.SCALE_VALUES:
                return _read_pairs(ScaleValue)
            case _:
                return _read_text

    @staticmethod
    def _quick_reader(field: Field) -> Callable[[Sequence[Any]], list[Any] | None] | None:
        """How a whole column of lists is read that is written by the book; lists are rarely met twice."""
        match field.kind:
            case Kind.REFS | Kind.STRINGS:
                return _plain_lists
            case Kind.USER_IDS:
                return _plain_pairs(UserId)
            case _:
                return None

    def reading(self, text: str) -> Reading:
        """Value of one text, and the rule it broke, if any."""
        if not text:
            return None, None
        if text == self.null_word:
            return None, "the text NULL"
        if isinstance(text, str) and text.isspace():
            return None, "blanks for nothing"
        value, rule = self._parse(text)
        if self._words and value is not None and rule is None:
            words = value if isinstance(value, list) else (value,)
            if not all(self._words.accepts(word, self._version) for word in words):
                rule = "unknown word"
        return value, rule

    def _read(self, text: str) -> Any:
        """Value of a text that was not met before; remembers it, and the rule it broke."""
        value, rule = self.reading(text)
        if rule:
            self._odd[text] = rule
        self._memo[text] = value
        return value

    def read(self, texts: Sequence[Any], deviations: Counter[str], *, nulls: bool = True) -> Sequence[Any]:
        """Values of a column of texts; blank is null. What deviates is added to `deviations`.

        From REST there are also None for blank, and tuples of texts for lists. `nulls`: whether
        any may be the text NULL; who knows better saves a search.
        """
        values: Sequence[Any] = texts
        if not any(texts):
            values = [None] * len(texts)
        elif self.is_text:
            if not all(texts):
                values = [text or None for text in texts]
            if nulls and self.null_word in texts:
                values = [None if v == self.null_word else v for v in values]
                self.count(deviations, "the text NULL", texts.count(self.null_word))
        elif self._by_the_book and not nulls and (found := self._by_the_book(texts)):
            values = found
        else:
            if len(self._memo) > _MEMO_LIMIT:
                self._memo.clear()
                self._odd.clear()
            values = list(map(self._memo.__getitem__, texts))
            if self._odd:
                self.count_rules(deviations, map(self._odd.get, texts))
        if values is not texts:  # else nothing is missing
            self.check_required(values, deviations)
        return values

    def check_required(self, values: Sequence[Any], deviations: Counter[str], missing: Any = None) -> None:
        """Count the rows in which a required value is missing."""
        if self._required and missing in values:
            self.check_missing(values.count(missing), deviations)

    def check_missing(self, rows: int, deviations: Counter[str]) -> None:
        """Count so many rows in which the value is missing, if it is required."""
        if self._required and rows:
            self.count(deviations, "required, but blank", rows)

    def count_rules(self, deviations: Counter[str], rules: Iterable[str | None]) -> None:
        """Count the rules that were broken."""
        for rule, times in Counter(rules).items():
            if rule:
                self.count(deviations, rule, times)

    def count(self, deviations: Counter[str], rule: str, times: int) -> None:
        """Count a rule that was broken."""
        deviations[f"{self.field.name}: {rule}"] += times
