"""Rows nested in REST records that have their own files: roles and profiles of users, resources of a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .._core.derive import Form, Nested, named_rows, nested_rows, profile_ids
from .._core.model import derived_from
from ..errors import TargetError
from .cells import ShapeError, elements
from .record_mapping import RecordMapping

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import tzinfo

    from .._core.model import Field, File


class RowStage(Protocol):
    """The destination of rows of one file."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """Fields of a row, in the order of its cells."""

    @property
    def zone(self) -> tzinfo:
        """Zone of times without a zone."""

    @property
    def deviations(self) -> Counter[str]:
        """Rules that values of the rows broke."""

    def at_version(self, version: int | None) -> None:
        """Begin another attempt if the version has changed."""

    def add_row(self, cells: Sequence[str], row_id: str) -> None:
        """Add a row."""


_STAMPS = ("status", "dateLastModified")
_NOT_OF_A_ROW = {"href", "sourcedId", "userProfile"}
_NOT_OF_A_PROFILE = {*_NOT_OF_A_ROW, "credentials", "type"}


def _get(one: Any, name: str) -> Any:
    if not isinstance(one, dict):
        raise ShapeError("a list of objects")
    return one.get(name)


_JSON = Form(_get, elements, lambda reference: reference)
"""The form of rows in the records of any tap; references are resolved by the mapping."""


class NestedRows:
    """The nested rows of one parent stream that belong to one file."""

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
        """Reads the same values again for the ids of rows, without counting."""

    def take(self, parent: Mapping[str, Any], parent_id: str, version: int | None) -> None:
        """Stage the rows nested in one parent record."""
        value = parent.get(self.source)
        if value is None:
            return
        try:
            profiles = self._profiles(parent, parent_id) if self._derived.rest == "roles" else {}
            given = {self._derived.identity[0]: parent_id} | {stamp: parent.get(stamp) for stamp in _STAMPS}
            rows = [self._row(found, profiles) | given for found in nested_rows(self._file, value, _JSON)]
        except ShapeError as error:
            raise TargetError(
                f"Property {self.source}: {error} was expected, something else came. Reshape it with stream_maps."
            ) from error
        self._stage.at_version(version)
        for row, row_id in named_rows(self._file, rows, self._key_of, self._text):
            self._stage.add_row(self._mapping.cells(row | {"sourcedId": row_id}), row_id)

    def _row(self, found: Nested, profiles: Mapping[str, str]) -> dict[str, Any]:
        """Return a row without the values from its parent."""
        if self._derived.rest == "roles":
            found.columns["userProfileSourcedId"] = profiles.get(str(_get(found.rest, "userProfile")))
        left_out = _NOT_OF_A_PROFILE if self._derived.rest == "userProfiles" else _NOT_OF_A_ROW
        return {key: item for key, item in (found.rest or {}).items() if key not in left_out} | found.columns

    def _key_of(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return the values of the columns that identify a row."""
        return tuple(self._text(row, name) for name in self._derived.identity)

    def _text(self, row: dict[str, Any], name: str) -> str:
        """Return a column as text, even if the file does not have it."""
        return self._identity.named_cells(row).get(name) or str(row.get(name) or "")

    def _profiles(self, user: Mapping[str, Any], user_id: str) -> dict[str, str]:
        """Return the profile ids that a user's roles may refer to by URI."""
        names = [name for name in user if name.lower().replace("_", "") == "userprofiles"]
        return {
            str(uri): row_id for name in names for uri, row_id in profile_ids(user_id, user[name], _JSON).items() if uri
        }


def nested_in(file: File, properties: Iterable[str], inside: Callable[[str], RowStage]) -> list[NestedRows]:
    """Return the nested rows in records of a stream with these properties; `inside` gives the stage of a file's rows."""
    return [
        NestedRows(child, inside(child.name), name)
        for child in derived_from(file.name)
        for name in properties
        if child.derived and name.lower().replace("_", "") == child.derived.rest.lower()
    ]
