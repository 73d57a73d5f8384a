"""How each treatment makes the values of a field: one table, which the column path and the record path share.

A mark has 32 bytes. The pseudonym shows the first 16; replacements are chosen by the others, so that they say nothing
about the id and nothing about each other:

    16-19 given name · 20-23 family name · 24-25 middle name · 26-27 preferred given name · 28-29 phone · 30-31 days

A blank value stays blank.
"""

from __future__ import annotations

from datetime import date, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ..codec import UserId
from ..model import Kind
from ..model.ids import derived_id
from .words import is_referred_to

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..model import Field, File
    from .policy import Treatment
    from .rows import Rows, World

PLAIN = frozenset({"keyed", "pseudonym", "fake", "hmac", "year", "month", "shift", "day"})
"""Treatments whose texts hold letters, digits and signs of ASCII that JSON writes as they are."""

_DAYS = 183
_MOST_ORDINALS = 16
"""Rows of one parent with the same identity that are told apart when their ids are recognised."""


def _part(mark: bytes, start: int, stop: int) -> int:
    return int.from_bytes(mark[start:stop], "big")


def _chosen(names: Callable[[World], Sequence[str]], start: int, stop: int) -> Callable[[Rows], list[str]]:
    """Return the function that chooses a name of a list for each row, by some bytes of the person's mark."""

    def choose(rows: Rows) -> list[str]:
        listed = names(rows.world)
        return [listed[_part(mark, start, stop) % len(listed)] for mark in rows.persons()[1]]

    return choose


_given = _chosen(attrgetter("given"), 16, 20)
_family = _chosen(attrgetter("family"), 20, 24)
_middle = _chosen(attrgetter("given"), 24, 26)
_preferred = _chosen(attrgetter("given"), 26, 28)


def _username(rows: Rows) -> list[str]:
    return [
        f"{given}.{family}.{pseudonym[:6]}".lower()
        for given, family, pseudonym in zip(_given(rows), _family(rows), rows.persons()[0], strict=True)
    ]


def _email(rows: Rows) -> list[str]:
    return [f"{name}@{rows.world.email_domain}" for name in _username(rows)]


def _phone(rows: Rows) -> list[str]:
    # 555-0100 to 555-0199 belong to nobody in any area.
    parts = [_part(mark, 28, 30) for mark in rows.persons()[1]]
    return [f"+1{200 + part // 100 % 800}55501{part % 100:02d}" for part in parts]


_FAKES: dict[str, Callable[[Rows], list[str]]] = {
    "givenName": _given,
    "familyName": _family,
    "middleName": _middle,
    "preferredGivenName": _preferred,
    "preferredMiddleName": _middle,
    "preferredFamilyName": _family,
    "username": _username,
    "email": _email,
    "sms": _phone,
    "phone": _phone,
}


def _where(values: Sequence[Any], made: Sequence[Any]) -> list[Any]:
    """Return what was made, where there was a value."""
    return [new if value else None for value, new in zip(values, made, strict=True)]


def _role_words(rows: Rows) -> list[str]:
    return [role.removeprefix("ext:").capitalize() if role else "Person" for role in rows.column("role")]


def _label(rows: Rows, name: str) -> list[Any]:
    """Return a word for each row with four digits of its pseudonym; of a person, the given name is the word."""
    if rows.file.name == "users":
        if name.endswith("amilyName"):
            return [pseudonym[:4].upper() for pseudonym in rows.persons()[0]]
        return _role_words(rows) if name.endswith("ivenName") else [None] * len(rows.persons()[0])
    pseudonyms = rows.own()[0]
    if name == "identifier":
        return [pseudonym[:8].upper() for pseudonym in pseudonyms]
    words = rows.column("type") if rows.file.name == "orgs" else [_SINGLE[rows.file.name]] * len(pseudonyms)
    return [
        f"{(word or 'Org').removeprefix('ext:').capitalize()} {pseudonym[:4].upper()}"
        for word, pseudonym in zip(words, pseudonyms, strict=True)
    ]


_SINGLE = {"classes": "Class", "courses": "Course"}


def _pattern(rows: Rows, name: str) -> list[Any]:
    values, titles = rows.column(name), rows.world.titles
    if titles is None:
        return list(values)
    found = [bool(value) and titles.holds_name(value) for value in values]
    if not any(found):
        return list(values)
    if rows.file.name == "courses":
        codes = [code if code and not titles.holds_name(code) else None for code in rows.column("courseCode")]
    else:
        codes = [titles.code(course) for course in rows.column("courseSourcedId")]
    numbers = [_part(mark, 16, 20) % 10_000 for mark in rows.own()[1]]
    other = _SINGLE[rows.file.name]
    return [
        f"{code or other} {number:04d}" if hit else value
        for value, hit, code, number in zip(values, found, codes, numbers, strict=True)
    ]


def _shift(value: str, mark: bytes) -> str | None:
    days = _part(mark, 30, 32) % (2 * _DAYS + 1) - _DAYS
    try:
        return (date.fromisoformat(value) + timedelta(days)).isoformat()
    except (ValueError, OverflowError):
        return None


def _identifiers(rows: Rows, name: str) -> list[Any]:
    values, marks = rows.column(name), rows.persons()[1]
    identifiers = rows.world.ids.identifiers
    if rows.file.field(name).kind != Kind.USER_IDS:
        return identifiers(name, values, marks)
    made: list[list[Any] | None] = [[None] * len(pairs) if pairs else None for pairs in values]
    places: dict[str, list[tuple[int, int]]] = {}
    for row, pairs in enumerate(values):
        for at, pair in enumerate(pairs or ()):
            places.setdefault(pair.type or "", []).append((row, at))
    for kind, where in places.items():
        texts = identifiers(kind, [values[row][at].identifier for row, at in where], [marks[row] for row, _ in where])
        for (row, at), text in zip(where, texts, strict=True):
            made[row][at] = UserId(kind or None, text)  # type: ignore[index]
    return made


