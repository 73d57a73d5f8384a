"""Stage rows that REST nests in other records, for their own tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .._core.model.schema import TENANT
from .record_mapping import WarehouseMapping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..singer.sinks import CurrentRecord
    from .staging import Stage


class InsideStage:
    """The rows of one derived file, with the same interface as for a bundle.

    They arrive as cells of the CSV form: all values of derived files can be written as text.
    """

    def __init__(self, stage: Stage, current: CurrentRecord) -> None:
        self.fields, self.zone, self.deviations = stage.fields, stage.zone, stage.deviations
        self._stage, self._current = stage, current
        self._records = WarehouseMapping(stage.table, stage.table.content)
        self._names = [field.name for field in stage.fields if field.name != "metadata"]
        self._version: int | None = None

    def at_version(self, version: int | None) -> None:
        """Set the version of the next rows."""
        self._version = version

    def add_row(self, cells: Sequence[str], row_id: str) -> None:
        """Stage one row, with its cells in the order of `fields` and metadata last."""
        found: dict[str, Any] = dict(zip(self._names, cells, strict=False))
        if len(cells) > len(self._names) and cells[-1]:
            found["metadata"] = json.loads(cells[-1])
        found["sourcedId"] = row_id
        if self._stage.table.tenant:
            found[TENANT] = self._current.tenant
        self._stage.add(self._records.row(found), self._version, self._current.time_extracted)
