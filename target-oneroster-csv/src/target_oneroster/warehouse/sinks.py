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

    from .target import TargetOneRosterDuckDB

__all__ = ["TableSink", "UnknownSink"]


class UnknownSink(IgnoredSink):
    """Accepts the records of a stream that has no table in the model, and stores none of them."""

    foreign = "is not part of the standard"


class TableSink(BareSink):
    """Stages the records of one stream for its table."""

    def __init__(
        self,
        target: TargetOneRosterDuckDB,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._target = target
        stage = target.stage_of(stream_name, schema)
        staging = target.load.staging
        staging.claim(stage.table.file, stream_name)
        self._stage = stage
        self._inside = WarehouseNestedRows(staging, tenant=stage.table.tenant)
        self._nested = nested_in(stage.table.file, schema["properties"], self._inside)
        nested = [inside.source for inside in self._nested]
        self.records = WarehouseMapping(stage.table, schema["properties"], nested, stage.deviations)
        self.warn_of(self.records.unknown, ", kept in metadata")

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        target = self._target
        row = self.records.row(record)
        self._stage.add(row, target.version, target.extracted)
        if self._nested:
            self._inside.tenant, self._inside.extracted = record.get(TENANT), target.extracted
            for inside in self._nested:
                inside.take(record, row.get("sourcedId") or "", target.version)
