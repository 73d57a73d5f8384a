"""SDK sinks that take single records: for stream maps, flattening, and names or shapes that differ from the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MissingKeyPropertiesError
from singer_sdk.sinks import RecordSink
from typing_extensions import override

from ..errors import TargetError
from ..records.record_mapping import is_view

if TYPE_CHECKING:
    from singer_sdk.sinks.core import BaseJSONSchemaValidator


@dataclass(slots=True)
class CurrentRecord:
    """What is known of the RECORD message that is being taken, beside its row; the target and the sink set it."""

    version: int | None = None
    """Version of the table, for ACTIVATE_VERSION."""
    time_extracted: Any = None
    """The time at which the tap read the record, as it came."""
    tenant: Any = None
    """The tenant of the record, which rows nested in it share."""


class MissingKey(TargetError, MissingKeyPropertiesError):
    """A record lacks a key property of its stream."""


class BareSink(RecordSink):
    """A sink without the SDK's validation: cells are checked when they are made, and in the finished tables."""

    def warn_of(self, unknown: list[str], remark: str = "") -> None:
        """Log the properties of the schema that the standard does not have."""
        if unknown:
            words = "%s: properties that the standard does not know%s: %s."
            self.logger.warning(words, self.stream_name, remark, ", ".join(sorted(unknown)))

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        return None

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        return record

    @override
    def _remove_sdc_metadata_from_schema(self) -> None:
        """Keep them: `_sdc_deleted_at` marks a deleted row, and the mapping ignores the others."""

    @override
    def _remove_sdc_metadata_from_record(self, record: dict[str, Any]) -> None:
        """Keep them, as in the schema."""

    @override
    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        if any(record.get(key) in (None, "") for key in self.key_properties):
            raise MissingKey(f"Stream {self.stream_name}: a record lacks a key property. Every row needs its key.")


class IgnoredSink(BareSink):
    """Accepts the records of a stream that no file of a bundle holds, and writes none of them."""

    foreign = "is not part of a bundle"

    @override
    def setup(self) -> None:
        reason = "repeats rows of another stream" if is_view(self.stream_name) else self.foreign
        self.logger.warning("Stream %s %s and is left out.", self.stream_name, reason)

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Write nothing."""
