"""Read the values of one field, one at a time or a whole column at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from ..codec import ScaleValue, UserId
from ..model import Field, Kind, Version
from .dates import are_utc_millis, read_date, read_datetime, to_utc_text
from .lists import holds_blanks, json_in, plain_lists, plain_pairs, read_list, read_pairs
from .shapes import Shaper
from .texts import (
    BLANKS,
    BLANKS_AROUND,
    NUL_RULE,
    NULL,
    NULL_RULE,
    Reading,
    is_loss,
    read_integer,
    read_number,
    read_true_false,
    read_year,
)
from .words import read_status, read_word

_MEMO_LIMIT = 5_000
_IDS = {Kind.GUID, Kind.REF, Kind.ID}
_AS_THEY_ARE = {Kind.OBJECT, Kind.OBJECTIVES, Kind.OBJECTIVE_SCORES}
_READERS: dict[Kind, Callable[[Any], Reading]] = {
    Kind.TRUE_FALSE: read_true_false,
    Kind.INTEGER: read_integer,
    Kind.NUMBER: read_number,
    Kind.YEAR: read_year,
    Kind.REFS: lambda value: read_list(value, ids=True),
    Kind.STRINGS: lambda value: read_list(value, ids=False),
    Kind.WORDS: lambda value: read_list(value, ids=False),
    Kind.USER_IDS: read_pairs(UserId),
    Kind.SCALE_VALUES: read_pairs(ScaleValue),
}
# Fast readers for columns in which every list is well formed; lists rarely repeat, so a memo would not help.
_BY_THE_BOOK: dict[Kind, Callable[[Sequence[Any]], list[Any] | None]] = {
    Kind.REFS: plain_lists,
    Kind.STRINGS: plain_lists,
    Kind.USER_IDS: plain_pairs(UserId),
}


class _Memo(dict[Any, Any]):
    """Values by their texts; an unknown text is read on first access."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self._read = read

    def __missing__(self, text: Any) -> Any:
        return self._read(text)


