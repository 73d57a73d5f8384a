"""Rows that REST keeps inside the records of a collection, made in one pass over its pages."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._core.derive import roles_of_users
from ..._core.model import File, Version, file
from ..._core.model.ids import derived_id
from .rows import RowMaker

if TYPE_CHECKING:
    from msgspec import Struct

    from ...policy import Policy

__all__ = ["DerivedRows"]

_BARE_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_PROFILES = file("userProfiles")


class _Found(NamedTuple):
    """One row in the making: its parent, and the columns that only this stream knows."""

    parent: Any
    columns: dict[str, Any]
    nested: Any = None


def _roles(parent: Any, value: Any) -> Iterator[_Found]:
    for role in value:
        yield _Found(parent, {}, role)


def _profiles(parent: Any, value: Any) -> Iterator[_Found]:
    """A row for each credential of a profile, and one for a profile without."""
    for profile in value:
        for login in profile.credentials or (None,):
            columns = {
                "credentialType": (login and login.type) or None,
                "username": (login and login.username) or None,
                "password": (login and login.password) or None,
            }
            yield _Found(parent, columns, profile)


def _score_scale(parent: Any, value: Any) -> Iterator[_Found]:
    yield _Found(parent, {"scoreScaleSourcedId": value.sourcedId or None})


def _objectives(parent: Any, value: Any) -> Iterator[_Found]:
    for group in value:
        for one in group.learningObjectiveIds or ():
            yield _Found(parent, _objective(group.source, one))


def _objective_results(parent: Any, value: Any) -> Iterator[_Found]:
    for group in value:
        for one in group.learningObjectiveResults or ():
            columns = _objective(group.source, one.learningObjectiveId)
            yield _Found(parent, {**columns, "score": one.score, "textScore": one.textScore or None})


def _resources(parent: Any, value: Any) -> Iterator[_Found]:
    for ref in value:
        yield _Found(parent, {"resourceSourcedId": ref.sourcedId or None})


def _objective(source: str | None, value: str | None) -> dict[str, Any]:
    if source == "case" and value and _BARE_UUID.match(value):
        value = f"urn:uuid:{value}"
    return {"source": source or None, "learningObjectiveId": value or None}


_FINDERS: dict[str, Callable[[Any, Any], Iterator[_Found]]] = {
    "roles": _roles,
    "userProfiles": _profiles,
    "lineItemScoreScales": _score_scale,
    "resultScoreScales": _score_scale,
    "lineItemLearningObjectiveIds": _objectives,
    "resultLearningObjectiveIds": _objective_results,
}


class DerivedRows:
    """Makes the rows of one derived stream."""

    def __init__(self, stream: File, version: Version, policy: Policy) -> None:
        if stream.derived is None:
            raise ValueError(stream.name)
        self.stream = stream
        self._how = stream.derived
        self._find = _FINDERS.get(stream.name, _resources)
        self._parent_column = self._how.identity[0]
        self._identity = attrgetter(*self._how.identity)
        self._maker = RowMaker(stream, version, policy)
        self._columns = [f.name for f in stream.fields]

    def rows(self, records: Sequence[Any], parents: Sequence[Struct], deviations: Counter[str]) -> list[Struct]:
        """Rows held in these REST records, of which `parents` are the warehouse records."""
        held = list(map(attrgetter(self._how.rest), records))
        found = [
            one
            for parent, value in compress(zip(parents, held, strict=True), held)
            for one in self._find(parent, value)
        ]
        made = self._number(self._read(found, records, parents, deviations), deviations)
        if self._how.rest == "roles":
            # 1.1 knows a user's role and orgs, and no list of roles.
            made += roles_of_users([p for p, value in zip(parents, held, strict=True) if not value])
        return made

    def _read(
        self,
        found: Sequence[_Found],
        records: Sequence[Any],
        parents: Sequence[Struct],
        deviations: Counter[str],
    ) -> list[Any]:
        if not found:
            return []
        nested = found[0].nested is not None
        given: dict[str, list[Any]] = {
            "sourcedId": [None] * len(found),
            "status": [one.parent.status for one in found],
            "dateLastModified": [one.parent.dateLastModified for one in found],
            self._parent_column: [one.parent.sourcedId for one in found],
        }
        for name in found[0].columns:
            given[name] = [one.columns[name] for one in found]
        if self._how.rest == "roles":
            given["userProfileSourcedId"] = self._profiles(found, records, parents, deviations)
        if not nested:
            for name in self._columns:
                given.setdefault(name, [None] * len(found))
        return self._maker.read([one.nested for one in found], deviations, given)

    def _profiles(
        self,
        found: Sequence[_Found],
        records: Sequence[Any],
        parents: Sequence[Any],
        deviations: Counter[str],
    ) -> list[str | None]:
        """Ids of the profiles that roles name by their URI: of the first row of each profile."""
        if not any(one.nested.userProfile for one in found):
            return [None] * len(found)
        ids = {
            (parent.sourcedId, profile.profileId): derived_id(
                _PROFILES,
                (
                    parent.sourcedId,
                    profile.profileId,
                    profile.credentials[0].type or None if profile.credentials else None,
                ),
            )
            for parent, record in zip(parents, records, strict=True)
            for profile in reversed(record.userProfiles or ())
        }
        named = [(one.parent.sourcedId, one.nested.userProfile) for one in found]
        lost = sum(1 for key in named if key[1] and key not in ids)
        if lost:
            deviations["userProfileSourcedId: a profile that the user does not have"] += lost
        return [ids.get(key) if key[1] else None for key in named]

    def _number(self, rows: list[Any], deviations: Counter[str]) -> list[Struct]:
        """Give each row its id; those that share an identity are numbered, or are one row."""
        groups: dict[Any, list[Any]] = defaultdict(list)
        identity, by = self._identity, self._how.ordinal_by
        for row in rows:
            groups[identity(row)].append(row)
        kept = rows if by or len(groups) == len(rows) else [group[0] for group in groups.values()]
        if len(kept) < len(rows):
            deviations["the same row twice in one record"] += len(rows) - len(kept)
        stream = self.stream
        for key, group in groups.items():
            if by and len(group) > 1:
                group.sort(key=lambda row: getattr(row, by) or "")
            for ordinal, row in enumerate(group):
                row.sourcedId = derived_id(stream, key, ordinal)
        return kept
