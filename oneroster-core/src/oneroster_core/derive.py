"""The recipes for rows that a source nests inside other records, shared by both bindings, versions and targets.

Values come in two forms: Structs, which the tap decodes, and JSON, which a target receives from any tap. A `Form` tells
a recipe how to access them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import repeat
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .codec import line_order, record_class
from .model import file
from .model.ids import derived_id, derived_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from msgspec import Struct

    from .model import File

BARE_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
"""Pattern of the identifiers that CASE frameworks use; CSV writes them as URNs."""
_BARE_UUID = re.compile(BARE_UUID)
_ROLES = file("roles")
_PROFILES = file("userProfiles")

Held = tuple[str, "str | None"]
"""An org, and the role that a 1.1 user has there."""
_Row = TypeVar("_Row")


class Form(NamedTuple):
    """Functions that access values in one form (Structs or JSON)."""

    get: Callable[[Any, str], Any]
    """Return the value of an object's key, or None if the key is missing."""
    elements: Callable[[Any], Iterable[Any]]
    """Return the elements of a list."""
    reference: Callable[[Any], Any]
    """Return the id that a reference names."""


class Nested(NamedTuple):
    """A row nested in its parent: the columns that only this stream has, and the object with the other columns, if any."""

    columns: dict[str, Any]
    rest: Any = None


def nested_rows(stream: File, value: Any, form: Form) -> Iterable[Nested]:
    """Return the rows of a derived stream from the value of its parent's property."""
    how = stream.derived
    elements = form.elements(value)
    match how.rest if how else None:
        case "roles":
            return [Nested({}, role) for role in elements]
        case "userProfiles":
            return [login for profile in elements for login in _logins(profile, form)]
        case "learningObjectiveSet":
            return [objective for group in elements for objective in _objectives(group, form)]
        case _:  # a reference, or a list of them
            name = how.identity[-1] if how else ""
            return [Nested({name: form.reference(element)}) for element in elements]


_LOGIN = {"credentialType": "type", "username": "username", "password": "password"}
_NO_LOGIN: dict[str, Any] = dict.fromkeys(_LOGIN)


def _logins(profile: Any, form: Form) -> list[Nested]:
    """Return a row for each credential of a profile, or one row if the profile has no credentials."""
    logins = form.get(profile, "credentials")
    if not logins:
        return [Nested({**_NO_LOGIN}, profile)]
    get = form.get
    return [
        Nested({to: (login and get(login, key)) or None for to, key in _LOGIN.items()}, profile)
        for login in form.elements(logins)
    ]


def _objectives(group: Any, form: Form) -> Iterator[Nested]:
    """Yield a row for each objective of a source, with its scores if there are results."""
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
    """Yield the distinct rows of some parents, each with its id.

    `identity` reads the columns that the stream's recipe names. Rows with the same identity are numbered by the column
    that `order` reads; if the recipe has no such column, they count as one row.
    """
    by = stream.derived.ordinal_by if stream.derived else None
    rows = list(rows)
    keys = list(map(identity, rows))
    if len(set(keys)) == len(keys):  # as almost always
        return zip(rows, derived_ids(stream, keys), strict=True)
    groups: dict[Any, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        groups[key].append(place)
    ids: list[str | None] = [None] * len(rows)
    for key, places in groups.items():
        if by and len(places) > 1:
            places.sort(key=lambda place: order(rows[place], by) or "")
        for ordinal, place in enumerate(places if by else places[:1]):
            ids[place] = derived_id(stream, key, ordinal)
    return ((row, row_id) for row, row_id in zip(rows, ids, strict=True) if row_id)


def number(stream: File, records: Iterable[Any]) -> list[Any]:
    """Set the ids of records as in `named_rows`, and return the distinct records."""
    identity = attrgetter(*stream.derived.identity if stream.derived else ())
    made = []
    for record, row_id in named_rows(stream, records, identity, getattr):
        record.sourcedId = row_id
        made.append(record)
    return made


def profile_ids(user: str, profiles: Any, form: Form) -> dict[str, str]:
    """Return the row id for each profile URI that a user's roles may refer to: the id of the profile's first row."""
    found: dict[str, str] = {}
    for profile in form.elements(profiles or ()):
        name = form.get(profile, "profileId")
        if name not in found:
            first = _logins(profile, form)[0].columns
            found[name] = derived_id(_PROFILES, (user, name, first["credentialType"]))
    return found


def held_by(orgs: Iterable[str] | None, role: str | None) -> tuple[Held, ...]:
    """Return the roles of a 1.1 user: the same role at each of the user's orgs."""
    return tuple((org, role) for org in orgs or ())


def role_rows(user: str, held: Iterable[Held]) -> Iterator[tuple[str, str, str, str | None]]:
    """Yield id, `roleType`, org and role for each `roles` row of a 1.1 user (mapping.md, 3.3).

    The first role at an org is primary there, others are secondary. The source's word passes unchanged, also
    `administrator`: the reader decides what it means.
    """
    for kind, org, role in _held(held):
        yield derived_id(_ROLES, (user, org, role)), kind, org, role


def _held(held: Iterable[Held]) -> Iterator[tuple[str, str, str | None]]:
    orgs: set[str] = set()
    for org, role in dict.fromkeys(held):
        yield "secondary" if org in orgs else "primary", org, role
        orgs.add(org)


def roles_of_users(
    values: Callable[[str], Sequence[Any]], united: Mapping[str, Sequence[Held]] = MappingProxyType({})
) -> list[Struct]:
    """Return the `roles` records of 1.1 users; `values` returns a column of the users by its name.

    `united` maps users with several rows to all their roles.
    """
    of_users = map(values, ("sourcedId", "orgSourcedIds", "role", "status", "dateLastModified"))
    rows: list[tuple[str, str, str | None, str, str | None, str | None]] = []
    for user, of, role, status, modified in zip(*of_users, strict=True):
        # Nearly all users have one role at one org.
        if of and len(of) == 1 and not (united and user in united):
            rows.append((user, of[0], role, "primary", status, modified))
        else:
            held = united.get(user) or held_by(of, role)
            rows += [(user, org, word, kind, status, modified) for kind, org, word in _held(held)]
    if not rows:
        return []
    owners, places, words, kinds, states, dates = zip(*rows, strict=True)
    columns: dict[str, Iterable[Any]] = {
        "sourcedId": derived_ids(_ROLES, zip(owners, places, words, strict=True)),
        "userSourcedId": owners,
        "roleType": kinds,
        "role": words,
        "orgSourcedId": places,
        "status": states,
        "dateLastModified": dates,
    }
    return list(map(record_class(_ROLES), *(columns.get(field.name, repeat(None)) for field in line_order(_ROLES))))