class Column:
    """Reads the values of one field in every notation that sources use."""

    def __init__(self, field: Field, version: Version = Version.V1_2, zone: tzinfo = UTC) -> None:
        self.field = field
        self._required = version in field.required
        self._version = version
        self._zone = zone
        self._reader = _READERS.get(field.kind)
        self._by_the_book = _BY_THE_BOOK.get(field.kind)
        self.is_id = field.kind in _IDS
        """True if blanks at the ends of a text are not part of the value."""
        self.is_text = self.is_id or field.kind == Kind.STRING
        """True if a text is already the value, unless it is blank, the null word or an id with blanks."""
        self._is_status = field.name == "status" and field.kind == Kind.WORD
        # Systems that write all names in capitals write the family name Null as NULL.
        self.null_word = "\0" if field.name.endswith("Name") else NULL
        self._memo = _Memo(self._read)
        self._odd: dict[Any, str] = {}

    def reading(self, value: Any) -> Reading:
        """Return the value of a text, or of a JSON value in the shape of the field's kind, and the rule it broke."""
        if value is None or value == "":
            return None, None
        if self._is_status:
            return read_status(value)
        if not isinstance(value, str):
            return self._read_words(*self._reader(value)) if self._reader else (value, None)
        if self.field.kind == Kind.STRING:
            if value == self.null_word:
                return None, NULL_RULE
            return value, NUL_RULE if "\0" in value else None
        text = value.strip()
        if text == NULL:
            return None, NULL_RULE
        if not text:
            return None, BLANKS
        if self.is_id:
            if "\0" in text:
                return text, NUL_RULE
            return text, BLANKS_AROUND if text != value else None
        return self._read_words(*self._parse(value))

    def plain(self, texts: Sequence[str]) -> list[Any] | None:
        """Return the values of texts of a list kind that are written by the book, together; None if `reading` is needed."""
        if self._by_the_book is None or self.null_word in "\n".join(texts):
            return None
        return self._by_the_book(texts)

    def _parse(self, text: str) -> Reading:
        if self._reader:
            return self._reader(text)
        if self.field.kind == Kind.DATE:
            return read_date(text)
        if self.field.kind == Kind.DATETIME:
            return read_datetime(text, self._zone)
        return text, NUL_RULE if "\0" in text else None

    def _read_words(self, value: Any, rule: str | None) -> Reading:
        """Replace texts by the words of the field's vocabulary that they match."""
        words = self.field.words
        if words is None or value is None:
            return value, rule
        if isinstance(value, str):
            word, found = read_word(value, words, self._version)
            return word, rule or found
        found_words, rules = zip(*(read_word(one, words, self._version) for one in value), strict=True)
        return list(found_words), rule or max(filter(None, rules), key="unknown word".__eq__, default=None)

    def take(self, value: Any, deviations: Counter[str]) -> tuple[Any, bool]:
        """Return the value of any JSON value, and True if part of it could not be read; count broken rules."""
        kind = self.field.kind
        if isinstance(value, date) and kind in {Kind.DATE, Kind.DATETIME}:  # from a database, through a batch file
            return self._of_date(value, deviations), False
        if kind in _AS_THEY_ARE and isinstance(value, str):
            value = json_in(value)
        if type(value) is not str:
            shaper = Shaper(self.field.name, deviations)
            value = shaper.fit(kind, list(value) if isinstance(value, tuple) else value)
            if shaper.lost:
                return None, True
        if kind in _AS_THEY_ARE:
            return value, False
        found, rule = self.reading(value)
        if rule:
            self.count(deviations, rule, 1)
        return found, rule is not None and is_loss(rule)

    def _of_date(self, value: date, deviations: Counter[str]) -> str:
        if self.field.kind == Kind.DATE:
            return (value.date() if isinstance(value, datetime) else value).isoformat()
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001
        if moment.tzinfo is None:
            self.count(deviations, "date and time without a zone", 1)
            moment = moment.replace(tzinfo=self._zone)
        return to_utc_text(moment)

    def _read(self, text: Any) -> Any:
        """Read a text that is not in the memo; store its value and the rule it broke."""
        value, rule = self.reading(text)
        if rule:
            self._odd[text] = rule
        self._memo[text] = value
        return value

    def read(
        self, texts: Sequence[Any], deviations: Counter[str], *, nulls: bool = True, blanks: bool = True
    ) -> Sequence[Any]:
        """Return the values of a column of texts; blank becomes null. Broken rules are added to `deviations`.

        Columns from REST may also hold None for blank, and tuples of texts for lists. Pass `nulls=False` or
        `blanks=False` if no text is NULL or has blanks at its ends; this saves a search.
        """
        values: Sequence[Any] = texts
        if not any(texts):
            values = [None] * len(texts)
        elif self.is_text:
            values = self._read_texts(texts, deviations, nulls=nulls, blanks=blanks)
        elif self._by_the_book and not nulls and (found := self._by_the_book(texts)):
            values = found
        elif self.field.kind == Kind.DATETIME and all(texts) and are_utc_millis(texts):
            return texts
        else:
            if len(self._memo) > _MEMO_LIMIT:
                self._memo.clear()
                self._odd.clear()
            values = list(map(self._memo.__getitem__, texts))
            if self._odd:
                self.count_rules(deviations, map(self._odd.get, texts))
        if values is not texts:  # otherwise no value is missing
            self.check_required(values, deviations)
        return values

    def _read_texts(
        self, texts: Sequence[Any], deviations: Counter[str], *, nulls: bool, blanks: bool
    ) -> Sequence[Any]:
        """Return the values of a column in which all but a few texts are already values."""
        values = texts if all(texts) else [text or None for text in texts]
        if nulls or (blanks and self.is_id):
            together = "".join(texts if values is texts else filter(None, values))
            if (nulls and self.null_word in together) or (self.is_id and blanks and self.are_padded(values, together)):
                readings = list(map(self.reading, values))
                self.count_rules(deviations, (rule for _, rule in readings))
                return [value for value, _ in readings]
        return values

    def are_padded(self, texts: Sequence[Any], together: str | None = None) -> bool:
        """True if a text has blanks at its ends; `together` is all texts joined, if the caller has that already."""
        if together is None:
            together = "".join(texts)
        if not holds_blanks(together) and "\n" not in together:
            return False
        return any(text and text != text.strip() for text in texts)

    def check_required(self, values: Sequence[Any], deviations: Counter[str], missing: Any = None) -> None:
        """Count the rows in which a required value is missing."""
        if self._required and missing in values:
            self.check_missing(values.count(missing), deviations)

    def check_missing(self, rows: int, deviations: Counter[str]) -> None:
        """Count `rows` rows without a value, if the field is required."""
        if self._required and rows:
            self.count(deviations, "required, but blank", rows)

    def count_rules(self, deviations: Counter[str], rules: Iterable[str | None]) -> None:
        """Count broken rules, one for each row."""
        for rule, times in Counter(rules).items():
            if rule:
                self.count(deviations, rule, times)

    def count(self, deviations: Counter[str], rule: str, times: int) -> None:
        """Add `times` to the count of a broken rule."""
        deviations[f"{self.field.name}: {rule}"] += times
