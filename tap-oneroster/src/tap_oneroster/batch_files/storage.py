"""The store of batch files: a local folder, or an object store that fsspec supports."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from .._core.errors import StoreError
from .._core.stores.addresses import BATCH_PROTOCOLS, is_in_the_clear, protocol_of
from .._core.stores.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import timedelta


def storage_error(storage: Mapping[str, Any]) -> str | None:
    """Return one line that begins with the name of a wrong setting and explains the error; None if all are right."""
    if protocol_of(storage["root"]) not in BATCH_PROTOCOLS:
        return "root: batches go to a local folder or to s3://, gs:// or abfs://"
    if is_in_the_clear(storage["root"], storage.get("params") or {}):
        return "params: http:// shows pupils' data to the network; use https://"
    return None


class Storage:
    """The folder of the files. Only their owner can read local ones."""

    def __init__(self, root: str, prefix: str | None, params: Mapping[str, Any] | None) -> None:
        try:
            self._fs, folder = open_store(root, params or {}, setting="batch_config", package="tap-oneroster")
        except StoreError as error:
            raise OSError(str(error)) from None
        self._start = f"{folder.rstrip('/')}/{prefix or ''}"
        self.is_local = protocol_of(root) == "file"
        if self.is_local:
            Path(self._start + "name").parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def open(self, name: str) -> IO[bytes]:
        """Open a new file; in an object store it appears when it is closed."""
        if self.is_local:
            return open(self._start + name, "xb", opener=lambda path, flags: os.open(path, flags, 0o600))
        return cast("IO[bytes]", self._fs.open(self._start + name, "wb"))

    def url(self, name: str) -> str:
        """Return the URL of a file in the form that the SDK's loaders read: blanks are not encoded."""
        return str(self._fs.unstrip_protocol(self._start + name))

    def older_than(self, age: timedelta) -> Iterator[str]:
        """Yield the names, without the prefix, of files that are older than `age`."""
        limit = datetime.now(UTC) - age
        folder, _, prefix = self._start.rpartition("/")
        try:
            paths = self._fs.ls(folder, detail=False)
        except FileNotFoundError:  # stores without folders raise this before the first file
            return
        for path in paths:
            name = path.rpartition("/")[2]
            if name.startswith(prefix) and self._is_before(path, limit):
                yield name.removeprefix(prefix)

    def _is_before(self, path: str, limit: datetime) -> bool:
        try:
            modified: datetime = self._fs.modified(path)
        except (OSError, NotImplementedError):  # a folder, or deleted in the meantime
            return False
        return (modified if modified.tzinfo else modified.replace(tzinfo=UTC)) < limit

    def remove(self, names: Iterable[str]) -> list[str]:
        """Remove files that exist; return the names of those that could not be removed."""
        left = []
        for name in names:
            try:
                self._fs.rm_file(self._start + name)
            except FileNotFoundError:
                pass
            except OSError:
                left.append(name)
        return left
