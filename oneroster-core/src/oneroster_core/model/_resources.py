"""Resources: which books and applications belong to whom. Checked against the tables of both bindings."""

from __future__ import annotations

from . import _vocabularies as words
from ._fields import LIFECYCLE, METADATA
from ._types import ALWAYS, Collection, Derived, Field, File, Kind, Service, Version

RESOURCES = File(
    "resources",
    Service.RESOURCES,
    (
        *LIFECYCLE,
        Field("vendorResourceId", Kind.ID, ALWAYS),
        Field("title"),
        Field("roles", Kind.WORDS, words=words.RESOURCE_ROLES),
        Field("importance", Kind.WORD, words=words.IMPORTANCE),
        Field("vendorId", Kind.ID),
        Field("applicationId", Kind.ID),
        METADATA,
    ),
    Collection(
        "/resources",
        "resources",
        "resource",
        ("resource.readonly",),
        ("resource.readonly", "resource-core.readonly"),
    ),
)

CLASS_RESOURCES = File(
    "classResources",
    Service.RESOURCES,
    (
        *LIFECYCLE,
        Field("title"),
        Field("classSourcedId", Kind.REF, ALWAYS, refers_to="classes"),
        Field("resourceSourcedId", Kind.REF, ALWAYS, refers_to="resources"),
        METADATA,
    ),
    derived=Derived("classes", "resources", ("classSourcedId", "resourceSourcedId")),
)

COURSE_RESOURCES = File(
    "courseResources",
    Service.RESOURCES,
    (
        *LIFECYCLE,
        Field("title"),
        Field("courseSourcedId", Kind.REF, ALWAYS, refers_to="courses"),
        Field("resourceSourcedId", Kind.REF, ALWAYS, refers_to="resources"),
        METADATA,
    ),
    derived=Derived("courses", "resources", ("courseSourcedId", "resourceSourcedId")),
)

USER_RESOURCES = File(
    "userResources",
    Service.RESOURCES,
    (
        *LIFECYCLE,
        Field("userSourcedId", Kind.REF, ALWAYS, refers_to="users"),
        Field("orgSourcedId", Kind.REF, refers_to="orgs"),
        Field("classSourcedId", Kind.REF, refers_to="classes"),
        Field("resourceSourcedId", Kind.REF, ALWAYS, refers_to="resources"),
        METADATA,
    ),
    derived=Derived("users", "resources", ("userSourcedId", "resourceSourcedId")),
    since=Version.V1_2,
)
