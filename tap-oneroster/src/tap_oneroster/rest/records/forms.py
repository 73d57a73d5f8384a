"""The forms of REST records, built from the model, and the Struct classes that decode them.

A form accepts what the standard allows and some common deviations (booleans and numbers as text). A page with other
values does not match; `mend` converts its records to the same forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from keyword import iskeyword
from typing import Any

import msgspec

from ..._core.codec import TYPES
from ..._core.model import Field, File, Kind, derived_from, home_of

UNKNOWN = "(unknown)"
"""Pseudo key under which `mend` passes the keys that the standard does not have."""

_CREDENTIAL_FIELDS = ("credentialType", "username", "password")


class Ref(msgspec.Struct, gc=False):
    """A reference to another record; its `href` and `type` are not needed."""

    sourcedId: str


@dataclass(frozen=True, slots=True)
class NestedForm:
    """A list of objects inside a record."""

    name: str
    forms: Forms


class _Skipped:
    """A value that is not wanted: its text is skipped without decoding."""


SKIPPED = _Skipped()
Form = Kind | NestedForm | _Skipped
Forms = Mapping[str, Form]
"""The form of each key of a JSON object."""

_TYPES: dict[Kind, Any] = TYPES | {
    Kind.TRUE_FALSE: bool | str | None,
    Kind.NUMBER: float | str | None,
    Kind.REF: Ref | None,
    Kind.REFS: list[Ref] | None,
    Kind.STRINGS: tuple[str, ...] | str | None,
    Kind.WORDS: tuple[str, ...] | str | None,
}


def attribute(key: str) -> str:
    """Return the attribute that holds the value of a REST key."""
    if key == UNKNOWN:
        return "unknown_"
    return f"{key}_" if iskeyword(key) else key


@cache
def column_of(name: str, *, reference: bool = False) -> Callable[[Sequence[Any]], list[Any]]:
    """Return a function that returns an attribute of each record, or the id in it if it is a `reference`.

    It is compiled for the name, which takes half the time of `attrgetter`.
    """
    value = f"None if (ref := one.{name}) is None else ref.sourcedId" if reference else f"one.{name}"
    made: Callable[[Sequence[Any]], list[Any]] = eval(f"lambda records: [{value} for one in records]")  # noqa: S307
    return made


def _form(field: Field) -> Kind:
    # `sourcedId` of demographics is a reference only in CSV; a role names its profile by a URI.
    if field.name in {"sourcedId", "userProfileSourcedId"}:
        return Kind.STRING
    return field.rest_kind or field.kind


def _forms(fields: Iterable[Field], *, secrets: bool) -> dict[str, Form]:
    forms: dict[str, Form] = {}
    for field in fields:
        for key in field.rest_names:
            forms.setdefault(key, SKIPPED if field.secret and not secrets else _form(field))
    return forms


def _inside(stream: File, *, secrets: bool) -> Form:
    """Return the form of the parent's property that holds the rows of a derived stream."""
    names = {field.name for field in stream.fields}
    if "resourceSourcedId" in names:
        return Kind.REFS
    if "scoreScaleSourcedId" in names:
        return Kind.REF
    if "learningObjectiveId" in names:
        return Kind.OBJECTIVE_SCORES if "score" in names else Kind.OBJECTIVES
    own = [f for f in stream.fields if not f.blank_in_bulk and f.name not in {"sourcedId", "userSourcedId"}]
    if "credentialType" not in names:
        return NestedForm(stream.name, _forms(own, secrets=secrets))
    inner = _forms([f for f in own if f.name in _CREDENTIAL_FIELDS], secrets=secrets)
    outer = _forms([f for f in own if f.name not in _CREDENTIAL_FIELDS], secrets=secrets)
    return NestedForm(stream.name, {**outer, "credentials": NestedForm("credential", inner)})


def forms_of(file: File, *, secrets: bool, derived: Iterable[File]) -> dict[str, Form]:
    """Return the forms of a collection's records; rows of derived streams that are not wanted are skipped."""
    forms = _forms(file.fields, secrets=secrets)
    wanted = {stream.name for stream in derived}
    if "roles" in wanted:
        wanted.add("userProfiles")  # a role refers to a profile of its user
    for stream in derived_from(home_of(file.name).name):
        if stream.derived:
            form = _inside(stream, secrets=secrets) if stream.name in wanted else SKIPPED
            forms[stream.derived.rest] = form
    return forms


def _type(form: Form) -> Any:
    if isinstance(form, NestedForm):
        return list[struct_class(form.name, form.forms)] | None  # type: ignore[misc]
    if isinstance(form, _Skipped):
        return msgspec.Raw
    return _TYPES.get(form, str | None)


def struct_class(name: str, forms: Forms, extras: Iterable[str] = ()) -> type[msgspec.Struct]:
    """Return a Struct class of that form; every key is optional, and keys other than those and `extras` are rejected.

    The class lists its extras in `learned_`.
    """
    extras = tuple(extras)
    types = {key: _type(form) for key, form in forms.items()}
    types |= dict.fromkeys(extras, Any)
    types[UNKNOWN] = dict[str, Any] | None
    extra = {key: f"extra_{number}" for number, key in enumerate(extras)}
    attributes = {key: extra.get(key) or attribute(key) for key in types}
    return msgspec.defstruct(
        name,
        [(attributes[key], kind, None) for key, kind in types.items()],
        rename={attributes[key]: key for key in types},
        forbid_unknown_fields=True,
        gc=False,
        module=__name__,
        namespace={"learned_": extras},
    )
