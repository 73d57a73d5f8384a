"""Decide which of the records of one id, in the order of the source, is delivered, if any.

In a conflict none is delivered, or with `on_invalid: accept` the last one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_64_intdigest

from ..codec import encode_value
from ..errors import SourceError
from . import CONFLICT, IDENTICAL, NEWEST, PLACES, UNITED

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..derive import Held

REJECTED = f"sourcedId: {CONFLICT}"
_ACCEPTED = f"{REJECTED}, the last one was kept"

_MODIFIED = "dateLastModified"


@dataclass(slots=True)
class _Group:
    """The data about records with one id that is needed to decide between them."""

    content: int
    """Digest of the newest record, without its `dateLastModified`, and for a user without org and role."""
    held: tuple[Any, ...]
    """The distinct orgs and roles of the newest records."""
    newest: str
    oldest: str
    place: Any
    """Place of the first of the newest records."""
    last: Any
    """Place of the last record."""
    rows: int = 1
    newest_rows: int = 1
    alike: bool = True
    """True if all records are equal except for `dateLastModified`."""
    agree: bool = True
    """True if the newest records are equal except for org and role."""

    def add(self, content: int, held: Any, modified: str, place: Any) -> None:
        """Add another record."""
        self.rows += 1
        self.last = place
        self.alike &= content == self.content and self.held == (held,)
        self.oldest = min(self.oldest, modified)
        if modified > self.newest:
            self.content, self.held, self.newest, self.place = content, (held,), modified, place
            self.newest_rows, self.agree = 1, True
        elif modified == self.newest:
            self.newest_rows += 1
            self.agree &= content == self.content
            self.held = tuple(dict.fromkeys((*self.held, held)))

    @property
    def conflicts(self) -> bool:
        """True if it is unknown which of the records is right."""
        return not self.alike and (not self.agree or (not self.oldest and self.newest > ""))

    def rules(self) -> Counter[str]:
        """Count the records that are not delivered although they are valid."""
        same = self.newest_rows - len(self.held)
        return +Counter({NEWEST: self.rows - self.newest_rows, IDENTICAL: same, UNITED: len(self.held) - 1})


@dataclass(slots=True)
class Settled:
    """The decisions about ids that occurred more than once."""

    kept: dict[str, Any] = field(default_factory=dict)
    """By id: the place of the delivered record; None if none is delivered."""
    united: dict[str, tuple[Held, ...]] = field(default_factory=dict)
    """By id of a person: the distinct orgs and roles of all records."""
    deviations: Counter[str] = field(default_factory=Counter)
    collapsed: int = 0
    """Records that are not delivered because another one is equal or newer."""
    rejected: int = 0
    """Records that are left out because of a conflict."""

    def add(self, other: Settled) -> None:
        """Add the decisions about other ids, except for the places."""
        self.united |= other.united
        self.collapsed += other.collapsed
        self.rejected += other.rejected

    def unite(self, record: Any) -> None:
        """Set a person's orgs to those of all records of the person."""
        if held := self.united.get(record.sourcedId):
            record.orgSourcedIds = list(dict.fromkeys(org for org, _ in held))


class Copies:
    """Collects records by id, and decides which are delivered.

    Memory grows with the number of repeated ids, not with the collection.
    """

    def __init__(self, on_invalid: str, where: Callable[[Any], str]) -> None:
        """`where` names the place of a record in a message."""
        self._where = where
        self._on_invalid = on_invalid
        self.groups: dict[str, _Group] = {}

    def take(self, record: Any, place: Any, beside: Any = None) -> None:
        """Add a record with its place; `beside` is content that the record itself does not contain."""
        names = type(record).__struct_fields__
        apart = PLACES if set(PLACES) <= set(names) else ()
        rest = [getattr(record, name) for name in names if name != _MODIFIED and name not in apart]
        content = xxh3_64_intdigest(encode_value((rest, beside)))
        held = tuple(tuple(v) if isinstance(v, list) else v for v in (getattr(record, name) for name in apart))
        modified = record.dateLastModified or ""
        if group := self.groups.get(record.sourcedId):
            group.add(content, held, modified, place)
        else:
            self.groups[record.sourcedId] = _Group(content, (held,), modified, modified, place, place)

    def settle(self) -> Settled:
        """Decide for all ids; raise SourceError if there is a conflict and `on_invalid` is `fail`."""
        settled = Settled()
        for one, group in self.groups.items():
            if not group.conflicts:
                settled.kept[one] = group.place
                settled.deviations += group.rules()
                settled.collapsed += group.rows - 1
                if len(group.held) > 1:
                    settled.united[one] = tuple(
                        dict.fromkeys((org, role) for orgs, role in group.held for org in orgs or ())
                    )
            elif self._on_invalid == "accept":
                settled.kept[one] = group.last
                settled.deviations[_ACCEPTED] += group.rows - 1
                settled.rejected += group.rows - 1
            elif self._on_invalid == "fail":
                raise SourceError(f"{self._where(group.last)}: {REJECTED}")
            else:
                settled.kept[one] = None
                settled.deviations[REJECTED] += group.rows
                settled.rejected += group.rows
        return settled
