"""Descriptions of streams and fields for readers: in catalogs, in comments of a warehouse, in the docs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._descriptions import FIELDS, SHARED, STREAMS
from ._rostering import VIEWS
from ._types import Version

if TYPE_CHECKING:
    from ._types import Field, File

_VIEWS = {view.name: view for view in VIEWS}


def describe_file(file: File) -> str:
    """Return one sentence that describes the rows of a stream; raise KeyError if there is none."""
    if view := _VIEWS.get(file.name):
        return f"Rows of {view.parent} whose {view.column} is {view.word}."
    return STREAMS[file.name]


def meaning(file: File, field: Field) -> str:
    """Return one sentence that describes a field."""
    stream = _VIEWS[file.name].parent if file.name in _VIEWS else file.name
    return FIELDS.get(stream, {}).get(field.name) or SHARED[field.name]


def describe_field(file: File, field: Field) -> str:
    """Return the description of a field, with its reference, its vocabulary, and the versions that have it."""
    words = [meaning(file, field)]
    if field.refers_to:
        target = f"{field.refers_to}.sourcedId"
        words.append(f"Lists {target}." if field.kind.is_list else f"Refers to {target}.")
    if field.words:
        text = f"One of: {', '.join(field.words.words)}"
        if field.words.added:
            text += f"; since 1.2 also: {', '.join(field.words.added)}"
        words.append(text + ("; or a word that begins with ext:." if field.words.extensible else "."))
    if field.until != Version.V1_2:
        words.append(f"OneRoster {field.until.value} only, empty in later versions.")
    if field.since != Version.V1_1:
        words.append(f"Exists since {field.since.value}.")
    if field.was:
        words.append(f"In 1.1 named {field.was}.")
    if not field.csv and file.csv and field.name != "metadata" and field.rest_names:
        words.append("Comes from REST only.")
    return " ".join(words)
