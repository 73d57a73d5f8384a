"""A bundle as a set of named files in a folder or a zip, local or in a store."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, cast

from xxhash import xxh3_64_hexdigest

from ...source import FatalSourceError, SourceError
from ..read.first_rows import Peek, peek
from .entries import Member, Members, check_ages, name_members, when_modified, zip_members

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

    from .stores import Store


@dataclass(slots=True, eq=False)
class Bundle:
    """A set of OneRoster files that belong together.

    `members` are keyed by the standard's name of the file (``users``), whatever case the bundle uses. `digest` changes
    when any file does; for a zip it does not depend on the zip's own modification time.
    """

    name: str
    modified: datetime
    size: int
    digest: str
    members: Mapping[str, Member]
    deviations: Counter[str]
    """Deviations of the bundle as a whole."""
    odd: Mapping[str, str]
    """By file: what is unusual about its name."""
    _store: Store = field(repr=False)
    _path: str = field(repr=False)
    _zipped: bool = field(repr=False)
    _mark: str = field(repr=False)
    _copy: IO[bytes] | None = field(default=None, repr=False)
    _copied: str = field(default="", repr=False)
    """Path of the file that was downloaded to `_copy`."""
    _peeks: dict[str, Peek] = field(default_factory=dict, repr=False)

    @property
    def key(self) -> str:
        """Return a key that differs for all bundles at a path, even for two with the same content."""
        return f"{self.modified.isoformat()} {self.name} {self.digest}"

    def problem_of(self, name: str) -> str:
        """Return one line that says why a file's entry cannot be read."""
        return (
            f"{self.name}: {name}.csv cannot be read, its entry {self.members[name].problem}; send it as a plain file"
        )

    @contextmanager
    def open(self, name: str) -> Iterator[Opened]:
        """Open one file by the standard's name; errors while reading become SourceError."""
        member = self.members[name]
        if member.problem:
            raise SourceError(self.problem_of(name))
        with ExitStack() as opened:
            try:
                stream = self._open(member, opened)
            except Exception as error:
                raise _unreadable(self.name, name, error) from None
            yield Opened(stream, self.name, name, member.size)

    def _open(self, member: Member, opened: ExitStack) -> IO[bytes]:
        if not self._zipped:
            if self._copy and self._copied == member.path:
                return cast("IO[bytes]", _FromStart(self._copy))
            return opened.enter_context(self._store.open(member.path))
        archive = zipfile.ZipFile(self._copy or opened.enter_context(self._store.open(self._path)))
        return opened.enter_context(opened.enter_context(archive).open(member.path))

    def peek(self, name: str) -> Peek:
        """Return what the first rows of a file show."""
        if name not in self._peeks:
            self._peeks[name] = peek(self, name)
        return self._peeks[name]

    def fetch(self, name: str) -> None:
        """Download a file from a store once, before it is read, or the zip that it is in.

        So all files come from the same zip, and a file that is read twice is the same each time. The copy is a temporary file without a name, so nothing remains of it
        even if the run is killed.
        """
        path = self._path if self._zipped else self.members[name].path
        if self._store.local or self._copied == path:
            return
        self.close()
        copy = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115
        try:
            with self._store.open(path) as stream:
                shutil.copyfileobj(stream, copy, 2**20)
        except Exception as error:
            copy.close()
            if not self._zipped:
                raise _unreadable(self.name, name, error) from None
            raise FatalSourceError(f"{self.name}: not read to its end ({type(error).__name__}); try again") from None
        self._copy, self._copied = copy, path
        if self._zipped and _digest(_zip_files(copy, self.name)) != self.digest:
            raise FatalSourceError(f"{self.name}: changed while it was read; run again when it has been written")

    def check_unchanged(self, name: str) -> None:
        """Raise FatalSourceError if the bundle has changed since it was found."""
        path = self._path if self._zipped else self.members[name].path
        mark = self._mark if self._zipped else self.members[name].stamp
        if not (self._zipped and self._copy) and self._store.mark(path) != mark:
            raise FatalSourceError(f"{self.name}: changed while it was read; run again when it has been written")

    def close(self) -> None:
        """Delete the local copy."""
        if self._copy:
            self._copy.close()
            self._copy, self._copied = None, ""


