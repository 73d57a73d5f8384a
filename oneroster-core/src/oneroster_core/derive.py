"""The recipes for rows that a source keeps inside other records: one for every binding, version and target.

Values come in two forms: Structs, as the tap decodes them, and JSON, as a target gets them from any tap.
A `Form` says how a recipe looks into them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .codec import record_class
from .model import file
from .model.ids import derived_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from msgspec import Struct

    from .model import File

__all__ = [
    "BARE_UUID",
    "Form",
    "Held",
    "Nested",
    "held_by",
    "named_rows",
    "nested_rows",
    "number",
    "profile_ids",
    "role_rows",
    "roles_of_users",
]

BARE_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
"""Pattern of the identifiers that CASE frameworks use; CSV writes them as URNs."""
_BARE_UUID = re.compile(BARE_UUID)
_ROLES = file("roles")
_PROFILES = file("userProfiles")

Held = tuple[str, "str | None"]
"""An org, and the role that a user of 1.1 has there."""
_Row = TypeVar("_Row")


class Form(NamedTuple):
    """How values are written."""

    get: Callable[[Any, str], Any]
    """Value of a key of an object, None where it has none."""
    elements: Callable[[Any], Iterable[Any]]
    """Elements of a list."""
    reference: Callable[[Any], Any]
    """What a reference names."""


class Nested(NamedTuple):
    """A row as its parent holds it: the columns that only this stream knows, and the object with the others, if any."""

    columns: dict[str, Any]
    rest: Any = None


def nested_rows(stream: File, value: Any, form: Form) -> Iterator[Nested]:
    """The rows of a derived stream in the value of its parent's property."""
    how = stream.derived
    match how.rest if how else None:
        case "roles":
            for role in form.elements(value):
                yield Nested({}, role)
        case "userProfiles":
            for profile in form.elements(value):
                yield from _logins(profile, form)
        case "learningObjectiveSet":
            for group in form.elements(value):
                yield from _objectives(group, form)
        case _:  # a reference, or a list of them
            name = how.identity[-1] if how else ""
            for element in form.elements(value):
                yield Nested({name: form.reference(element)})


def _logins(profile: Any, form: Form) -> Iterator[Nested]:
    """A row for each credential of a profile, and one for a profile without."""
    for login in form.elements(form.get(profile, "credentials") or (None,)):
        names = {"credentialType": "type", "username": "username", "password": "password"}
        yield Nested({to: (login and form.get(login, key)) or None for to, key in names.items()}, profile)


def _objectives(group: Any, form: Form) -> Iterator[Nested]:
    """A row for each objective of a source, with its scores where it has been reached."""
    source = form.get(group, "source") or None
    for one in form.elements(form.get(group, "learningObjectiveIds") or ()):
        yield Nested({"source": source, "learningObjectiveId": _objective(source, one)})
    for one in form.elements(form.get(group, "learningObjectiveResults") or ()):
        columns = {name: form.get(one, name) for name in ("score", "textScore")}
        name = _objective(source, form.get(one, "learningObjectiveId"))
        yield Nested({"source": source, "learningObjectiveId": name, **columns})


def _objective(source: Any, name: Any) -> Any:
    if source == "case" and isinstance(name, str) and _BARE_UUID.fullmatch(name):
        return f"urn:uuid:{name}"
    return name or None


def named_rows(
    stream: File, rows: Iterable[_Row], identity: Callable[[_Row], tuple[Any, ...]], order: Callable[[_Row, str], Any]
) -> Iterator[tuple[_Row, str]]:
    """The different rows of some parents, each with its id.

    `identity` reads the columns that the stream's recipe names. Rows that share them are numbered by
    the column that `order` reads; where the recipe has no such column, they are one row.
    """
    by = stream.derived.ordinal_by if stream.derived else None
    rows = list(rows)
    groups: dict[Any, list[int]] = defaultdict(list)
    for place, key in enumerate(map(identity, rows)):
        groups[key].append(place)
    ids: list[str | None] = [None] * len(rows)
    for key, places in groups.items():
        if by and len(places) > 1:
            places.sort(key=lambda place: order(rows[place], by) or "")
        for ordinal, place in enumerate(places if by else places[:1]):
            ids[place] = derived_id(stream, key, ordinal)
    return ((row, row_id) for row, row_id in zip(rows, ids, strict=True) if row_id)


def number(stream: File, records: Iterable[Any]) -> list[Any]:
    """The same for records, which get their ids."""
    identity = attrgetter(*stream.derived.identity if stream.derived else ())
    made = []
    for record, row_id in named_rows(stream, records, identity, getattr):
        record.sourcedId = row_id
        made.append(record)
    return made


def profile_ids(user: str, profiles: Any, form: Form) -> dict[str, str]:
    """Ids of the rows that a user's roles mean when they name a profile by its URI: the first row of each profile."""
    found: dict[str, str] = {}
    for profile in form.elements(profiles or ()):
        name = form.get(profile, "profileId")
        columns = next(_logins(profile, form)).columns
        found.setdefault(name, derived_id(_PROFILES, (user, name, columns["credentialType"])))
    return found


def held_by(orgs: Iterable[str] | None, role: str | None) -> tuple[Held, ...]:
    """What a user of 1.1 holds: the same role at each org."""
    return tuple((org, role) for org in orgs or ())


def role_rows(user: str, held: Iterable[Held]) -> Iterator[tuple[str, str, str, str | None]]:
    """Id, `roleType`, org and role of the `roles` of a user of 1.1 (mapping.md, 3.3).

    The first role at an org is primary there, others are secondary. The source's word passes unchanged,
    `administrator` too: what it means is the reader's to say.
    """
    orgs: set[str] = set()
    for org, role in dict.fromkeys(held):
        yield derived_id(_ROLES, (user, org, role)), "secondary" if org in orgs else "primary", org, role
        orgs.add(org)


def roles_of_users(users: Iterable[Any], united: Mapping[str, Sequence[Held]] = MappingProxyType({})) -> list[Struct]:
    """`roles` of users as 1.1 knows them; `united`: what persons hold who came in several rows."""
    make = record_class(_ROLES)
    return [
        make(
            sourcedId=row_id,
            userSourcedId=user.sourcedId,
            roleType=role_type,
            role=role,
            orgSourcedId=org,
            status=user.status,
            dateLastModified=user.dateLastModified,
        )
        for user in users
        for row_id, role_type, org, role in role_rows(
            user.sourcedId, united.get(user.sourcedId) or held_by(user.orgSourcedIds, user.role)
        )
    ]
