"""Where a bundle lies: this machine's disk, or anywhere fsspec reaches."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ._model import FILES
from .errors import BundleError
from .publish import check_output, publish_file, publish_folder
from .workdir import WorkDir
from .write import zip_files

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LocalStore", "RemoteStore", "Store", "store_at"]

_NAMES = ("manifest.csv", *(f"{f.name}.csv" for f in FILES))
_UNPACKED_LIMIT = 64 << 30


class Store(Protocol):
    """A place for one bundle, a zip where its name ends in ``.zip`` and a folder otherwise."""

    def work_dir(self) -> WorkDir:
        """A private folder for a run, with what killed runs left there removed."""

    def fetch(self, work: WorkDir) -> Path | None:
        """The bundle that is there, as a local folder of files; None where there is none."""

    def put(self, new: Path, work: WorkDir) -> None:
        """Put a folder of files in the place of the bundle that is there, whole or not at all."""

    def put_beside(self, file: Path | None, suffix: str) -> None:
        """Put one file beside the bundle, private to its owner; None takes away the one that is there."""


def store_at(output: str, storage_options: Mapping[str, Any]) -> Store:
    """The store of an output path: a path, or a URL that fsspec understands."""
    if "://" in output and not output.startswith("file://"):
        return RemoteStore(output, storage_options)
    return LocalStore(Path(output.removeprefix("file://")).resolve())


def _unpack(archive: Path, work: WorkDir) -> Path:
    """The files of a zipped bundle; entries that no bundle has are not touched."""
    folder = work.folder("old")
    try:
        with zipfile.ZipFile(archive) as packed:
            infos = [info for info in packed.infolist() if info.filename in _NAMES]
            if sum(info.file_size for info in infos) > _UNPACKED_LIMIT:
                raise BundleError("output_path: the archive there unpacks to more than 64 GB.")
            for info in infos:
                packed.extract(info, folder)
    except zipfile.BadZipFile as error:
        raise BundleError(
            "output_path: the file there is not a zip archive. Remove it, or name another place."
        ) from error
    return folder


class LocalStore:
    """A folder or zip on disk; publishing is a rename."""

    def __init__(self, output: Path) -> None:
        self._output = output
        check_output(output)

    def work_dir(self) -> WorkDir:
        """Beside the output, so that renames work."""
        return WorkDir(self._output.parent, self._output)

    def fetch(self, work: WorkDir) -> Path | None:
        """The folder itself, or the zip unpacked."""
        if self._output.is_dir():
            return self._output
        return _unpack(self._output, work) if self._output.exists() else None

    def put(self, new: Path, work: WorkDir) -> None:
        """Rename into place."""
        if self._output.suffix.lower() == ".zip":
            packed = work.path / "bundle.zip"
            zip_files(new, packed)
            publish_file(packed, self._output)
        else:
            publish_folder(new, self._output, work.path)

    def put_beside(self, file: Path | None, suffix: str) -> None:
        """A file named like the bundle, with a suffix."""
        target = self._output.with_name(self._output.name + suffix)
        if file is None:
            target.unlink(missing_ok=True)
        else:
            file.chmod(0o600)
            file.replace(target)


class RemoteStore:
    """A bundle behind a URL: uploaded under another name, then moved.

    Stores differ in what a move is: of a zip it is one step wherever the store has one. Of a folder
    it is one step a file, the manifest last; a reader that must never see a mixture wants the zip.
    """

    def __init__(self, url: str, storage_options: Mapping[str, Any]) -> None:
        import fsspec

        self._url = url
        try:
            self._files, path = fsspec.core.url_to_fs(url, **storage_options)
        except (ImportError, ValueError) as error:
            raise BundleError(
                "output_path: the fsspec package for this kind of URL is not installed (s3fs, gcsfs, adlfs, paramiko), or storage_options do not fit."
            ) from error
        self._path = path.rstrip("/")
        self._parent, _, self._name = self._path.rpartition("/")
        self._zip = self._path.lower().endswith(".zip")

    def work_dir(self) -> WorkDir:
        """Among this machine's temporary files."""
        name = hashlib.sha256(self._url.encode()).hexdigest()[:16]
        return WorkDir(Path(tempfile.gettempdir()), Path(f"remote-{name}"))

    def fetch(self, work: WorkDir) -> Path | None:
        """A copy of what is there."""
        self._sweep()
        if self._zip:
            if not self._files.exists(self._path):
                return None
            local = work.path / "old.zip"
            self._files.get_file(self._path, str(local))
            return _unpack(local, work)
        if not self._files.isdir(self._path):
            return None
        present = [name.rstrip("/").rpartition("/")[2] for name in self._files.ls(self._path, detail=False)]
        present = [name for name in present if name]
        if foreign := sum(name not in _NAMES for name in present):
            raise BundleError(
                f"output_path: the folder is not a bundle, it holds {foreign} other entries. Name a folder of its own."
            )
        folder = work.folder("old")
        for name in present:
            self._files.get_file(f"{self._path}/{name}", str(folder / name))
        return folder

    def _sweep(self) -> None:
        """Remove what an upload that was killed has left."""
        if not self._files.isdir(self._parent):
            return
        for name in self._files.ls(self._parent, detail=False, refresh=True):
            if name.rstrip("/").rpartition("/")[2].startswith(self._temporary_prefix):
                self._files.rm(name, recursive=True)

    @property
    def _temporary_prefix(self) -> str:
        return f".{self._name}.oneroster-"

    def put(self, new: Path, work: WorkDir) -> None:
        """Upload, then move."""
        temporary = f"{self._parent}/{self._temporary_prefix}{secrets.token_hex(4)}"
        try:
            if self._zip:
                packed = work.path / "bundle.zip"
                zip_files(new, packed)
                self._files.put_file(str(packed), temporary)
                self._files.mv(temporary, self._path)
            else:
                self._put_folder(new, temporary)
        except BaseException:
            if self._files.exists(temporary):
                self._files.rm(temporary, recursive=True)
            raise

    def _put_folder(self, new: Path, temporary: str) -> None:
        names = sorted((path.name for path in new.iterdir()), key=lambda name: name == "manifest.csv")
        self._files.makedirs(temporary, exist_ok=True)
        for name in names:
            self._files.put_file(str(new / name), f"{temporary}/{name}")
        self._files.makedirs(self._path, exist_ok=True)
        for name in names:
            self._files.mv(f"{temporary}/{name}", f"{self._path}/{name}")
        for name in _NAMES:
            if name not in names and self._files.exists(f"{self._path}/{name}"):
                self._files.rm(f"{self._path}/{name}")
        if self._files.exists(temporary):
            self._files.rm(temporary, recursive=True)

    def put_beside(self, file: Path | None, suffix: str) -> None:
        """A file named like the bundle, with a suffix; access to it is the store's to restrict."""
        target = self._path + suffix
        if file is not None:
            self._files.put_file(str(file), target)
        elif self._files.exists(target):
            self._files.rm(target)
