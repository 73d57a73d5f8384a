"""Bundles at URLs that fsspec supports: opened safely, uploaded under a temporary name, then moved."""

from __future__ import annotations

import errno
import hashlib
import secrets
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.errors import StoreError
from .._core.stores.addresses import SFTP, protocol_of
from .._core.stores.open import open_store
from .._core.stores.work_folder import WorkDir
from ..errors import Misconfigured, TargetError
from .dialects import WRITTEN_FILES
from .write import zip_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class RemoteStore:
    """A bundle at a URL: uploaded under a temporary name, then moved.

    The move of a zip is one step if the store supports it. A folder is moved file by file, the manifest last, so
    readers may see a mixture; use a zip to avoid this.
    """

    def __init__(self, url: str, storage_options: Mapping[str, Any]) -> None:
        self._url = url
        self._files, path = _open(url, storage_options)
        self._path = path.rstrip("/")
        parent, _, self._name = self._path.rpartition("/")
        if not self._name or not (parent or self._path.startswith("/")):
            raise Misconfigured(
                "output_path: the URL names a whole store. Name a folder in it, or a file ending in .zip."
            )
        self._parent = parent or "/"
        self._sftp = protocol_of(url) in SFTP
        self._zip = self._path.lower().endswith(".zip")

    def work_dir(self) -> WorkDir:
        """Create the work folder in the system's temporary folder."""
        name = hashlib.sha256(self._url.encode()).hexdigest()[:16]
        return WorkDir(Path(tempfile.gettempdir()), Path(f"remote-{name}"))

    def fetch(self, work: WorkDir) -> Path | None:
        """Return a copy of the existing bundle; remove the files of killed uploads."""
        with _told("the old bundle was read", "Nothing was published."):
            self._files.invalidate_cache()
            self._sweep()
            return self._fetch_zip(work) if self._zip else self._fetch_folder(work)

    def _fetch_zip(self, work: WorkDir) -> Path | None:
        if not self._files.exists(self._path):
            return None
        local = work.path / "old.zip"
        self._files.get_file(self._path, str(local))
        return local

    def _fetch_folder(self, work: WorkDir) -> Path | None:
        if not self._files.isdir(self._path):
            if self._files.exists(self._path):
                raise Misconfigured("output_path: a file lies there. Name a folder, or a file that ends in .zip.")
            return None
        present = [name for path in self._files.ls(self._path, detail=False) if (name := _last(path))]
        if foreign := sum(name not in WRITTEN_FILES for name in present):
            raise Misconfigured(
                f"output_path: the folder is not a bundle, it holds {foreign} other entries. Name a folder of its own."
            )
        folder = work.folder("old")
        for name in present:
            self._files.get_file(f"{self._path}/{name}", str(folder / name))
        return folder

    def _sweep(self) -> None:
        """Remove the files of killed uploads."""
        if not self._files.isdir(self._parent):
            return
        for path in self._files.ls(self._parent, detail=False):
            if _last(path).startswith(self._temporary_prefix):
                self._files.rm(path, recursive=True)

    @property
    def _temporary_prefix(self) -> str:
        return f".{self._name}.oneroster-"

    def put(self, new: Path, work: WorkDir) -> None:
        """Upload, then move."""
        with self._temporary() as temporary:
            if self._zip:
                packed = work.path / "bundle.zip"
                zip_files(new, packed)
                with _told("the new bundle was uploaded", "The old one is as it was."):
                    self._files.makedirs(self._parent, exist_ok=True)
                    self._files.put_file(str(packed), temporary)
                with _told("the new bundle took the old one's place", "Run again."):
                    self._files.mv(temporary, self._path)
            else:
                self._put_folder(new, temporary)

    @contextmanager
    def _temporary(self) -> Iterator[str]:
        """Yield a new temporary name; if the upload fails, remove what bears it."""
        temporary = f"{self._parent.rstrip('/')}/{self._temporary_prefix}{secrets.token_hex(4)}"
        try:
            yield temporary
        except BaseException:
            with suppress(Exception):  # the next run removes it
                if self._files.exists(temporary):
                    self._files.rm(temporary, recursive=True)
            raise

    def _put_folder(self, new: Path, temporary: str) -> None:
        names = sorted((path.name for path in new.iterdir()), key=lambda name: name == "manifest.csv")
        with _told("the new bundle was uploaded", "The old one is as it was."):
            self._files.makedirs(temporary, exist_ok=True)
            for name in names:
                self._files.put_file(str(new / name), f"{temporary}/{name}")
        with _told("the files took their places", "The folder may hold files of both bundles: run again."):
            self._files.makedirs(self._path, exist_ok=True)
            for name in names:
                self._files.mv(f"{temporary}/{name}", f"{self._path}/{name}")
            for name in WRITTEN_FILES:
                if name not in names and self._files.exists(f"{self._path}/{name}"):
                    self._files.rm(f"{self._path}/{name}")
            if self._files.exists(temporary):
                self._files.rm(temporary, recursive=True)

    def fetch_beside(self, suffix: str, work: WorkDir) -> Path | None:
        """Return a copy of the file."""
        with _told("the file beside the bundle was read", "Nothing was published."):
            if not self._files.exists(self._path + suffix):
                return None
            local = work.path / f"beside{suffix}"
            self._files.get_file(self._path + suffix, str(local))
            return local

    def put_beside(self, file: Path | None, suffix: str) -> None:
        """Replace a file named like the bundle, with a suffix; private on SFTP, elsewhere the store controls access."""
        target = self._path + suffix
        with _told("a file was put beside the bundle", "Check the bundle and the file beside it, then run again."):
            if file is not None:
                with self._temporary() as temporary:
                    self._files.makedirs(self._parent, exist_ok=True)
                    if self._sftp:
                        from .._core.stores.sftp import make_private

                        make_private(self._files, temporary)
                    self._files.put_file(str(file), temporary)
                    self._files.mv(temporary, target)
            elif self._files.exists(target):
                self._files.rm(target)


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


@contextmanager
def _told(step: str, outcome: str) -> Iterator[None]:
    """Turn an error of the store into one line, because its message may contain addresses and keys."""
    try:
        yield
    except TargetError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise TargetError(
            f"output_path: the store failed while {step} ({type(error).__name__}). {outcome} "
            "If it stays, check the path, storage_options and what the account may do."
        ) from error


def _open(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the file system of a URL and the path in it; raise TargetError if it cannot be opened."""
    try:
        return open_store(url, options, setting="storage_options", package="target-oneroster-csv")
    except StoreError as error:
        problem, _, advice = str(error).partition("; ")
        kind = Misconfigured if error.exit_code == Misconfigured.exit_code else TargetError
        raise kind(f"output_path: {problem}. {advice[:1].upper()}{advice[1:]}.") from None
