"""REST records made from rows: references with href, nested rows, booleans as text."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ._core.model import BASE_PATHS, Field, File, Kind, Version, file
from .rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Children = dict[str, list[Row]]
"""Rows of derived files that belong to one record, by file."""

# For some references, 1.1 uses a more specific type than the class of the target.
_NARROW_1_1 = {"termSourcedIds": "term", "academicSessionSourcedId": "gradingPeriod", "studentSourcedId": "student"}
_URN = "urn:uuid:"


class Shape:
    """The REST form of one version at one address."""

    def __init__(self, version: Version, root: str) -> None:
        self._version, self._root = version, root
        self._plans: dict[str, list[tuple[str, str, Callable[[Any], Any] | None]]] = {}
        self._href = lru_cache(maxsize=200_000)(self._make_href)

    def record(self, its: File, row: Row, children: Children) -> Row:
        """Return the record of a row, with its derived rows nested in it."""
        record: Row = {}
        for name, key, convert in self._plan(its):
            value = row[name]
            if value is not None:
                record[key] = convert(value) if convert else value
        for name, rows in children.items():
            record |= _NESTED[name](self, rows)
        return record

    def _plan(self, its: File) -> list[tuple[str, str, Callable[[Any], Any] | None]]:
        if its.name not in self._plans:
            self._plans[its.name] = [
                (field.name, self._key(field), self._conversion(field))
                for field in its.fields
                if field.exists_in(self._version) and field.rest_names
            ]
        return self._plans[its.name]

    def _key(self, field: Field) -> str:
        names = field.rest_names
        # If 1.2 renamed a property, the last name is that of 1.1.
        return names[-1] if self._version == Version.V1_1 else names[0]

    def _conversion(self, field: Field) -> Callable[[Any], Any] | None:
        if field.name == "sourcedId":
            return None
        if field.kind in (Kind.REF, Kind.REFS):
            target = field.refers_to or ""
            word = _NARROW_1_1.get(field.name) if self._version == Version.V1_1 else None
            if field.kind == Kind.REF:
                return lambda value: self.reference(target, value, word)
            return lambda value: [self.reference(target, item, word) for item in value]
        if field.kind == Kind.TRUE_FALSE:
            return lambda value: "true" if value else "false"
        if field.kind == Kind.OBJECT:
            return _nested
        if field.kind in (Kind.OBJECTIVES, Kind.OBJECTIVE_SCORES):
            return _without_nulls
        return None

    def reference(self, name: str, sourced_id: str, word: str | None = None) -> Row:
        """Return a reference to a record of that file."""
        href, its_word = self._href(name, sourced_id)
        return {"href": href, "sourcedId": sourced_id, "type": word or its_word}

    def _make_href(self, name: str, sourced_id: str) -> tuple[str, str]:
        its = file(name)
        if its.collection is None:
            raise ValueError(f"{name} has no collection to refer to")
        base = BASE_PATHS[self._version][its.service] + its.collection.path
        return f"{self._root}{base}/{quote(sourced_id, safe='')}", its.collection.single


def _nested(metadata: dict[str, Any]) -> Row:
    """Return metadata as nested objects: the dots in keys separate the levels."""
    tree: Row = {}
    for key, value in metadata.items():
        *path, last = key.split(".")
        place = tree
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return tree


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


def _filled(**values: Any) -> Row:
    return {key: value for key, value in values.items() if value is not None}


def _roles(shape: Shape, rows: Iterable[Row]) -> Row:
    return {
        "roles": [
            _filled(
                roleType=row["roleType"],
                role=row["role"],
                org=shape.reference("orgs", row["orgSourcedId"]),
                userProfile=row["userProfileSourcedId"],
                beginDate=row["beginDate"],
                endDate=row["endDate"],
            )
            for row in rows
        ]
    }


def _profiles(_: Shape, rows: Iterable[Row]) -> Row:
    profiles: dict[str, Row] = {}
    for row in rows:
        named = ("profileId", "profileType", "vendorId", "applicationId", "description")
        profile = profiles.setdefault(row["profileId"], _filled(**{key: row[key] for key in named}))
        credential = _filled(type=row["credentialType"], username=row["username"], password=row["password"])
        profile.setdefault("credentials", []).append(credential)
    return {"userProfiles": list(profiles.values())}


def _resources(shape: Shape, rows: Iterable[Row]) -> Row:
    return {"resources": [shape.reference("resources", row["resourceSourcedId"]) for row in rows]}


def _scale(shape: Shape, rows: Iterable[Row]) -> Row:
    only = next(iter(rows))  # REST has room for only one
    return {"scoreScale": shape.reference("scoreScales", only["scoreScaleSourcedId"])}


def _objectives(_: Shape, rows: Iterable[Row]) -> Row:
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        sources[row["source"]].append(row["learningObjectiveId"].removeprefix(_URN))
    return {"learningObjectiveSet": [{"source": s, "learningObjectiveIds": ids} for s, ids in sources.items()]}


def _objective_results(_: Shape, rows: Iterable[Row]) -> Row:
    sources: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        objective = row["learningObjectiveId"].removeprefix(_URN)
        result = _filled(learningObjectiveId=objective, score=row["score"], textScore=row["textScore"])
        sources[row["source"]].append(result)
    return {"learningObjectiveSet": [{"source": s, "learningObjectiveResults": own} for s, own in sources.items()]}


_NESTED: dict[str, Callable[[Shape, Iterable[Row]], Row]] = {
    "classResources": _resources,
    "courseResources": _resources,
    "lineItemLearningObjectiveIds": _objectives,
    "lineItemScoreScales": _scale,
    "resultLearningObjectiveIds": _objective_results,
    "resultScoreScales": _scale,
    "roles": _roles,
    "userProfiles": _profiles,
    "userResources": _resources,
}
