"""SDK sinks for the records of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from .._core.model.schema import TENANT
from ..records.nested_rows import nested_in
from ..records.record_mapping import RecordMapping
from ..singer.sinks import BareSink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk import Target

    from .._core.model import File
    from ..singer.sinks import CurrentRecord
    from .staging import BundleStaging

__all__ = ["FileSink"]


class FileSink(BareSink):
    """Stages the records of one stream for its file."""

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
        file: File,
        staging: BundleStaging,
        current: CurrentRecord,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._staging, self._current = staging, current
        self._staging.claim(file.name, stream_name)
        self._stage = self._staging.stage(file.name)
        self._nested = nested_in(file, schema["properties"], self._staging)
        nested = [inside.source for inside in self._nested]
        self._mapping = RecordMapping(
            file,
            self._stage.fields,
            schema["properties"],
            nested,
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
