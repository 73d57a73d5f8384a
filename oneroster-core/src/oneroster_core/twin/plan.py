"""The twin of each stream: which fields leave, and how its rows are made."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import compress
from typing import TYPE_CHECKING, Any

from ..codec import line_order, record_class
from ..model import file
from .rows import Rows
from .treatments import PLAIN, treat_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping, Sequence

    from msgspec import Struct

    from ..model import File
    from .policy import Policy, Treatment
    from .rows import World


def reduced(of: File, leaving: Mapping[str, Treatment]) -> File:
    """Return a stream with only the fields that leave."""
    names = set(leaving)
    school, role, terms = (column if column in names else None for column in (of.school, of.role, of.terms))
    fields = tuple(field for field in of.fields if field.name in names)
    return replace(of, fields=fields, school=school, role=role, terms=terms)


class FileTwin:
    """The twin of one stream."""

    def __init__(self, of: File, leaving: Mapping[str, Treatment], world: World, *, scoped: bool = False) -> None:
        self.source = of
        """The stream as the source has it."""
        self.file = reduced(of, leaving)
        """The stream as it leaves."""
        self.world = world
        self.treats = {f.name: treat for f in self.file.fields if (treat := treat_of(of, f, leaving))}
        """By field: the function that makes its values. Other fields leave as they are."""
        if scoped:  # references to what is out of scope are removed, whether they are pseudonyms or not
            bare = [f.name for f in self.file.fields if f.refers_to and f.name not in {"sourcedId", *self.treats}]
            self.treats |= {name: partial(Rows.column, name=name) for name in bare}
        self.plain = frozenset(name for name in self.treats if leaving[name].word in PLAIN)
        """Fields whose texts JSON writes as they are."""
        self._make = record_class(self.file)
        self._order = [field.name for field in line_order(self.file)]

    def rows(self, get: Callable[[str], Sequence[Any]]) -> Rows:
        """Return rows to be treated; `get` returns a column as it came."""
        return Rows(self.source, self.world, get)

    def keeps(self, rows: Rows) -> list[bool] | None:
        """Return for each row whether it is in scope; None if all are."""
        return self.world.inside.keeps(rows) if self.world.inside else None

    def records(self, rows: Rows) -> list[Struct]:
        """Return the records that leave."""
        columns = [treat(rows) if (treat := self.treats.get(name)) else rows.column(name) for name in self._order]
        return list(map(self._make, *columns))

    def of_records(self, records: Sequence[Struct], odd: Counter[str]) -> list[Struct]:
        """Return the records that leave in the place of these; what the scope leaves out is counted in `odd`."""
        rows = self.rows(lambda name: [getattr(record, name) for record in records])
        if (kept := self.keeps(rows)) is not None:
            odd["scope"] += kept.count(False)
            records = list(compress(records, kept))
            rows = self.rows(lambda name: [getattr(record, name) for record in records])
        made = self.records(rows) if records else []
        if rows.removed:
            odd["scope: reference removed"] += rows.removed
        return made


class Twin:
    """The twins of all streams that a policy names."""

    def __init__(self, policy: Policy, world: World) -> None:
        self.policy = policy
        self.world = world
        self._files: dict[str, FileTwin] = {}

    def __contains__(self, stream: str) -> bool:
        return stream in self.policy.elements

    def of(self, stream: str) -> FileTwin:
        """Return the twin of a stream; raise KeyError if the policy does not name it."""
        if stream not in self._files:
            self._files[stream] = FileTwin(
                file(stream), self.policy.elements[stream], self.world, scoped=self.policy.scope is not None
            )
        return self._files[stream]
