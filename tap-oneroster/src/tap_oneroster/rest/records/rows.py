"""Convert REST records to the warehouse shape, a column at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from ..._core.codec import line_order, record_class
from ..._core.coerce import Column
from ..._core.coerce.shapes import METADATA_LEVELS
from ..._core.column_codec import ColumnEncoder
from ..._core.model import Kind
from .columns import Reader, is_reference, reader_of
from .forms import attribute, column_of
from .made import MadeRecords
from .mend import is_secret

if TYPE_CHECKING:
    from ..._core.model import Field, File, Version
    from ...policy import Policy
    from .keys import SeenKeys

Getter: TypeAlias = "Callable[[Sequence[Any]], list[Any]]"
"""Returns the values of one key of some records."""


class RowMaker:
    """Makes records of a stream from REST records, or from objects nested in them."""

    def __init__(self, file: File, version: Version, policy: Policy) -> None:
        self.file = file
        self._version = version
        self._policy = policy
        self._make = record_class(file, secrets=policy.secrets)
        self._encoder = ColumnEncoder(file, secrets=policy.secrets)
        self._columns = [
            (field, self._getters(field), self._reader(field)) for field in line_order(file, secrets=policy.secrets)
        ]

        # The parent has already checked the values of given columns, so they are not required here.
        self._plain = {
            field.name: Column(replace(field, required=()), version, policy.zone)
            for field in file.fields
            if field.kind in {Kind.REF, Kind.WORD} and not field.blank_in_bulk
        }

    def _getters(self, field: Field) -> list[Getter]:
        return [column_of(attribute(key), reference=is_reference(field)) for key in field.rest_names]

    def _reader(self, field: Field) -> Reader:
        if not field.exists_in(self._version) or self.file.derived:
            field = replace(field, required=())
        return reader_of(field, self._version, self._policy)

    def make(
        self,
        records: Sequence[Any],
        deviations: Counter[str],
        given: Mapping[str, Sequence[Any]] | None = None,
        seen: SeenKeys | None = None,
    ) -> MadeRecords:
        """Return a record of the warehouse shape for each record.

        `given` holds columns that the records lack; `seen` takes the keys that have values.
        """
        columns: dict[str, Sequence[Any]] = {}
        if records and seen:
            seen.others(records, (field for field, *_ in self._columns))
        for field, getters, reader in self._columns:
            name = field.name
            if not records:
                columns[name] = ()
            elif given and name in given:
                plain = self._plain.get(name)
                columns[name] = plain.read(given[name], deviations) if plain else given[name]
            elif name == "metadata":
                columns[name] = self._metadata(records, deviations)
            elif not getters:
                columns[name] = [None] * len(records)
            else:
                values = _values(records, getters, missing=(None, "") if is_reference(field) else (None,))
                if seen:
                    seen.column(field, values, records, getters)
                columns[name] = reader(values, deviations)
        return MadeRecords(self.file, columns, self._make, self._encoder)

    def _metadata(self, records: Sequence[Any], deviations: Counter[str]) -> list[Any]:
        """Return the metadata with nested keys joined by dots, and the keys that the standard does not have."""
        own = [record.metadata for record in records]
        unknown = [record.unknown_ for record in records]
        for number, key in enumerate(type(records[0]).learned_):
            for position, value in enumerate(column_of(f"extra_{number}")(records)):
                if value is not None:
                    unknown[position] = {**(unknown[position] or {}), key: value}
        if not any(own) and not any(unknown):
            return own if own.count(None) == len(own) else [None] * len(own)
        return [
            self._flatten(mine, more, deviations) if mine or more else None
            for mine, more in zip(own, unknown, strict=True)
        ]

    def _flatten(
        self, own: dict[str, Any] | None, unknown: dict[str, Any] | None, deviations: Counter[str]
    ) -> dict[str, Any] | None:
        flat: dict[str, Any] = {}
        _flatten_into(flat, own or {}, "")
        if unknown:
            more: dict[str, Any] = {}
            _flatten_into(more, unknown, "")
            deviations["key that the standard does not have"] += len(unknown)
            flat = {**more, **flat}
        if not self._policy.secrets:
            secrets = list(filter(is_secret, flat))
            for key in secrets:
                del flat[key]
                deviations["metadata: key named like a password, left out"] += 1
        taken = {key: value for key, value in flat.items() if self._policy.takes_key(key)}
        if len(taken) < len(flat):
            deviations["metadata key that metadata_keys does not name"] += len(flat) - len(taken)
        return taken or None


def _flatten_into(flat: dict[str, Any], nested: Mapping[str, Any], prefix: str, levels: int = METADATA_LEVELS) -> None:
    """Add the values of nested keys under keys that are joined by dots; what is deeper than `levels` stays nested."""
    for key, value in nested.items():
        if levels and isinstance(value, dict):
            _flatten_into(flat, value, f"{prefix}{key}.", levels - 1)
        elif levels and isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
            numbered = {str(number): one for number, one in enumerate(value)}
            _flatten_into(flat, numbered, f"{prefix}{key}.", levels - 1)
        elif value is not None and value != "":
            flat[prefix + key] = value


def _values(records: Sequence[Any], getters: Sequence[Getter], missing: tuple[Any, ...]) -> list[Any]:
    """Return the value of the first key that is not missing, for each record."""
    values = getters[0](records)
    for getter in getters[1:]:
        if not any(word in values for word in missing):
            break
        others = getter(records)
        values = [other if value in missing else value for value, other in zip(values, others, strict=True)]
    return values
