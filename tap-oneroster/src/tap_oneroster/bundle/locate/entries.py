"""Match entries of a folder or zip to the standard's files, and reject dangerous entries."""

from __future__ import annotations

import re
import stat
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ..._core.model import FILES
from ...source import FatalSourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from zipfile import ZipInfo

_KNOWN = {name.lower(): name for name in ("manifest", *(f.name for f in FILES if f.csv))}
# OneRoster 1.0, and some tools based on it, also wrote the singular.
_SINGULAR = {name.removesuffix("es" if name == "classes" else "s").lower(): name for name in _KNOWN.values()} | {
    "demographic": "demographics"
}

# A roster file compresses 5 to 30 times. Beyond these limits a zip is treated as an attack.
_SUSPICIOUS_RATIO = 250
_SUSPICIOUS_BYTES = 100 * 2**20
_MOST_ENTRIES = 10_000

_HOURS_APART = 12

_WRAPPED = re.compile(r"(?i)(\w+\.csv)\.(gz|bz2|xz|zst|zip|7z|gpg|pgp|age|part|filepart|tmp|txt)")
"""A file of the standard in a form that is not read here."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a bundle: path in the folder or zip, size, a stamp that changes with its content, and any problem."""

    path: str
    size: int
    stamp: str
    modified: datetime | None = None
    problem: str = ""


@dataclass(slots=True)
class Members:
    """The files of a bundle by the standard's names, and what is unusual about its entries."""

    files: dict[str, Member] = field(default_factory=dict)
    deviations: Counter[str] = field(default_factory=Counter)
    """Deviations of the bundle as a whole."""
    odd: dict[str, str] = field(default_factory=dict)
    """By file: what is unusual about its name."""


def zip_members(bundle: str, entries: Iterable[ZipInfo]) -> Iterator[Member]:
    """Yield the files of a zip; raise FatalSourceError if it may be an attack."""
    for count, entry in enumerate(entries):
        if count >= _MOST_ENTRIES:
            raise FatalSourceError(f"{bundle}: more than {_MOST_ENTRIES:,} entries; not read")
        if entry.is_dir():
            yield Member(entry.filename.rstrip("/"), 0, "", problem="is a folder")
            continue
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise FatalSourceError(f"{bundle}: an entry points outside of the zip; not read")
        if entry.flag_bits & 1:
            raise FatalSourceError(f"{bundle}: the zip is encrypted; ask for one that is not")
        if entry.file_size > _SUSPICIOUS_BYTES and entry.file_size > _SUSPICIOUS_RATIO * entry.compress_size:
            raise FatalSourceError(
                f"{bundle}: an entry unpacks to more than {_SUSPICIOUS_RATIO} times its size; not read"
            )
        kind = stat.S_IFMT(entry.external_attr >> 16)
        problem = "" if kind in {0, stat.S_IFREG} else "is a link or a device"
        # The time in the zip is not part of the stamp, so that equal content has equal stamps.
        yield Member(entry.filename, entry.file_size, f"{entry.CRC:08x}", problem=problem)


def name_members(bundle: str, found: Iterable[Member]) -> Members:
    """Match entries to the standard's files, regardless of case and folder."""
    members = Members()
    unread: dict[str, Member] = {}
    for member in found:
        path = PurePosixPath(member.path.replace("\\", "/"))
        if path.name.startswith(".") or "__MACOSX" in path.parts:
            continue
        name = path.name.strip()
        known = known_name(name) if name.lower().endswith(".csv") else None
        if known is None and (wrapped := _WRAPPED.fullmatch(name)) and (known := known_name(wrapped[1])):
            unread.setdefault(known, replace(member, problem=member.problem or f"is a {wrapped[2]} file"))
            continue
        if known is None:
            if member.problem != "is a folder":
                members.deviations["file that the standard does not have"] += 1
            continue
        if known in members.files:
            raise FatalSourceError(f"{bundle}: {known}.csv is in it twice; not read, remove one of them")
        if path.name != name or name[:-4] != name[:-4].strip():
            members.files[known] = replace(member, problem=member.problem or "has blanks at an end of its name")
            continue
        if name != f"{known}.csv":
            in_case = name.lower() == f"{known}.csv".lower()
            members.odd[known] = "file name in another case" if in_case else "file name in the singular"
        members.files[known] = member
    members.files = unread | members.files
    return members


def known_name(text: str) -> str | None:
    """Return the standard's name of a file, regardless of case, singular or plural, and blanks; None if it is unknown."""
    text = text.strip().lower().removesuffix(".csv").strip()
    return _KNOWN.get(text) or _SINGULAR.get(text)


def check_ages(bundle: str, members: Mapping[str, Member]) -> None:
    """Raise FatalSourceError if a folder contains files of two exports."""
    ages = {name: m.modified for name, m in members.items() if m.modified}
    if ages and (max(ages.values()) - min(ages.values())).total_seconds() > _HOURS_APART * 3600:
        oldest = min(ages, key=lambda name: ages[name])
        raise FatalSourceError(
            f"{bundle}: its files were written more than {_HOURS_APART} hours apart, so they are not"
            f" one export ({oldest}.csv is the oldest); remove what is left over"
        )


def when_modified(info: Mapping[str, Any]) -> datetime:
    """Return when a file was last written; the key depends on the store."""
    for key in ("mtime", "LastModified", "last_modified", "updated", "modified"):
        value = info.get(key)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return datetime.fromisoformat(value)
    if value := info.get("Last-Modified"):  # key of a web server
        return parsedate_to_datetime(value)
    return datetime.fromtimestamp(0, UTC)
