"""JSON Schemas of the streams, built from the model."""

from __future__ import annotations

from typing import Any

from ._receipts import RECEIPT_KEYS, RECEIPTS
from ._types import Field, File, Kind
from .describe import describe_field

TENANT = "tenant"
"""Name of the column that identifies the district if several districts share a warehouse."""
TENANT_DESCRIPTION = "District that the row belongs to; ids are unique within a district only."

_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_WORDS: dict[str, Any] = {"type": ["array", "null"], "items": {"type": "string"}}
_NUMBER: dict[str, Any] = {"type": ["number", "null"]}


def _objects(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": ["array", "null"], "items": {"type": "object", "properties": properties}}


_SCHEMAS: dict[Kind, dict[str, Any]] = {
    Kind.TRUE_FALSE: {"type": ["boolean", "null"]},
    Kind.DATE: {"type": ["string", "null"], "format": "date"},
    Kind.DATETIME: {"type": ["string", "null"], "format": "date-time"},
    Kind.INTEGER: {"type": ["integer", "null"]},
    Kind.NUMBER: _NUMBER,
    Kind.REFS: _WORDS,
    Kind.STRINGS: _WORDS,
    Kind.WORDS: _WORDS,
    Kind.USER_IDS: _objects(type=_TEXT, identifier=_TEXT),
    Kind.SCALE_VALUES: _objects(itemValueLHS=_TEXT, itemValueRHS=_TEXT),
    Kind.OBJECTIVES: _objects(source=_TEXT, learningObjectiveIds=_WORDS),
    Kind.OBJECTIVE_SCORES: _objects(
        source=_TEXT, learningObjectiveResults=_objects(learningObjectiveId=_TEXT, score=_NUMBER, textScore=_TEXT)
    ),
    Kind.OBJECT: {"type": ["object", "null"]},
}


def _property(file: File, field: Field, *, is_key: bool) -> dict[str, Any]:
    typed = {"type": "string"} if is_key else _SCHEMAS.get(field.kind, _TEXT)
    return {**typed, "description": describe_field(file, field)}


def key_properties(file: File, *, tenant: bool = False) -> tuple[str, ...]:
    """Return the names of the columns that identify a row; `tenant` comes first if it is set."""
    keys = RECEIPT_KEYS if file.name == RECEIPTS.name else ("sourcedId",)
    return (TENANT, *keys) if tenant else keys


def json_schema(file: File, *, tenant: bool = False, secrets: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of a stream: the same for both bindings and both versions.

    All columns but the keys are nullable. `secrets` adds the passwords, which leave a source only if a setting allows
    it.
    """
    keys = key_properties(file)
    properties: dict[str, Any] = {TENANT: {"type": "string", "description": TENANT_DESCRIPTION}} if tenant else {}
    properties |= {
        field.name: _property(file, field, is_key=field.name in keys)
        for field in file.fields
        if secrets or not field.secret
    }
    return {"type": "object", "properties": properties}
