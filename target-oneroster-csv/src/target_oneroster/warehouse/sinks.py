"""SDK sinks that take single records: for stream maps, and names or shapes that differ from the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from .._core.model.schema import TENANT
from ..records.nested_rows import nested_in
from ..singer.sinks import BareSink, IgnoredSink
from .nested_rows import InsideStage
from .record_mapping import WarehouseMapping

if TYPE_CHECKING:
    from ..singer.sinks import CurrentRecord
    from .staging import Stage, WarehouseStaging


class UnknownSink(IgnoredSink):
    """Accepts the records of a stream that has no table in the model, and stores none of them."""

    foreign = "is not part of the standard"


class TableSink(BareSink):
    """Stages the records of one stream for its table."""

    def __init__(self, stage: Stage, staging: WarehouseStaging, current: CurrentRecord, **of_the_stream: Any) -> None:
        super().__init__(**of_the_stream)
        table, properties = stage.table, self.schema["properties"]
        staging.claim(f"table {table.name}", self.stream_name)
        self._stage, self._current = stage, current
        self._nested = nested_in(
            table.file, properties, lambda name: InsideStage(staging.inside(name, tenant=table.tenant), current)
        )
        nested = [inside.source for inside in self._nested]
        self._records = WarehouseMapping(table, properties, nested, stage.deviations, stage.unreadable)
        self.warn_of(self._records.unknown, ", kept in metadata")

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        current = self._current
        row = self._records.row(record)
        self._stage.add(row, current.version, current.time_extracted)
        current.tenant = record.get(TENANT)
        for inside in self._nested:
            inside.take(record, row.get("sourcedId") or "", current.version)
