"""OneRoster 1.1 and 1.2, defined once: every file, every field, both bindings.

The tables import only the standard library. `schema` builds JSON Schemas from them, and `codec` (with msgspec) builds
the record classes and lines that the tap and the targets share.
"""

from __future__ import annotations

from . import _gradebook, _resources, _rostering
from ._receipts import NO_SNAPSHOT, RECEIPT_KEYS, RECEIPTS, TOTAL_NOT_REACHED, TWIN_FILTER, UNPROVEN
from ._rest import BASE_PATHS, SCOPE_PREFIXES, scope_uri
from ._types import Collection, Derived, Field, File, Kind, Personal, Service, Version, View, Vocabulary, Where

__all__ = [
    "BASE_PATHS",
    "FILES",
    "MANIFEST_VERSION",
    "NO_SNAPSHOT",
    "RECEIPTS",
    "RECEIPT_KEYS",
    "SCOPE_PREFIXES",
    "TOTAL_NOT_REACHED",
    "TWIN_FILTER",
    "UNPROVEN",
    "VIEWS",
    "Collection",
    "Derived",
    "Field",
    "File",
    "Kind",
    "Personal",
    "Service",
    "Version",
    "View",
    "Vocabulary",
    "Where",
    "csv_files",
    "derived_from",
    "file",
    "home_of",
    "manifest_properties",
    "scope_uri",
]

FILES: tuple[File, ...] = (
    # In the order of the manifest.
    _rostering.ACADEMIC_SESSIONS,
    _gradebook.CATEGORIES,
    _rostering.CLASSES,
    _resources.CLASS_RESOURCES,
    _rostering.COURSES,
    _resources.COURSE_RESOURCES,
    _rostering.DEMOGRAPHICS_FILE,
    _rostering.ENROLLMENTS,
    _gradebook.LINE_ITEM_OBJECTIVES,
    _gradebook.LINE_ITEMS,
    _gradebook.LINE_ITEM_SCORE_SCALES,
    _rostering.ORGS,
    _resources.RESOURCES,
    _gradebook.RESULT_OBJECTIVES,
    _gradebook.RESULTS,
    _gradebook.RESULT_SCORE_SCALES,
    _rostering.ROLES,
    _gradebook.SCORE_SCALES,
    _rostering.USER_PROFILES,
    _resources.USER_RESOURCES,
    _rostering.USERS,
    # REST 1.2 only.
    _gradebook.ASSESSMENT_LINE_ITEMS,
    _gradebook.ASSESSMENT_RESULTS,
)
VIEWS: tuple[View, ...] = _rostering.VIEWS
MANIFEST_VERSION = "1.0"

_BY_NAME = {f.name: f for f in FILES}
_PARENTS = {view.name: view.parent for view in VIEWS}


def file(name: str) -> File:
    """Return the file, stream and table of that name; raise KeyError if the standard has none."""
    return _BY_NAME[name]


def home_of(stream: str) -> File:
    """Return the file that holds the rows of a stream; for a view, that of its parent."""
    return file(_PARENTS.get(stream, stream))


def csv_files(version: Version) -> tuple[File, ...]:
    """Return the data files of a version's CSV binding, in the order of its manifest."""
    return tuple(f for f in FILES if f.csv and f.exists_in(version))


def derived_from(parent: str) -> tuple[File, ...]:
    """Return the files whose rows REST nests inside the records of `parent`."""
    return tuple(f for f in FILES if f.derived and f.derived.parent == parent)


def manifest_properties(version: Version) -> tuple[str, ...]:
    """Return the property names of a manifest, in the order of the specification's table."""
    return (
        "manifest.version",
        "oneroster.version",
        *(f"file.{f.name}" for f in csv_files(version)),
        "source.systemName",
        "source.systemCode",
    )
