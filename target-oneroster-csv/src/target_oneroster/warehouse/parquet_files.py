"""The tables as Parquet files: in one folder or in a folder for each table, on this machine or in a store. Each is replaced whole."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .._core.errors import StoreError
from .._core.history import HISTORY
from .._core.model import FILES, RECEIPTS
from .._core.sql import literal
from .._core.stores.addresses import protocol_of
from .._core.stores.open import open_store
from .._core.stores.work_folder import keep_mode
from ..errors import Misconfigured, TargetError
from .loads import NAME as LOADS
from .schema_table import NAME as COLUMNS

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from .._core.stores.work_folder import WorkDir
    from .warehouse_file import WarehouseFile

_TABLE = "{stream}"
_PART = "part-0.parquet"
"""The file of a table that has a folder of its own."""


class ParquetFiles:
    """Where the files are: `place` is a folder or a URL, which may hold `{stream}` in the place of a table's name."""

    def __init__(self, place: str) -> None:
        """Raise Misconfigured if the store of a URL is not known, not installed or not encrypted."""
        self._fs: AbstractFileSystem | None = None
        if protocol_of(place) == "file":
            self._place = url2pathname(urlsplit(place).path) if "://" in place else place
            return
        try:
            self._fs, self._place = open_store(place, {}, setting="parquet_path", package="target-oneroster-csv")
        except StoreError as error:
            raise Misconfigured(f"parquet_path: {error}") from None

    def _path(self, table: str) -> str:
        folder = self._place.replace(_TABLE, table).rstrip("/")
        return f"{folder}/{_PART if _TABLE in self._place else f'{table}.parquet'}"

    def write(self, store: WarehouseFile, work: WorkDir) -> int:
        """Write each table, completely or not at all; return the number of files.

        Tables that other users added are not written. Raise TargetError if the store does not take a file.
        """
        ours = {name for file in (*FILES, RECEIPTS) for name in (file.name, file.name + HISTORY)} | {LOADS, COLUMNS}
        tables = [name for name in store.tables() if name in ours]
        if self._fs is None:
            for name in tables:
                self._write_here(store, name, Path(self._path(name)))
        elif tables:
            made = work.folder("parquet") / "table.parquet"
            for name in tables:
                _copy(store, name, made)
                self._send(self._fs, made, self._path(name), name)
                made.unlink()
        return len(tables)

    def _write_here(self, store: WarehouseFile, table: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        _copy(store, table, new)
        keep_mode(new, path)
        new.replace(path)

    def _send(self, fs: AbstractFileSystem, made: Path, path: str, table: str) -> None:
        """Upload under a temporary name that no reader takes for a Parquet file, then move it over the old one."""
        folder, _, name = path.rpartition("/")
        temporary = f"{folder}/.{name}.{secrets.token_hex(4)}"
        try:
            fs.makedirs(folder, exist_ok=True)
            fs.invalidate_cache()
            with suppress(FileNotFoundError):  # S3 has no folders: before the first file, there is none
                for left in fs.ls(folder, detail=False):
                    if str(left).rpartition("/")[2].startswith(f".{name}."):  # of an upload that was killed
                        fs.rm_file(left)
            fs.put_file(str(made), temporary)
            fs.mv(temporary, path)
        except Exception as error:  # words of the libraries may hold addresses and keys
            with suppress(Exception):
                fs.rm_file(temporary)
            raise TargetError(
                f"parquet_path: {table} could not be written there ({type(error).__name__}). Files of other tables may be of"
                " this run already. No state is written: run again."
            ) from None


def _copy(store: WarehouseFile, table: str, path: Path) -> None:
    store.run(f"COPY {store.place(table)} TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
