"""A bundle as a set of named files, whether it lies in a folder or in a zip, here or in a store."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from xxhash import xxh3_64_hexdigest

from .._model import FILES
from ..source import FatalSourceError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsspec import AbstractFileSystem

__all__ = ["Bundle", "Member", "open_bundle"]

MANIFEST = "manifest"
_KNOWN = {name.lower(): name for name in (MANIFEST, *(f.name for f in FILES if f.csv))}

# A roster file deflates 5 to 30 times. Beyond these bounds it is no roster but a trap.
_SUSPICIOUS_RATIO = 250
_SUSPICIOUS_BYTES = 100 * 2**20

_HOURS_APART = 12


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a bundle: its path in the folder or zip, its size, and what tells versions apart."""

    path: str
    size: int
    stamp: str
    modified: datetime


@dataclass(slots=True)
class Bundle:
    """A set of OneRoster files that belong together.

    `members` are keyed by the standard's name of the file (``users``), whatever its case here.
    `digest` changes when any file does; for a zip it does not depend on the zip's own time.
    """

    name: str
    modified: datetime
    size: int
    digest: str
    members: Mapping[str, Member]
    deviations: Counter[str]
    _fs: AbstractFileSystem = field(repr=False)
    _path: str = field(repr=False)
    _zipped: bool = field(repr=False)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Bytes of one file, by the standard's name."""
        member = self.members[name]
        try:
            if not self._zipped:
                with self._fs.open(member.path, "rb") as stream:
                    yield stream
                return
            with (
                self._fs.open(self._path, "rb") as archive,
                zipfile.ZipFile(archive) as bundle,
                bundle.open(member.path) as stream,
            ):
                yield stream
        except (zipfile.BadZipFile, zlib.error):
            raise SourceError(f"{self.name}: {name}.csv is damaged in the zip; ask for the bundle again") from None
        except PermissionError:
            raise SourceError(f"{self.name}: no permission to read {name}.csv") from None


def open_bundle(fs: AbstractFileSystem, path: str) -> Bundle:
    """The bundle that lies at a path: a folder of CSV files or a zip of them."""
    name = PurePosixPath(path).name or path
    deviations: Counter[str] = Counter()
    try:
        if fs.isdir(path):
            zipped, found = False, list(_folder_members(fs, path))
        else:
            zipped, found = True, list(_zip_members(fs, path, name))
    except PermissionError:
        raise FatalSourceError(f"{name}: no permission to read it") from None
    members = _name_members(name, found, deviations)
    if not members:
        raise FatalSourceError(f"{name}: no OneRoster file in it (such as users.csv); check csv_path")
    if not zipped:
        _check_ages(name, members)
    text = "\n".join(f"{key} {m.size} {m.stamp}" for key, m in sorted(members.items()))
    modified = max(m.modified for m in members.values()) if not zipped else _modified(fs.info(path))
    return Bundle(
        name=name,
        modified=modified,
        size=sum(m.size for m in members.values()),
        digest=xxh3_64_hexdigest(text.encode()),
        members=members,
        deviations=deviations,
        _fs=fs,
        _path=path,
        _zipped=zipped,
    )


def _folder_members(fs: AbstractFileSystem, path: str) -> Iterator[Member]:
    for info in fs.ls(path, detail=True):
        if info["type"] == "file":
            modified = _modified(info)
            yield Member(info["name"], info["size"] or 0, modified.isoformat(), modified)


def _zip_members(fs: AbstractFileSystem, path: str, name: str) -> Iterator[Member]:
    try:
        with fs.open(path, "rb") as stream, zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile:
        raise FatalSourceError(f"{name}: neither a folder nor a whole zip; is it still being uploaded?") from None
    for entry in entries:
        if entry.is_dir():
            continue
        parts = PurePosixPath(entry.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts:
            raise FatalSourceError(f"{name}: an entry points outside of the zip; not read")
        if entry.flag_bits & 1:
            raise FatalSourceError(f"{name}: the zip is encrypted; ask for one that is not")
        if entry.file_size > _SUSPICIOUS_BYTES and entry.file_size > _SUSPICIOUS_RATIO * entry.compress_size:
            raise FatalSourceError(
                f"{name}: an entry unpacks to more than {_SUSPICIOUS_RATIO} times its size; not read"
            )
        # The time inside the zip is left out: the same content must be known again.
        yield Member(
            entry.filename,
            entry.file_size,
            f"{entry.CRC:08x}",
            datetime(*entry.date_time, tzinfo=UTC),
        )


def _name_members(bundle: str, found: list[Member], deviations: Counter[str]) -> dict[str, Member]:
    members: dict[str, Member] = {}
    for member in found:
        path = PurePosixPath(member.path.replace("\\", "/"))
        if path.name.startswith(".") or "__MACOSX" in path.parts:
            continue
        known = _KNOWN.get(path.stem.lower()) if path.suffix.lower() == ".csv" else None
        if known is None:
            deviations["file that the standard does not have"] += 1
            continue
        if known in members:
            raise FatalSourceError(f"{bundle}: {known}.csv is in it twice; not read")
        if path.name != f"{known}.csv":
            deviations["file name in another case"] += 1
        members[known] = member
    return members


def _check_ages(name: str, members: Mapping[str, Member]) -> None:
    ages = [m.modified for m in members.values()]
    if (max(ages) - min(ages)).total_seconds() > _HOURS_APART * 3600:
        oldest = min(members, key=lambda key: members[key].modified)
        raise FatalSourceError(
            f"{name}: its files were written more than {_HOURS_APART} hours apart, so they are not"
            f" one export ({oldest}.csv is the oldest); remove what is left over"
        )


def _modified(info: Mapping[str, Any]) -> datetime:
    """When a store says the file was last written; stores name it differently."""
    for key in ("mtime", "LastModified", "last_modified", "updated", "modified"):
        value = info.get(key)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return datetime.fromisoformat(value)
    return datetime.fromtimestamp(0, UTC)