class _FromStart:
    """Reads a file from its start, even if others read it at the same time."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._place = stream, 0

    def read(self, size: int, /) -> bytes:
        self._stream.seek(self._place)
        data = self._stream.read(size)
        self._place += len(data)
        return data


class Opened:
    """A file whose errors are one line each, whatever store or zip it comes from."""

    def __init__(self, stream: IO[bytes], bundle: str, name: str, size: int) -> None:
        self._stream, self._bundle, self._name = stream, bundle, name
        self._size = max(size, 1)
        self._read = 0

    @property
    def share(self) -> float:
        """The part of the file that was read."""
        return self._read / self._size

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        try:
            data = self._stream.read(size)
        except Exception as error:
            raise _unreadable(self._bundle, self._name, error) from None
        self._read += len(data)
        return data


def _unreadable(bundle: str, name: str, error: Exception) -> SourceError:
    if isinstance(error, PermissionError):
        return SourceError(f"{bundle}: no permission to read {name}.csv")
    if isinstance(error, NotImplementedError):
        return SourceError(f"{bundle}: {name}.csv is compressed in a way that cannot be read; ask for a plain zip")
    if isinstance(error, FileNotFoundError):
        return FatalSourceError(f"{bundle}: {name}.csv is gone; run again when the bundle has been written")
    if type(error).__module__ in {"zipfile", "zlib"} or isinstance(error, EOFError):
        return SourceError(f"{bundle}: {name}.csv is damaged in the zip; ask for the bundle again")
    return SourceError(f"{bundle}: {name}.csv could not be read on ({type(error).__name__})")


def open_bundle(store: Store, path: str) -> Bundle:
    """Return the bundle at a path: a folder of CSV files or a zip of them."""
    name = store.name(path)
    try:
        store.check_kind(path)
        zipped = not store.is_folder(path)
        if zipped:
            with store.open(path) as stream:
                members = _zip_files(stream, name)
        else:
            members = name_members(name, store.files(path))
        info = store.info(path) if zipped else {}
        mark = store.mark(path) if zipped else ""
    except FatalSourceError:
        raise
    except PermissionError:
        raise FatalSourceError(f"{name}: no permission to read it") from None
    except Exception as error:
        raise FatalSourceError(f"{name}: cannot be read ({type(error).__name__})") from None
    if not members.files:
        raise FatalSourceError(f"{name}: no OneRoster file in it (such as users.csv); {_advice(store, path)}")
    if not zipped:
        check_ages(name, members.files)
    return Bundle(
        name=name,
        modified=when_modified(info) if zipped else _newest(members),
        size=sum(m.size for m in members.files.values()),
        digest=_digest(members),
        members=members.files,
        deviations=members.deviations,
        odd=members.odd,
        _store=store,
        _path=path,
        _zipped=zipped,
        _mark=mark,
    )


def _newest(members: Members) -> datetime:
    return max((m.modified for m in members.files.values() if m.modified), default=datetime.fromtimestamp(0, UTC))


def _digest(members: Members) -> str:
    return xxh3_64_hexdigest("\n".join(f"{k} {m.size} {m.stamp}" for k, m in sorted(members.files.items())).encode())


def _zip_files(stream: IO[bytes], name: str) -> Members:
    try:
        with zipfile.ZipFile(stream) as archive:
            return name_members(name, zip_members(name, archive.infolist()))
    except (zipfile.BadZipFile, EOFError):
        raise FatalSourceError(f"{name}: neither a folder nor a whole zip; is it still being uploaded?") from None


def _advice(store: Store, path: str) -> str:
    if store.find(f"{path.rstrip('/')}/*.zip"):
        return "it holds zips: let csv_path end in /*.zip"
    return "check csv_path"
