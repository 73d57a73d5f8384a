"""The last steps of a night for each row: what is removed, new ids, times of change, blank columns."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from ._core.model import Kind, Version, file
from .belonging import AT_ORG, HOME, OF_PERSONS, PERSON
from .events import KEYS, NO_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .nights import Night
    from .rows import Row


class Item(NamedTuple):
    """A row on its way, with what the events did to it."""

    origin: str
    """The id of the row without events, or of the event that made it."""
    row: Row | None
    """None if an event removed it."""
    by: tuple[int, ...] = ()
    """Numbers of the events that made, changed or removed it."""
    graves: tuple[tuple[int, Row], ...] = ()
    """What it was under ids that are gone, with the number of the event that ended each; a removal comes first."""
    made: int | None = None
    """Number of the event that made the row."""


class Change(NamedTuple):
    """A row and the numbers of the events that changed it, removed it, and made it."""

    row: Row
    by: list[int]
    removed: int | None = None
    made: int | None = None


class Finish:
    """The last steps for the rows of one file: what is removed, new ids, times of change, blank columns."""

    def __init__(self, night: Night, name: str, version: Version) -> None:
        self._night, self._name = night, name
        self._home = HOME.get(name)
        events = night.events.items()
        self._drops = [(n, event.school) for n, event in events if (event.kind, event.word) == ("drop-file", name)]
        self._blanks = [
            (n, event.school, (event.word or "").partition(".")[2])
            for n, event in events
            if event.kind == "blank" and (event.word or "").startswith(f"{name}.")
        ]
        self._names = [(n, event.school) for n, event in events if event.kind == "names" and name == "users"]
        fields = [field for field in file(name).fields if field.exists_in(version) and field.refers_to]
        self._refs = [
            (field.name, field.kind == Kind.REFS, *_RENAMED[field.refers_to])
            for field in fields
            if field.refers_to in _RENAMED
        ]
        if name in _RENAMED:
            self._refs.append(("sourcedId", False, *_RENAMED[name]))
        self.always = bool(self._drops or self._blanks)

    def __call__(self, change: Change) -> Item:
        """Return the row as the night leaves it."""
        row, by, removed, made = change
        night, origin = self._night, row["sourcedId"]
        ends = [n for n in (removed, self._closed(row), self._dropped(row)) if n is not None]
        removed = min(ends, default=None)
        home = self._home(row) if (self._blanks or self._names) and self._home else None
        if row["status"] != "active":
            day = row["dateLastModified"][:10]
            ended = next((n for n, event in night.events.items() if night.plan.year.date(event.day) >= day), None)
        else:
            ended = removed
        ids = self._rename(row, by, ended)
        if removed is not None:
            kept = None
            graves = [(removed, self._grave(row, origin, removed))]
            by.append(removed)
        else:
            kept, graves = row, []
            for n in (n for n, school in self._names if school == home):
                _give_name(row, origin)
                by.append(n)
            for n, school, column in self._blanks:
                if row[column] is not None and school in (None, home):
                    row[column] = None
                    by.append(n)
        for n in by if kept and row["status"] == "active" else ():
            row["dateLastModified"] = max(row["dateLastModified"], self._stamp(n, origin))
        graves += [(n, self._grave(row | {"sourcedId": old}, origin, n)) for n, old in ids]
        return Item(origin, kept, tuple(by), tuple(graves), made)

    def _stamp(self, number: int, origin: str) -> str:
        night = self._night
        return night.plan.year.stamp_on(night.events[number].day, crc32(origin.encode()))

    def _grave(self, row: Row, origin: str, number: int) -> Row:
        return row | {"status": "tobedeleted", "dateLastModified": self._stamp(number, origin)}

    def _dropped(self, row: Row) -> int | None:
        for n, school in self._drops:
            if school is None or (self._home and self._home(row) == school):
                return n
        return None

    def _closed(self, row: Row) -> int | None:
        night = self._night
        if not night.closed or not self._home:
            return None
        number = None
        if self._name not in OF_PERSONS:
            place = row[AT_ORG[self._name]] if self._name in AT_ORG else self._home(row)
            number = night.closed.get(place)
        if number is None and self._name in PERSON:
            number = night.gone_by(PERSON[self._name](row))
        return number

    def _rename(self, row: Row, by: list[int], ended: int | None) -> list[tuple[int, str]]:
        """Give new ids to what the row refers to and to itself; return its earlier ids and the events that ended them."""
        earlier: list[tuple[int, str]] = []
        for name, many, letter in self._refs:
            value = row[name]
            if value is None:
                continue
            if many:
                ids = [(item, self._renames(letter, item, ended)) for item in value]
                row[name] = [new_id(letter, numbers, item) for item, numbers in ids]
                by += {n for _, numbers in ids for n in numbers}
            elif numbers := self._renames(letter, value, ended):
                row[name] = new_id(letter, numbers, value)
                by += numbers
                if name == "sourcedId":
                    earlier = _earlier_ids(letter, numbers, value)
        for word in (self._night.events[n].word for n, _ in earlier) if self._name == "users" else ():
            if word in (NO_KEYS, *KEYS):
                _forget_keys(row, word)
        if self._name == "enrollments" and (numbers := self._renames("e", row["schoolSourcedId"], ended)):
            earlier = _earlier_ids("e", numbers, row["sourcedId"])
            row["sourcedId"] = new_id("e", numbers, row["sourcedId"])
            by += numbers
        return earlier

    def _renames(self, letter: str, its_id: str, ended: int | None) -> list[int]:
        """Return the events before `ended` that gave new ids to a user, a class, or the enrollments of a school."""
        night = self._night
        numbers = {"u": night.renamed_user, "c": night.renamed_class, "e": night.rebuilt}[letter](its_id)
        return [n for n in numbers if ended is None or n < ended]


def _earlier_ids(letter: str, numbers: list[int], its_id: str) -> list[tuple[int, str]]:
    return [(n, new_id(letter, numbers[:k], its_id)) for k, n in enumerate(numbers)]


_RENAMED = {"users": ("u",), "classes": ("c",)}
"""Files whose rows get new ids that others refer to, with the letter of those ids."""


def new_id(letter: str, numbers: Sequence[int], its_id: str) -> str:
    """Return the id that the last of these events gave."""
    return f"{letter}-{_hash(numbers[-1], its_id)}" if numbers else its_id


def _forget_keys(row: Row, kept: str) -> None:
    """Give a person other usernames and numbers, so that only the name, and one key if it is named, tells who it is."""
    its_id = row["sourcedId"]
    new = {
        "username": its_id,
        "email": f"{its_id}@example.org",
        "identifier": its_id,
        "userIds": [{"type": "State", "identifier": its_id}],
        "userMasterIdentifier": f"UMI-{its_id}",
    }
    row.update({key: row[key] and new[key] for key in KEYS if key != kept})


def _give_name(row: Row, origin: str) -> None:
    draw = crc32(origin.encode())
    row["givenName"], row["familyName"] = ("Kim", "Ola", "Sam")[draw % 3], ("Lind", "Berg")[draw // 3 % 2]


def _hash(number: int, its_id: str) -> str:
    return blake2b(f"{number}:{its_id}".encode(), digest_size=8).hexdigest()
