"""Streams without a file in the bundle, derived from the records of another file."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

from ..._core.codec import record_class
from ..._core.derive import number, roles_of_users
from ..._core.model import VIEWS, file
from ...policy import Policy
from ...receipts.distinct import Hashes
from .records import RecordReader
from .rows import RowReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from msgspec import Struct

    from ..._core.derive import Held
    from ..._core.model import File, Version, View
    from ...source import Records
    from ..locate.archive import Bundle
    from .header import Header
    from .rows import Chunk

Make: TypeAlias = "Callable[[Chunk, Records], list[Struct]]"
"""Makes the records of a stream from a chunk of its parent's rows and their records."""

_VIEWS = {view.name: view for view in VIEWS}
_USER_RESOURCES = file("userResources")

# Columns that users.csv must have for these streams to be derived from it.
_IN_USERS = {"roles": {"role", "orgsourcedids"}, "userResources": {"resourcesourcedids"}}


def parent_of(stream: str) -> str | None:
    """Return the file from which the stream can be derived if it has no file of its own; None if it cannot."""
    if stream in _VIEWS:
        return _VIEWS[stream].parent
    return "users" if stream in _IN_USERS else None


def needs(stream: str) -> frozenset[str]:
    """Return the parent's headers, in lower case, that are required to derive the stream from it alone."""
    if stream in _VIEWS:
        return frozenset({_VIEWS[stream].column.lower()})
    return frozenset(_IN_USERS[stream])


def maker(stream: File, header: Header, holders: Holders | None, united: Mapping[str, Sequence[Held]]) -> Make:
    """Return the function that derives the stream's records; `united` holds orgs and roles of users with several rows."""
    view = _VIEWS.get(stream.name)
    if view and holders:
        return lambda _, users: [record for record in users.records if record.sourcedId in holders]  # type: ignore[attr-defined]
    if view:
        return lambda _, users: [record for record in users.records if view.word in _words(record, view, united)]
    if stream.name == "roles":
        return lambda _, users: roles_of_users(users.values, united)
    position = header.moved["resourceSourcedIds"]
    return lambda chunk, users: _user_resources(users.records, chunk.texts(position))


def _words(record: Any, view: View, united: Mapping[str, Sequence[Held]]) -> Sequence[str | None]:
    """Return the words of a record that decide if it is in a view; a user with several rows may have several."""
    return [getattr(record, view.column), *(role for _, role in united.get(record.sourcedId, ()))]


def _user_resources(users: Iterable[Any], lists: Sequence[str]) -> list[Struct]:
    """Return `userResources` records of users whose cells list resources, as in 1.2.0."""
    make = record_class(_USER_RESOURCES)
    rows = [
        make(
            userSourcedId=user.sourcedId,
            resourceSourcedId=resource,
            status=user.status,
            dateLastModified=user.dateLastModified,
        )
        for user, text in zip(users, lists, strict=True)
        for resource in map(str.strip, text.split(","))
        if resource
    ]
    return number(_USER_RESOURCES, rows)


class Holders(Hashes):
    """Users who have a role, as 64-bit hashes of their ids: 8 bytes for each row of roles.csv."""

    def __init__(self, bundle: Bundle, version: Version, stream: str) -> None:
        word, roles = _VIEWS[stream].word, file("roles")
        hashes = array("q")
        ignored: Counter[str] = Counter()
        with bundle.open(roles.name) as source:
            rows = RowReader(roles, source, f"roles.csv in {bundle.name}", ignored)
            reader = RecordReader(roles, rows.header, version, Policy(), ignored)
            for chunk in rows.chunks():
                hashes.extend(
                    hash(record.userSourcedId)  # type: ignore[attr-defined]
                    for record in reader.read(chunk, ignored)
                    if record.role == word and record.status != "tobedeleted"  # type: ignore[attr-defined]
                )
        super().__init__(hashes)
