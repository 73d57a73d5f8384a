"""Which treatments a field can get, and the one that it gets by default: one table for policies, checks and element lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..model import FILES, Personal, file

if TYPE_CHECKING:
    from ..model import Field, File

ALWAYS = ("sourcedId", "status", "dateLastModified")
"""Fields of a named stream that leave in any case."""

CLEAR = frozenset({"keep", "drop", "day", "year", "month", "initial"})
"""Treatments that need no key."""

_NOT_BY_STAR = frozenset(Personal) - {Personal.SCHEDULE, Personal.PERFORMANCE}
BY_STAR = "all fields but those of the kinds " + " ".join(kind for kind in Personal if kind in _NOT_BY_STAR)

MEANINGS = {
    "keep": "as it is",
    "drop": "does not leave",
    "keyed": "a pseudonym in its place",
    "pseudonym": "a pseudonym in its place",
    "day": "cut to the day",
    "fake": "another one in its place, the same every night",
    "initial": "first letter of the real one",
    "label": "a word and four digits of the pseudonym",
    "hmac": "a pseudonym of the address in lower case, for matching",
    "year": "1 January of the year",
    "month": "first day of the month",
    "shift": "moved by up to 183 days, each person by a number of days of their own",
    "pattern": "course code and a number if it holds a name of a teacher, else as it is",
    "keys": "only the keys that are named",
}
"""What each treatment does, for element lists."""


class Choice(NamedTuple):
    """The treatments of a field; the first one is the default."""

    words: tuple[str, ...]
    why: str = ""
    """Why another treatment is refused, if there is more to say."""

    @property
    def default(self) -> str:
        """The treatment of a field that is named without one."""
        return self.words[0]


_NEVER_SHIFTED = (
    "a date like this is kept or dropped: everybody in a class begins on the same day, so a shift gives itself away"
)
_BY_NAME: dict[tuple[str, str], tuple[str, ...]] = {
    ("users", "username"): ("fake", "pseudonym", "keep", "drop"),
    ("userProfiles", "username"): ("fake", "pseudonym", "keep", "drop"),
    ("userProfiles", "profileId"): ("keyed", "drop"),
    ("users", "email"): ("fake", "hmac", "keep", "drop"),
    ("users", "sms"): ("fake", "keep", "drop"),
    ("users", "phone"): ("fake", "keep", "drop"),
    ("classes", "title"): ("pattern", "keep", "label", "drop"),
    ("classes", "classCode"): ("pattern", "keep", "drop"),
    ("courses", "title"): ("pattern", "keep", "label", "drop"),
    ("orgs", "name"): ("keep", "label", "drop"),
    ("orgs", "identifier"): ("keep", "label", "drop"),
}
_BY_KIND: dict[Personal, tuple[str, ...]] = {
    Personal.NAME: ("fake", "initial", "label", "keep", "drop"),
    Personal.IDENTIFIER: ("pseudonym", "keep", "drop"),
    Personal.BIRTH: ("year", "month", "shift", "keep", "drop"),
    Personal.DEMOGRAPHIC: ("drop", "keep"),
    Personal.SPECIAL: ("drop", "keep"),
    Personal.TEXT: ("drop", "keep"),
}


def streams() -> dict[str, File]:
    """Return the streams that a policy can name."""
    return {of.name: of for of in FILES}


def fields_of(stream: str) -> dict[str, Field]:
    """Return the fields of a stream that a policy can name; a secret is never among them."""
    return {field.name: field for field in file(stream).fields if not field.secret}


def is_referred_to(stream: str) -> bool:
    """True if fields of any stream refer to this one."""
    return any(field.refers_to == stream for of in FILES for field in of.fields)


def is_by_star(field: Field) -> bool:
    """True if `'*'` means this field, too."""
    return field.name in ALWAYS or (not field.secret and field.personal not in _NOT_BY_STAR)


def choice_of(stream: str, field: Field, *, clear: bool = False) -> Choice:
    """Return the treatments of a field; `clear`: of those that need no key, with `keep` as the default."""
    choice = _choice(stream, field)
    if not clear:
        return choice
    words = ("keep", *(word for word in choice.words if word in CLEAR - {"keep"}))
    if field.name == "sourcedId":
        words = ("keep",)
    return Choice(words, choice.why)


def _choice(stream: str, field: Field) -> Choice:
    if field.name == "sourcedId":
        return Choice(("keyed",))
    if field.name == "status":
        return Choice(("keep",))
    if field.name == "dateLastModified":
        return Choice(("day", "keep"))
    if field.name == "metadata":
        return Choice(("drop",), "name the keys that may leave: metadata: [key, key]")
    if field.refers_to:
        return Choice(("keyed", "drop"))
    if words := _BY_NAME.get((stream, field.name)):
        return Choice(words)
    if field.personal in _BY_KIND:
        return Choice(_BY_KIND[field.personal])
    dated = field.kind.value in {"date", "datetime"}
    return Choice(("keep", "drop"), _NEVER_SHIFTED if dated else "")
