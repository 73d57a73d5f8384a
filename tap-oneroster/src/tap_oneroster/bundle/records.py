"""Rows of a CSV file made into records of the warehouse shape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from fnmatch import fnmatchcase
from itertools import repeat
from typing import TYPE_CHECKING, Any

from .._model.codec import line_order, record_class
from ..values import Column

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from msgspec import Struct

    from .._model import Field, File, Version
    from .rows import Header

__all__ = ["RecordReader", "Shape"]

Cells = tuple[str, ...]

_STATUS = {"active": "active", "tobedeleted": "tobedeleted"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What the settings let through: passwords, metadata keys, and the zone of bare times."""

    secrets: bool = False
    metadata_keys: tuple[str, ...] = ("*",)
    zone: tzinfo = UTC

    def takes_key(self, key: str) -> bool:
        """Whether a metadata key passes the allow-list."""
        return any(fnmatchcase(key, pattern) for pattern in self.metadata_keys)


class RecordReader:
    """Makes records of a file's rows, a chunk at a time; `deviations` counts what was odd."""

    def __init__(
        self,
        file: File,
        header: Header,
        version: Version,
        shape: Shape,
        deviations: Counter[str],
        *,
        bulk: bool,
    ) -> None:
        self._deviations = deviations
        self._make = record_class(file, secrets=shape.secrets)
        self._metadata = [(key, position) for key, position in header.metadata.items() if shape.takes_key(key)]
        dropped = len(header.metadata) - len(self._metadata)
        if dropped:
            deviations["metadata key that metadata_keys does not name"] += dropped
        self._fillers = [
            self._filler(field, header, version, shape, bulk=bulk) for field in line_order(file, secrets=shape.secrets)
        ]
        for field in file.columns(version):
            missing = field.name not in header.columns
            if missing and not (field.blank_in_bulk and bulk):
                deviations[f"{field.name}: column missing"] += 1

    def _filler(
        self, field: Field, header: Header, version: Version, shape: Shape, *, bulk: bool
    ) -> Callable[[Sequence[Cells]], Any]:
        if field.name == "metadata":
            return self._read_metadata if self._metadata else lambda _: repeat(None)
        if field.blank_in_bulk and bulk:
            constant = "active" if field.name == "status" else None
            return lambda _: repeat(constant)
        position = header.columns.get(field.name)
        if position is None:
            constant = "active" if field.name == "status" else None
            return lambda _: repeat(constant)
        if field.name == "status":
            return lambda cells: self._read_status(cells[position])
        column = Column(field, version, shape.zone)
        return lambda cells: column.read(cells[position], self._deviations)

    def _read_status(self, texts: Cells) -> list[str]:
        """Status of delta rows: what is not a word of the standard is active, and counted."""
        known = _STATUS
        if set(texts) <= known.keys():
            return list(texts)
        values = []
        for text in texts:
            if text in known:
                values.append(text)
            elif text.strip().lower() in {"inactive", "tobedeleted", "deleted"}:
                self._deviations["status: tobedeleted in another word"] += 1
                values.append("tobedeleted")
            elif text.strip().lower() in {"", "active"}:
                self._deviations["status: active in another word, or blank"] += 1
                values.append("active")
            else:
                self._deviations["status: unknown word"] += 1
                values.append(text)
        return values

    def _read_metadata(self, cells: Sequence[Cells]) -> list[dict[str, str] | None]:
        keys = [key for key, _ in self._metadata]
        columns = [cells[position] for _, position in self._metadata]
        return [
            {key: text for key, text in zip(keys, texts, strict=True) if text} or None
            for texts in zip(*columns, strict=True)
        ]

    def read(self, rows: Sequence[Sequence[str]]) -> list[Struct]:
        """Records of rows that all have the header's width."""
        cells: list[Cells] = list(zip(*rows, strict=True))
        return list(map(self._make, *(fill(cells) for fill in self._fillers)))