def _unreferred_ids(rows: Rows, leaving: Mapping[str, Treatment]) -> Sequence[str]:
    """Return the ids of rows that nothing refers to; of a crosswalk, made of the random ids that the rows refer to."""
    names = [f.name for f in rows.file.fields if f.refers_to and f.required and not f.kind.is_list]
    if names and rows.world.ids.are_numbered:
        keys = list(zip(*(_identity(rows, name, leaving) for name in names), strict=True))
        numbers = rows.world.ids.numbered(rows.file.name, keys)
        return [derived_id(rows.file, key, number) for key, number in zip(keys, numbers, strict=True)]
    return _derived_ids(rows, leaving) if rows.file.derived else rows.own()[0]


def _derived_ids(rows: Rows, leaving: Mapping[str, Treatment]) -> list[str]:
    """Return the ids of rows that REST nests in others: made of pseudonyms, as the ids of the source are made of its ids.

    An id of the source that is made in another way gets a pseudonym.
    """
    how = rows.file.derived
    ids = rows.column("sourcedId")
    clear = [rows.raw(name) for name in how.identity] if how else []
    hidden = [_identity(rows, name, leaving) for name in how.identity] if how else []
    ordinals = range(_MOST_ORDINALS if how and how.ordinal_by else 1)
    made: list[str | None] = []
    for place, one in enumerate(ids):
        parts = tuple(column[place] for column in clear)
        ordinal = (
            next((n for n in ordinals if derived_id(rows.file, parts, n) == one), None) if one[14:15] == "5" else None
        )
        hidden_parts = tuple(column[place] for column in hidden)
        made.append(None if ordinal is None else derived_id(rows.file, hidden_parts, ordinal))
    if None in made:
        others = iter(
            rows.world.ids.own(rows.file.name, [one for one, id_ in zip(ids, made, strict=True) if id_ is None])[0]
        )
        made = [next(others) if one is None else one for one in made]
    return made  # type: ignore[return-value]


def _identity(rows: Rows, name: str, leaving: Mapping[str, Treatment]) -> Sequence[Any]:
    """Return a part of an id: a pseudonym unless the value leaves as it is, so that nobody can guess the value from the id."""
    if rows.file.field(name).refers_to:
        return rows.world.ids.pseudonyms(rows.file.field(name).refers_to or "", rows.raw(name))
    values = rows.raw(name)
    if name in leaving and leaving[name].word == "keep":
        return values
    return rows.world.ids.pseudonyms(f"identifier:{rows.file.name}.{name}", values)


def _metadata(rows: Rows, keys: tuple[str, ...]) -> list[Any]:
    made = []
    for held in rows.column("metadata"):
        kept = {key: value for key in keys if held and (value := held.get(key)) is not None and not _is_address(value)}
        made.append(kept or None)
    return made


def _is_address(value: Any) -> bool:
    """True if a value is or holds a URN or an address: such values hold ids of the source."""
    if isinstance(value, dict):
        return any(map(_is_address, value.values()))
    if isinstance(value, list):
        return any(map(_is_address, value))
    return isinstance(value, str) and value.strip().lower().startswith(("urn:", "http:", "https:"))


def _each(change: Callable[[str], str | None]) -> Callable[[Rows, str], list[Any]]:
    return lambda rows, name: [change(value) if value else None for value in rows.column(name)]


def _hmac(rows: Rows, name: str) -> list[Any]:
    addresses = [value.strip().lower() if value else None for value in rows.column(name)]
    return rows.world.ids.identifiers("email", addresses, rows.persons()[1])


def _shifted(rows: Rows, name: str) -> list[Any]:
    pairs = zip(rows.column(name), rows.persons()[1], strict=True)
    return [_shift(value, mark) if value else None for value, mark in pairs]


_TABLE: dict[str, Callable[[Rows, str], Sequence[Any]]] = {
    "keyed": _identifiers,
    "pseudonym": _identifiers,
    "fake": lambda rows, name: _where(rows.column(name), _FAKES[name](rows)),
    "initial": _each(lambda value: f"{text[:1].upper()}." if (text := value.strip()) else None),
    "label": lambda rows, name: _where(rows.column(name), _label(rows, name)),
    "pattern": _pattern,
    "hmac": _hmac,
    "year": _each(lambda value: f"{value[:4]}-01-01"),
    "month": _each(lambda value: f"{value[:7]}-01"),
    "day": _each(lambda value: f"{value[:10]}T00:00:00.000Z"),
    "shift": _shifted,
}
"""How each treatment makes a field's values. References, own ids and metadata have functions of their own."""


def treat_of(file: File, field: Field, leaving: Mapping[str, Treatment]) -> Callable[[Rows], Sequence[Any]] | None:
    """Return the function that makes a field's values; None if they leave as they are."""
    name, treatment = field.name, leaving[field.name]
    if treatment.word == "keep":
        return None
    if treatment.word == "keys":
        return lambda rows: _metadata(rows, treatment.keys)
    if name == "sourcedId":
        if field.refers_to or is_referred_to(file.name):
            return lambda rows: rows.own()[0]
        return lambda rows: _unreferred_ids(rows, leaving)
    if field.refers_to:
        return lambda rows: rows.references(name)
    make = _TABLE[treatment.word]
    return lambda rows: make(rows, name)
