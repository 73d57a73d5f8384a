"""The batch files of a run: written while a collection is read, then announced or removed."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cached_property
from itertools import count
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.helpers._batch import BaseBatchFileEncoding, SDKBatchMessage

from .files import StreamFiles
from .layout import Layout
from .settings import compression_of, size_of
from .storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..source import Records
    from .lines import JsonLines
    from .parquet import ParquetFormat

_KEPT = timedelta(days=1)
_OURS = re.compile(r"tap-oneroster--\w+-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d+\.(?:jsonl|jsonl\.gz|parquet)")
"""Names of batch files of any run."""


class BatchFiles:
    """The batch files of all streams of a run. An attempt at a collection ends with `end` or with `discard`."""

    def __init__(self, config: Mapping[str, Any], run_id: str) -> None:
        encoding = config["encoding"]
        self._encoding = BaseBatchFileEncoding(encoding["format"], compression_of(encoding))
        self._where: Mapping[str, Any] = config["storage"]
        self._size = size_of(config)
        self._stamped: bool = config["add_record_metadata"]
        self._run_id = run_id
        self._numbers = count(1)
        self._attempt: dict[str, StreamFiles] = {}
        self._over = False
        self.unversioned: set[str] = set()
        """Streams whose rows have no version: a loader would delete all of them after ACTIVATE_VERSION."""

    @cached_property
    def _storage(self) -> Storage:
        return Storage(self._where["root"], self._where.get("prefix"), self._where.get("params"))

    @cached_property
    def _thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, "batches")

    def start(self, stream: str, version: int, schema: dict[str, Any], before: dict[str, Any]) -> None:
        """Begin the files of a stream for one attempt, whose records have this version.

        `before` holds columns of the schema that the lines lack: the tenant.
        """
        if not self._stamped:
            self.unversioned.add(stream)
        self._attempt[stream] = StreamFiles(
            stream,
            version,
            self._size,
            self._format(Layout(schema, before, self._stamped)),
            new=lambda: self._name(stream),
            open=self._open,
            thread=self._thread,
        )

    def _name(self, stream: str) -> str:
        ending = {"jsonl gzip": "jsonl.gz"}.get(
            f"{self._encoding.format} {self._encoding.compression}", self._encoding.format
        )
        return f"tap-oneroster--{stream}-{self._run_id}-{next(self._numbers)}.{ending}"

    def _format(self, layout: Layout) -> JsonLines | ParquetFormat:
        compression = self._encoding.compression or ""
        if self._encoding.format == "parquet":
            from .parquet import ParquetFormat

            return ParquetFormat(layout, compression)
        from .lines import JsonLines

        return JsonLines(layout, compression)

    def remove_leftovers(self) -> list[str]:
        """Remove files of earlier runs that no loader fetched within a day; return the names of those that remain."""
        return [
            name
            for name in self._storage.older_than(_KEPT)
            if _OURS.fullmatch(name) and not self._storage.remove([name])
        ]

    def in_hand(self) -> list[str]:
        """Return the names of files that may or may not have been announced."""
        return [files.in_hand for files in self._attempt.values() if files.in_hand]

    def _open(self, name: str) -> IO[bytes]:
        if self._over:
            raise OSError("the run was stopped")
        return self._storage.open(name)

    def write(self, batch: Records) -> bool:
        """Add records; return False if their stream has no files."""
        files = self._attempt.get(batch.file.name)
        if files:
            files.write(batch)
        return files is not None

    def whole(self) -> Iterator[SDKBatchMessage]:
        """Yield a message for each complete file that was not announced before."""
        for stream, files in self._attempt.items():
            for name in files.take():
                yield SDKBatchMessage(stream, self._encoding, [self._storage.url(name)], files.version)

    def end(self) -> Iterator[SDKBatchMessage]:
        """Complete the attempt's other files, then yield a message for each; all are complete before the first message."""
        for files in self._attempt.values():
            files.end()
        yield from self.whole()
        self._attempt = {}

    def discard(self) -> list[str]:
        """Remove the attempt's files that were not announced; return the names of those that could not be removed."""
        for files in self._attempt.values():
            files.give_up()
        return self._remove()

    def abandon(self) -> list[str]:
        """Like `discard`, but immediate, for use in a signal handler; files in a remote store are left there."""
        self._over = True
        return self._remove() if not self._is_open or self._storage.is_local else self._names()

    @property
    def _is_open(self) -> bool:
        """True if the store was opened; otherwise there are no files."""
        return "_storage" in self.__dict__

    def _names(self) -> list[str]:
        return [name for files in self._attempt.values() for name in files.names]

    def _remove(self) -> list[str]:
        names = self._names()
        left = self._storage.remove(names) if self._is_open else []
        self._attempt = {}
        return left
