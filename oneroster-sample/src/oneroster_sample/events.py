"""Events: what happens to a school on a day, as the command line writes it (`DAY:KIND:SCHOOL[:N]`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._core.model import FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PUPIL_KINDS = ("transfer", "dual", "reentry")
"""Kinds that take N pupils of the school."""
CLASS_KINDS = ("schedule", "term", "course")
"""Kinds that take N classes of the school."""
KEYS = ("identifier", "userMasterIdentifier", "userIds", "email", "username")
"""What tells who a person is, under any sourcedId."""
KINDS = {
    "calendar": "all classes and enrollments of the school come under new ids",
    "people": "all users of the school come under new ids (:no-keys: with new usernames and numbers, too; :email: only it stays)",
    "names": "all users of the school get one of few names",
    "transfer": "N pupils move to another school",
    "dual": "N pupils also take a class at another school",
    "reentry": "N pupils come back after three weeks of absence",
    "schedule": "N classes get another period, room or teacher",
    "term": "N classes move to another term",
    "course": "N classes move to another course",
    "close": "the school closes, with all that belongs to it",
    "half": "half of the school's enrollments are gone",
    "drop-file": "a file does not come: DAY:drop-file:FILE",
    "blank": "a column is empty: DAY:blank:COLUMN",
}
"""What each kind of event does."""
NO_KEYS = "no-keys"
_FIXED = frozenset({"sourcedId", "status", "dateLastModified", "metadata"})
_FORM = "an event is DAY:KIND:SCHOOL[:N], such as 1:transfer:00001:20"


class EventError(ValueError):
    """An event that cannot happen."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"event {text}: {why}")


class Event(NamedTuple):
    """One event; it holds from its day on."""

    day: int
    kind: str
    school: str | None
    number: int | None = None
    """Number of pupils or classes; None: ten, or as many as there are."""
    word: str | None = None
    """The file that is dropped, the column (`FILE.COLUMN`) that is blank, `no-keys`, or the only key that stays."""

    def __str__(self) -> str:
        return ":".join(str(part) for part in self if part is not None)


def parse_events(texts: Iterable[str]) -> tuple[Event, ...]:
    """Return the events in the order in which they happen."""
    return tuple(sorted(map(_parse, texts), key=lambda event: event.day))


def _parse(text: str) -> Event:
    day, kind, *rest = [*text.split(":"), ""][: max(2, text.count(":") + 1)]
    if not day.isdecimal() or not kind:
        raise EventError(text, _FORM)
    if kind not in KINDS:
        raise EventError(text, f"no such kind: there are {', '.join(KINDS)}")
    if int(day) < 1:
        raise EventError(text, "the first night has no night before it: events begin on day 1")
    if not 1 <= len(rest) <= 2 or not all(rest):
        raise EventError(text, f"{KINDS[kind]}, or with the school before it" if kind in _NAMED else _FORM)
    if kind in _NAMED:
        school = rest[0] if len(rest) == 2 and rest[0] != "*" else None
        return Event(int(day), kind, _padded(school), word=_NAMED[kind](text, rest[-1]))
    school, number = _padded(rest[0]), rest[1] if len(rest) == 2 else ""
    if kind == "people" and number in (NO_KEYS, *KEYS):
        return Event(int(day), kind, school, word=number)
    return Event(int(day), kind, school, _count(text, kind, number) if number else None)


def _count(text: str, kind: str, number: str) -> int:
    if kind not in (*PUPIL_KINDS, *CLASS_KINDS):
        raise EventError(text, f"{kind} takes no number")
    if not number.isdecimal() or int(number) < 1:
        raise EventError(text, "N is a number from 1 on")
    return int(number)


def _padded(school: str | None) -> str | None:
    return school.zfill(5) if school and school.isdecimal() else school


def _file(text: str, name: str) -> str:
    if name not in {file.name for file in FILES}:
        raise EventError(text, f"no such file: {name}")
    return name


def _column(text: str, name: str) -> str:
    file_name, _, column = name.rpartition(".")
    found = [
        f"{file.name}.{field.name}"
        for file in FILES
        for field in file.fields
        if field.name == column and field.name not in _FIXED and file_name in ("", file.name)
    ]
    if not found:
        raise EventError(text, f"no column of that name that could be blank: {name}")
    if len(found) > 1:
        raise EventError(text, f"name the file of the column: {', '.join(found)}")
    return found[0]


_NAMED: dict[str, Callable[[str, str], str]] = {"drop-file": _file, "blank": _column}
"""Kinds that name a file or a column."""
