"""The fields that every file starts and ends with, and shorthands for the other tables."""

from __future__ import annotations

from typing import Any

from . import _vocabularies as words
from ._types import ALWAYS, Field, File, Kind, Personal, Service, Where

ID = Field("sourcedId", Kind.GUID, ALWAYS)
STATUS = Field("status", Kind.WORD, words=words.STATUS, blank_in_bulk=True)
LAST_MODIFIED = Field("dateLastModified", Kind.DATETIME, blank_in_bulk=True)
LIFECYCLE = (ID, STATUS, LAST_MODIFIED)

METADATA = Field("metadata", Kind.OBJECT, csv=False, personal=Personal.SPECIAL)
"""`metadata.<key>` columns in CSV; one free-form object in REST and in the warehouse."""

SCHOOL = Where("type", "school", extensible=True)
"""The reference must name an org of type school, or in 1.2 an org whose type is an extension."""


def data_file(service: Service, name: str, *fields: Field, **more: Any) -> File:
    """Return a file of a service: its own columns, between those that every file has."""
    return File(name, service, (*LIFECYCLE, *fields, METADATA), **more)
