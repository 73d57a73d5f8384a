"""Read typed records of other taps with the registry, a column at a time, because their values may need conversion."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from .._core.coerce import Column, is_loss
from .._core.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

    from .._core.model import Field

_TYPED = {Kind.TRUE_FALSE, Kind.INTEGER, Kind.NUMBER, Kind.OBJECT, Kind.OBJECTIVES, Kind.OBJECTIVE_SCORES}
"""Kinds whose values are already read after JSON was decoded into their type."""


class TypedValues:
    """Reads records whose JSON types match the model."""

    def __init__(self, fields: Iterable[Field], zone: tzinfo) -> None:
        self._columns = [
            (field.name, attrgetter(field.name), Column(replace(field, required=()), zone=zone))
            for field in fields
            if field.kind not in _TYPED
        ]

    def read(self, records: Sequence[Any], deviations: Counter[str]) -> dict[str, Sequence[Any]] | None:
        """Return the columns whose values changed; None if a value cannot be read.

        Broken rules are counted in `deviations`.
        """
        changed: dict[str, Sequence[Any]] = {}
        odd: Counter[str] = Counter()
        for name, values_of, column in self._columns:
            came = list(map(values_of, records))
            if not any(came):
                continue
            if column.field.kind.is_list:
                readings = [column.reading(value) if value else (None, None) for value in came]
                column.count_rules(odd, (rule for _, rule in readings))
                values: Sequence[Any] = [value for value, _ in readings]
            else:
                values = column.read(came, odd)
            if values is not came and list(values) != came:
                changed[name] = values
        if any(map(is_loss, odd)):
            return None
        deviations.update(odd)
        return changed
