"""Rows of their own files that REST keeps inside other records: a user's roles, the resources of a class."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ._model import FILES
from ._model.ids import derived_id
from .cells import ShapeError, elements
from .errors import BundleError
from .shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ._model import File
    from .staging import FileStage, Staging

__all__ = ["Nested", "nested_in"]

_HANDLED = {"roles", "resources", "scoreScale"}
_STAMPS = ("status", "dateLastModified")


class Nested:
    """The rows inside the records of one parent stream that go to one file."""

    def __init__(self, file: File, stage: FileStage, source: str) -> None:
        derived = file.derived
        assert derived is not None  # noqa: S101 - only derived files are nested
        self.source = source
        self._derived = derived
        self._file = file
        self._stage = stage
        # A role's userProfile is the URI of a profile, not the id of a row.
        names = [name for field in file.fields for name in (field.name, *field.rest_names) if name != "userProfile"]
        self._shape = Shape(file, stage.fields, dict.fromkeys(names))

    def take(self, parent: Mapping[str, Any], parent_id: str, version: int | None) -> None:
        """Stage the rows that one parent record holds."""
        value = parent.get(self.source)
        if value is None:
            return
        try:
            rows = [self._row(element, parent, parent_id) for element in elements(value)]
        except ShapeError as error:
            raise BundleError(
                f"Property {self.source}: {error} was expected, something else came. Reshape it with stream_maps."
            ) from error
        self._stage.at_version(version)
        for row, row_id in self._named(rows):
            self._stage.add_row(self._shape.cells(row | {"sourcedId": row_id}), row_id)

    def _row(self, element: Any, parent: Mapping[str, Any], parent_id: str) -> dict[str, Any]:
        owner, other = self._derived.identity[0], self._derived.identity[-1]
        if self._derived.rest == "roles":
            if not isinstance(element, dict):
                raise ShapeError("a list of objects")
            row = {key: item for key, item in element.items() if key not in {"href", "sourcedId"}}
        else:  # a reference, or a list of them
            row = {other: element}
        return row | {owner: parent_id} | {stamp: parent.get(stamp) for stamp in _STAMPS}

    def _named(self, rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
        """Rows with the ids of the model's recipe; those that share an identity are numbered."""
        if self._derived.ordinal_by:
            rows.sort(key=lambda row: str(row.get(self._derived.ordinal_by or "") or ""))
        seen: Counter[tuple[str, ...]] = Counter()
        for row in rows:
            cells = self._shape.named_cells(row)
            identity = tuple(cells[name] for name in self._derived.identity)
            yield row, derived_id(self._file, identity, seen[identity])
            seen[identity] += 1


def nested_in(file: File, properties: Iterable[str], staging: Staging) -> list[Nested]:
    """What the records of a stream with those properties hold inside."""
    found = []
    for child in FILES:
        derived = child.derived
        if derived and derived.parent == file.name and derived.rest in _HANDLED:
            for name in properties:
                if name.lower().replace("_", "") == derived.rest.lower():
                    staging.derived.add(child.name)
                    found.append(Nested(child, staging.stage(child.name), name))
    return found
