"""Resources: which books and applications belong to whom. Checked against the tables of both bindings."""

from __future__ import annotations

from functools import partial

from . import _vocabularies as words
from ._fields import data_file
from ._types import ALWAYS, Collection, Derived, Field, Kind, Personal, Service, Version

_file = partial(data_file, Service.RESOURCES)

RESOURCES = _file(
    "resources",
    Field("vendorResourceId", Kind.ID, ALWAYS),
    Field("title"),
    Field("roles", Kind.WORDS, words=words.RESOURCE_ROLES),
    Field("importance", Kind.WORD, words=words.IMPORTANCE),
    Field("vendorId", Kind.ID),
    Field("applicationId", Kind.ID),
    collection=Collection(
        "/resources", "resources", "resource", ("resource.readonly",), ("resource.readonly", "resource-core.readonly")
    ),
)

CLASS_RESOURCES = _file(
    "classResources",
    Field("title"),
    Field("classSourcedId", Kind.REF, ALWAYS, refers_to="classes"),
    Field("resourceSourcedId", Kind.REF, ALWAYS, refers_to="resources"),
    derived=Derived("classes", "resources", ("classSourcedId", "resourceSourcedId")),
)

COURSE_RESOURCES = _file(
    "courseResources",
    Field("title"),
    Field("courseSourcedId", Kind.REF, ALWAYS, refers_to="courses"),
    Field("resourceSourcedId", Kind.REF, ALWAYS, refers_to="resources"),
    derived=Derived("courses", "resources", ("courseSourcedId", "resourceSourcedId")),
)

USER_RESOURCES = _file(
    "userResources",
    Field("userSourcedId", Kind.REF, ALWAYS, refers_to="users"),
    Field("orgSourcedId", Kind.REF, refers_to="orgs", personal=Personal.SCHEDULE),
    Field("classSourcedId", Kind.REF, refers_to="classes", personal=Personal.SCHEDULE),
    Field("resourceSourcedId", Kind.REF, ALWAYS, refers_to="resources", personal=Personal.SCHEDULE),
    derived=Derived("users", "resources", ("userSourcedId", "resourceSourcedId")),
    since=Version.V1_2,
)
