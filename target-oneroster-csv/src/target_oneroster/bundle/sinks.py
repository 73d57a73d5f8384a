"""SDK sinks for the records of a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from .._core.model.schema import TENANT
from ..records.nested_rows import nested_in
from ..records.record_mapping import RecordMapping, file_of
from ..singer.sinks import BareSink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .target import TargetOneRosterCSV

__all__ = ["FileSink"]


class FileSink(BareSink):
    """Stages the records of one stream for its file."""

    def __init__(
        self, target: TargetOneRosterCSV, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._target = target
        file = file_of(stream_name)
        assert file is not None  # noqa: S101 - the target gives other streams an IgnoredSink
        self._staging = target.bundle.staging
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
        self._stage.at_version(self._target.version)
        row_id = self._mapping.row_id(record)
        self._stage.add_row(self._mapping.cells(record), row_id)
        for inside in self._nested:
            inside.take(record, row_id, self._target.version)
