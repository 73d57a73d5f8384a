"""Make the rows that REST nests inside the records of a collection, in one pass over its pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import compress
from operator import attrgetter, not_
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._core.coerce.texts import NO_ID
from ..._core.derive import Form, Held, Nested, nested_rows, number, profile_ids, roles_of_users
from ..._core.model import Kind
from .rows import RowMaker

if TYPE_CHECKING:
    from msgspec import Struct

    from ..._core.model import File, Version
    from ...policy import Policy
    from ...source import Records


def _elements(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


_STRUCTS = Form(lambda one, name: getattr(one, name, None), _elements, lambda ref: ref.sourcedId or None)
"""The form of records that were decoded into Structs."""


class _Found(NamedTuple):
    """One row to be made, and the place of its parent."""

    place: int
    row: Nested


class DerivedRows:
    """Makes the rows of one derived stream."""

    def __init__(self, stream: File, version: Version, policy: Policy) -> None:
        if stream.derived is None:
            raise ValueError(stream.name)
        self.stream = stream
        self._how = stream.derived
        self._parent_column = self._how.identity[0]
        self._maker = RowMaker(stream, version, policy)
        self._columns = [f.name for f in stream.fields]
        last = self._how.identity[-1]
        self._link = last if stream.field(last).kind == Kind.REF else None
        """The column that names the other record, if the rows link two records."""

    def rows(
        self,
        records: Sequence[Any],
        parents: Records,
        deviations: Counter[str],
        united: Mapping[str, Sequence[Held]] = MappingProxyType({}),
    ) -> list[Struct]:
        """Return the rows nested in these REST records; `parents` are the corresponding records of the warehouse shape.

        `united` maps 1.1 users with several records to all their roles.
        """
        held = list(map(attrgetter(self._how.rest), records))
        found = [
            _Found(place, row)
            for place, value in compress(enumerate(held), held)
            for row in nested_rows(self.stream, value, _STRUCTS)
        ]
        if self._link:
            whole = [one for one in found if one.row.columns[self._link]]
            if len(whole) < len(found):
                deviations[f"{self._link}: {NO_ID}"] += len(found) - len(whole)
            found = whole
        made: list[Struct] = number(self.stream, self._read(found, records, parents, deviations))
        if len(made) < len(found):
            deviations["the same row twice in one record"] += len(found) - len(made)
        if self._how.rest == "roles":
            # 1.1 has a role and orgs of a user, but no list of roles.
            bare = list(map(not_, held))
            made += roles_of_users(lambda name: list(compress(parents.values(name), bare)), united)
        return made

    def _read(
        self, found: Sequence[_Found], records: Sequence[Any], parents: Records, deviations: Counter[str]
    ) -> list[Any]:
        if not found:
            return []
        rows = [one.row for one in found]
        given: dict[str, list[Any]] = {"sourcedId": [None] * len(found)}
        for column, name in (
            ("status", "status"),
            ("dateLastModified", "dateLastModified"),
            (self._parent_column, "sourcedId"),
        ):
            values = parents.values(name)
            given[column] = [values[one.place] for one in found]
        for name in dict.fromkeys(name for row in rows for name in row.columns):
            given[name] = [row.columns.get(name) for row in rows]
        if self._how.rest == "roles":
            given["userProfileSourcedId"] = self._profiles(found, records, parents, deviations)
        if rows[0].rest is None:
            for name in self._columns:
                given.setdefault(name, [None] * len(found))
        return self._maker.make([row.rest for row in rows], deviations, given).records

    def _profiles(
        self, found: Sequence[_Found], records: Sequence[Any], parents: Records, deviations: Counter[str]
    ) -> list[str | None]:
        """Return the profile ids that roles refer to by URI: the id of the first row of each profile."""
        users = parents.values("sourcedId")
        named = [(users[one.place], one.row.rest.userProfile) for one in found]
        if not any(profile for _, profile in named):
            return [None] * len(found)
        ids = {
            (user, name): row_id
            for user, record in zip(users, records, strict=True)
            for name, row_id in profile_ids(user, record.userProfiles, _STRUCTS).items()
        }
        lost = sum(1 for key in named if key[1] and key not in ids)
        if lost:
            deviations["userProfileSourcedId: a profile that the user does not have"] += lost
        return [ids.get(key) if key[1] else None for key in named]
