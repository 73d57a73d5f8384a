"""The store of a bundle: the local disk, or any store that fsspec supports (`remote`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.stores.work_folder import WorkDir, is_own, keep_mode
from .publish import check_output, publish_file, publish_folder
from .remote import RemoteStore
from .write import zip_files

if TYPE_CHECKING:
    from collections.abc import Mapping


def store_at(output: str, storage_options: Mapping[str, Any]) -> LocalStore | RemoteStore:
    """Return the place for one bundle, which is a zip if its name ends in ``.zip`` and a folder otherwise.

    `output` is a path, or a URL that fsspec supports.
    """
    if "://" in output and not output.startswith("file://"):
        return RemoteStore(output, storage_options)
    return LocalStore(Path(output.removeprefix("file://")).resolve())


class LocalStore:
    """A folder or zip on disk; publishing is a rename."""

    def __init__(self, output: Path) -> None:
        self._output = output
        check_output(output)

    def work_dir(self) -> WorkDir:
        """Return a private folder for a run, beside the output so that renames work."""
        return WorkDir(self._output.parent, self._output)

    def fetch(self, work: WorkDir) -> Path | None:  # noqa: ARG002 - others need it
        """Return the existing bundle as a local folder or zip; None if there is none."""
        return self._output if self._output.exists() else None

    def put(self, new: Path, work: WorkDir) -> None:
        """Replace the existing bundle by a folder of files with a rename, completely or not at all."""
        if self._output.suffix.lower() == ".zip":
            packed = work.path / "bundle.zip"
            zip_files(new, packed)
            publish_file(packed, self._output)
        else:
            publish_folder(new, self._output, work.path)

    def fetch_beside(self, suffix: str, work: WorkDir) -> Path | None:  # noqa: ARG002 - others need it
        """Return a file that was put beside the bundle; None if there is none, or if it belongs to another user."""
        path = self._output.with_name(self._output.name + suffix)
        return path if path.is_file() and not path.is_symlink() and is_own(path) else None

    def put_beside(self, file: Path | None, suffix: str) -> None:
        """Put one file beside the bundle, named like it with a suffix and private to its owner; None removes it."""
        target = self._output.with_name(self._output.name + suffix)
        if file is None:
            target.unlink(missing_ok=True)
        else:
            file.chmod(0o600)
            if target.exists() and is_own(target):
                keep_mode(file, target)
            file.replace(target)
