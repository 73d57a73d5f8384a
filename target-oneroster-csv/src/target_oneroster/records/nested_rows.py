"""Rows of their own files that REST keeps inside other records: a user's roles and profiles, the resources of a class."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from .._core.model import FILES
from .._core.model import file as file_named
from .._core.model.ids import derived_id
from ..errors import TargetError
from .cells import ShapeError, elements
from .record_mapping import RecordMapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from .._core.model import Field, File

__all__ = ["NestedRows", "RowStage", "RowStages", "nested_in"]


class RowStage(Protocol):
    """Where rows of one file go."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """Fields of a row, in the order of its cells."""

    @property
    def zone(self) -> tzinfo:
        """Where times without a zone were written."""

    @property
    def deviations(self) -> Counter[str]:
        """Rules that the values of the rows broke."""

    def at_version(self, version: int | None) -> None:
        """Say which attempt the next rows belong to."""

    def add_row(self, cells: Sequence[str], row_id: str) -> None:
        """Take a row."""


class RowStages(Protocol):
    """Where rows of all files go."""

    @property
    def derived(self) -> set[str]:
        """Files whose rows came inside their parents' records."""

    def stage(self, name: str) -> RowStage:
        """Where rows of that file go."""


_STAMPS = ("status", "dateLastModified")
_PROFILES = file_named("userProfiles")
_BARE_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class NestedRows:
    """The rows inside the records of one parent stream that go to one file."""

    def __init__(self, file: File, stage: RowStage, source: str) -> None:
        derived = file.derived
        assert derived is not None  # noqa: S101 - only derived files are nested
        self.source = source
        self._derived = derived
        self._file = file
        self._stage = stage
        # A role's userProfile is the URI of a profile, not the id of a row.
        names = [name for field in file.fields for name in (field.name, *field.rest_names) if name != "userProfile"]
        self._mapping = RecordMapping(
            file, stage.fields, dict.fromkeys(names), deviations=stage.deviations, zone=stage.zone
        )
        self._identity = RecordMapping(file, stage.fields, dict.fromkeys(names), zone=stage.zone)
        """Reads the same values once more for the ids of the rows, and counts nothing."""

    def take(self, parent: Mapping[str, Any], parent_id: str, version: int | None) -> None:
        """Stage the rows that one parent record holds."""
        value = parent.get(self.source)
        if value is None:
            return
        try:
            profiles = _profile_ids(parent, parent_id) if self._derived.rest == "roles" else {}
            rows = [
                row | {self._derived.identity[0]: parent_id} | {stamp: parent.get(stamp) for stamp in _STAMPS}
                for element in elements(value)
                for row in self._rows(element, profiles)
            ]
        except ShapeError as error:
            raise TargetError(
                f"Property {self.source}: {error} was expected, something else came. Reshape it with stream_maps."
            ) from error
        self._stage.at_version(version)
        for row, row_id in self._named(rows):
            self._stage.add_row(self._mapping.cells(row | {"sourcedId": row_id}), row_id)

    def _rows(self, element: Any, profiles: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The rows that one element of the property stands for, without what they have from their parent."""
        match self._derived.rest:
            case "roles":
                role = _object(element)
                row = {key: item for key, item in role.items() if key not in _NOT_OF_A_ROW}
                yield row | {"userProfileSourcedId": profiles.get(str(role.get("userProfile")))}
            case "userProfiles":
                yield from _logins(_object(element))
            case "learningObjectiveSet":
                yield from _objectives(_object(element))
            case _:  # a reference, or a list of them
                yield {self._derived.identity[-1]: element}

    def _named(self, rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
        """Rows with the ids of the model's recipe; those that share an identity are numbered."""
        if self._derived.ordinal_by:
            rows.sort(key=lambda row: str(row.get(self._derived.ordinal_by or "") or ""))
        seen: Counter[tuple[str, ...]] = Counter()
        for row in rows:
            cells = self._identity.named_cells(row)
            identity = tuple(cells[name] if name in cells else _text(row.get(name)) for name in self._derived.identity)
            yield row, derived_id(self._file, identity, seen[identity])
            seen[identity] += 1


_NOT_OF_A_ROW = {"href", "sourcedId", "userProfile"}


def _object(element: Any) -> dict[str, Any]:
    if not isinstance(element, dict):
        raise ShapeError("a list of objects")
    return element


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _logins(profile: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each credential of a profile, and one for a profile without."""
    row = {key: item for key, item in profile.items() if key not in {"credentials", "type", *_NOT_OF_A_ROW}}
    for login in map(_object, elements(profile.get("credentials") or [{}])):
        yield row | {"credentialType": login.get("type")} | {key: login.get(key) for key in ("username", "password")}


def _objectives(group: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each objective of a source, with its scores where it has been reached."""
    source = group.get("source")
    found = [{"learningObjectiveId": one} for one in elements(group.get("learningObjectiveIds") or [])]
    for row in [*found, *map(_object, elements(group.get("learningObjectiveResults") or []))]:
        name = _text(row.get("learningObjectiveId"))
        if source == "case" and _BARE_UUID.fullmatch(name):
            name = f"urn:uuid:{name}"
        yield row | {"source": source, "learningObjectiveId": name}


def _profile_ids(user: Mapping[str, Any], user_id: str) -> dict[str, str]:
    """Ids of the rows that a user's roles mean when they name a profile by its URI: the first of each profile."""
    found: dict[str, str] = {}
    for name in (name for name in user if name.lower().replace("_", "") == "userprofiles"):
        for profile in map(_object, elements(user[name] or [])):
            profile_id = _text(profile.get("profileId"))
            for login in _logins(profile):
                identity = (user_id, profile_id, _text(login["credentialType"]))
                found.setdefault(profile_id, derived_id(_PROFILES, identity))
    return found


def nested_in(file: File, properties: Iterable[str], staging: RowStages) -> list[NestedRows]:
    """What the records of a stream with those properties hold inside."""
    found = []
    for child in FILES:
        derived = child.derived
        if derived and derived.parent == file.name:
            for name in properties:
                if name.lower().replace("_", "") == derived.rest.lower():
                    staging.derived.add(child.name)
                    found.append(NestedRows(child, staging.stage(child.name), name))
    return found
