"""Some rows of one stream while they become rows of a twin: columns as they came, and what is computed from them once."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol

from .name_lists import names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..model import File
    from .keys import Ids


class Titles(Protocol):
    """What the pattern for titles needs to know of the district."""

    def holds_name(self, title: str) -> bool:
        """True if a title holds the name of a teacher."""

    def code(self, course: str | None) -> str | None:
        """Return the code of a course."""


class Inside(Protocol):
    """The ids that are in scope."""

    def limits(self, stream: str) -> bool:
        """True if some rows of the stream may be out of scope."""

    def holds(self, stream: str, one: str) -> bool:
        """True if a row of the stream is in scope."""

    def keeps(self, rows: Rows) -> list[bool] | None:
        """Return for each row whether it is in scope; None if all are."""


@dataclass
class World:
    """What all streams of a twin share."""

    ids: Ids
    names: int = 1
    email_domain: str = "twin.invalid"
    titles: Titles | None = None
    inside: Inside | None = None
    given: tuple[str, ...] = field(init=False)
    family: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Read the lists of names."""
        self.given, self.family = names("given", self.names), names("family", self.names)


def person_field(file: File) -> str | None:
    """Return the field that names the person of a row; None if rows are about no person."""
    if file.name == "users":
        return "sourcedId"
    return next((f.name for f in file.fields if f.refers_to == "users" and not f.kind.is_list), None)


class Rows:
    """Some rows of a stream. `get` returns a column as it came, in the shape of the warehouse."""

    def __init__(self, file: File, world: World, get: Callable[[str], Sequence[Any]]) -> None:
        self.file = file
        self.world = world
        self._get = get
        self._raw: dict[str, Sequence[Any]] = {}
        self._columns: dict[str, Sequence[Any]] = {}
        self._persons: tuple[list[str], list[bytes]] | None = None
        self._own: tuple[list[str], list[bytes]] | None = None
        self.removed = 0
        """References that were removed, because what they name is out of scope."""

    def column(self, name: str) -> Sequence[Any]:
        """Return the values of a field as they came, without references to what is out of scope."""
        if name not in self._columns:
            self._columns[name] = self._within(name, self.raw(name))
        return self._columns[name]

    def raw(self, name: str) -> Sequence[Any]:
        """Return the values of a field as they came."""
        if name not in self._raw:
            self._raw[name] = self._get(name)
        return self._raw[name]

    def _within(self, name: str, values: Sequence[Any]) -> Sequence[Any]:
        of, inside = self.file.field(name), self.world.inside
        if inside is None or not of.refers_to or name == "sourcedId" or not inside.limits(of.refers_to):
            return values
        holds, stream = inside.holds, of.refers_to
        if not of.kind.is_list:
            kept: list[Any] = [one if one and holds(stream, one) else None for one in values]
            self.removed += kept.count(None) - list(values).count(None)
            return kept
        kept = [[one for one in many if holds(stream, one)] or None if many else None for many in values]
        self.removed += sum(map(len, filter(None, values))) - sum(map(len, filter(None, kept)))
        return kept

    def own(self) -> tuple[list[str], list[bytes]]:
        """Return the rows' pseudonyms and marks."""
        if self._own is None:
            domain = self.file.field("sourcedId").refers_to or self.file.name
            self._own = self.world.ids.own(domain, self.raw("sourcedId"))
        return self._own

    def persons(self) -> tuple[list[str], list[bytes]]:
        """Return pseudonyms and marks of the persons that the rows are about."""
        name = person_field(self.file)
        if name == "sourcedId":
            return self.own()
        if self._persons is None:
            self._persons = self.world.ids.own("users", [one or "" for one in self.raw(name or "sourcedId")])
        return self._persons

    def references(self, name: str) -> list[Any]:
        """Return the pseudonyms of a reference, or of lists of them."""
        of, values = self.file.field(name), self.column(name)
        pseudonyms = self.world.ids.pseudonyms
        domain = of.refers_to or self.file.name
        if not of.kind.is_list:
            return pseudonyms(domain, values)
        flat = iter(pseudonyms(domain, list(chain.from_iterable(filter(None, values)))))
        return [list(islice(flat, len(many))) if many else None for many in values]
