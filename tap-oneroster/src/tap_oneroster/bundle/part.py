"""One file of one bundle, read as a part of a collection."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from .._model import File, file
from ..derive import roles_of_users
from ..source import Batch, Facts, SourceError
from .records import RecordReader, Shape
from .rows import RowReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from msgspec import Struct

    from .archive import Bundle
    from .manifest import Manifest

__all__ = ["FilePart", "SilentPart"]

_ROLES = file("roles")


class SilentPart:
    """A part without records: the file is absent from the bundle, or was read before."""

    def __init__(self, name: str, facts: Facts, bookmark: dict[str, Any] | None = None) -> None:
        self.facts = {name: facts}
        self.bookmark = bookmark

    def __iter__(self) -> Iterator[Batch]:
        return iter(())


class FilePart:
    """Reads one file of one bundle; from `users` it also makes `roles`, where 1.1 has no file."""

    def __init__(
        self,
        bundle: Bundle,
        manifest: Manifest,
        of: File,
        streams: Sequence[File],
        shape: Shape,
        *,
        on_invalid: str,
        bookmark: dict[str, Any],
    ) -> None:
        self._bundle = bundle
        self._manifest = manifest
        self._file = of
        self._streams = streams
        self._shape = shape
        self._on_invalid = on_invalid
        self.bookmark = bookmark
        self.facts = {
            stream.name: Facts(
                source=bundle.name,
                mode=manifest.modes.get(of.name, "bulk"),
                version=manifest.version.value,
                derived=stream is not of,
            )
            for stream in streams
        }

    def __iter__(self) -> Iterator[Batch]:
        deviations: Counter[str] = Counter()
        with self._bundle.open(self._file.name) as stream:
            rows = RowReader(self._file, stream, deviations, strict=self._on_invalid == "fail")
            reader = None
            try:
                for chunk in rows.chunks():
                    if reader is None:
                        bulk = self._settle_mode(rows, chunk, deviations)
                        reader = RecordReader(
                            self._file,
                            rows.header,
                            self._manifest.version,
                            self._shape,
                            deviations,
                            bulk=bulk,
                        )
                    yield from self._batches(reader.read(chunk))
            finally:
                self._state_facts(rows, deviations)
        self._finish(rows)

    def _settle_mode(self, rows: RowReader, chunk: Sequence[Sequence[str]], deviations: Counter[str]) -> bool:
        """Whether the rows are bulk rows. The content wins over the manifest.

        But what a manifest calls a delta never becomes a snapshot: that could delete.
        """
        position = rows.header.columns.get("status")
        filled = position is not None and any(row[position].strip() for row in chunk)
        declared = self._manifest.modes.get(self._file.name)
        mode = declared
        if declared != "delta":
            mode = "delta" if filled else "bulk"
            if declared == "bulk" and filled:
                deviations["declared bulk, but its rows carry a status"] += 1
        elif not filled:
            deviations["declared delta, but its rows carry no status"] += 1
        for facts in self.facts.values():
            facts.mode = mode or "bulk"
        return not filled

    def _batches(self, records: list[Struct]) -> Iterator[Batch]:
        for stream in self._streams:
            yield Batch(stream, records if stream is self._file else roles_of_users(records))

    def _state_facts(self, rows: RowReader, deviations: Counter[str]) -> None:
        for name, facts in self.facts.items():
            if name == self._file.name:
                facts.expected = rows.rows + rows.rejected
                facts.deviations = deviations
            facts.rejected = rows.rejected

    def _finish(self, rows: RowReader) -> None:
        accepted = not rows.rejected or self._on_invalid == "accept"
        if not rows.rows:
            # The standard forbids a header without rows; it must never be read as "all gone".
            self.facts[next(iter(self.facts))].deviations["no data rows"] += 1
        for facts in self.facts.values():
            facts.complete = accepted
            facts.snapshot = facts.mode == "bulk" and not rows.rejected and rows.rows > 0
        if not accepted:
            raise SourceError(
                f"{self._file.name}.csv in {self._bundle.name}: {rows.rejected:,} of"
                f" {rows.rows + rows.rejected:,} rows were left out (see the receipt for the"
                " rules); have them mended, or set on_invalid to accept once you have looked"
            )
