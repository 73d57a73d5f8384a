"""SDK sinks for the records of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from .._core.model.schema import TENANT
from ..records.nested_rows import nested_in
from ..records.record_mapping import RecordMapping
from ..singer.sinks import BareSink

if TYPE_CHECKING:
    from .._core.model import File
    from ..singer.sinks import CurrentRecord
    from .staging import BundleStaging


class FileSink(BareSink):
    """Stages the records of one stream for its file."""

    def __init__(self, file: File, staging: BundleStaging, current: CurrentRecord, **of_the_stream: Any) -> None:
        super().__init__(**of_the_stream)
        properties = self.schema["properties"]
        staging.claim(f"{file.name}.csv", self.stream_name)
        self._staging, self._stage, self._current = staging, staging.stage(file.name), current
        self._nested = nested_in(file, properties, staging.inside)
        self._mapping = RecordMapping(
            file,
            self._stage.fields,
            properties,
            [inside.source for inside in self._nested],
            deviations=self._stage.deviations,
            zone=self._stage.zone,
        )
        self.warn_of(self._mapping.unknown)

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        if tenant := record.get(TENANT):
            self._staging.note_tenants({str(tenant)})
        self._stage.at_version(self._current.version)
        row_id = self._mapping.row_id(record)
        self._stage.add_row(self._mapping.cells(record), row_id)
        for inside in self._nested:
            inside.take(record, row_id, self._current.version)
