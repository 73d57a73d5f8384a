"""The SDK's way in, record by record: for stream maps, flattening, and names or shapes that are not ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MissingKeyPropertiesError
from singer_sdk.sinks import RecordSink
from typing_extensions import override

from .._core.model.schema import TENANT
from ..errors import TargetError
from ..records.nested_rows import nested_in
from ..records.record_mapping import RecordMapping, file_of, is_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.sinks.core import BaseJSONSchemaValidator

    from ..bundle.target import TargetOneRosterCSV

__all__ = ["BareSink", "FileSink", "IgnoredSink", "MissingKey"]


class MissingKey(TargetError, MissingKeyPropertiesError):
    """A record lacks a key property of its stream."""


class BareSink(RecordSink):
    """A sink without the SDK's validation: cells are checked where they are made, and in the finished tables."""

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        return None

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        return record

    @override
    def _remove_sdc_metadata_from_schema(self) -> None:
        """Leave them: `_sdc_deleted_at` says that a row is gone, and shapes pass over the others."""

    @override
    def _remove_sdc_metadata_from_record(self, record: dict[str, Any]) -> None:
        """As in the schema."""

    @override
    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        if any(record.get(key) in (None, "") for key in self.key_properties):
            raise MissingKey(f"Stream {self.stream_name}: a record lacks a key property. Every row needs its key.")


class FileSink(BareSink):
    """Stages the records of one stream for the file it goes to."""

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
        if self._mapping.unknown:
            self.logger.warning(
                "%s: properties that the standard does not know: %s.",
                stream_name,
                ", ".join(sorted(self._mapping.unknown)),
            )

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        if tenant := record.get(TENANT):
            self._staging.note_tenants({str(tenant)})
        self._stage.at_version(self._target.version)
        row_id = self._mapping.row_id(record)
        self._stage.add_row(self._mapping.cells(record), row_id)
        for inside in self._nested:
            inside.take(record, row_id, self._target.version)


class IgnoredSink(BareSink):
    """Takes the records of a stream that no file of a bundle holds, and writes none of them."""

    foreign = "is not part of a bundle"

    @override
    def setup(self) -> None:
        reason = "repeats rows of another stream" if is_view(self.stream_name) else self.foreign
        self.logger.warning("Stream %s %s and is left out.", self.stream_name, reason)

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Write nothing."""
