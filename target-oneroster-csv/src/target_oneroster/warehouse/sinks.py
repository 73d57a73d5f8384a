"""SDK sinks that take single records: for stream maps, and names or shapes that differ from the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from .._core.model.schema import TENANT
from ..records.nested_rows import nested_in
from ..singer.sinks import BareSink, IgnoredSink
from .nested_rows import WarehouseNestedRows
from .record_mapping import WarehouseMapping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk import Target

    from ..singer.sinks import CurrentRecord
    from .staging import Stage, WarehouseStaging

__all__ = ["TableSink", "UnknownSink"]


class UnknownSink(IgnoredSink):
    """Accepts the records of a stream that has no table in the model, and stores none of them."""

    foreign = "is not part of the standard"


class TableSink(BareSink):
    """Stages the records of one stream for its table."""

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
        stage: Stage,
        staging: WarehouseStaging,
        current: CurrentRecord,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._current = current
        staging.claim(stage.table.file, stream_name)
        self._stage = stage
        self._inside = WarehouseNestedRows(staging, tenant=stage.table.tenant)
        self._nested = nested_in(stage.table.file, schema["properties"], self._inside)
        nested = [inside.source for inside in self._nested]
        self.records = WarehouseMapping(stage.table, schema["properties"], nested, stage.deviations)
        self.warn_of(self.records.unknown, ", kept in metadata")

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        version, extracted = self._current.version, self._current.time_extracted
        row = self.records.row(record)
        self._stage.add(row, version, extracted)
        if self._nested:
            self._inside.tenant, self._inside.extracted = record.get(TENANT), extracted
            for inside in self._nested:
                inside.take(record, row.get("sourcedId") or "", version)
