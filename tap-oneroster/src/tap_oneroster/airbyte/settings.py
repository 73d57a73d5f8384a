"""The tap's settings as Airbyte asks for them, and what it was told as the tap takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError

from ..singer.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["specification", "tap_settings"]

_SINGER_ONLY = frozenset({"activate_versions", "batch_config", "tenant_isolated"})
"""Settings about deletes by version and about batches, of which Airbyte has none."""


def _built_in() -> frozenset[str]:
    schema: dict[str, Any] = {"properties": {}}
    Tap.append_builtin_config(schema)
    return frozenset(schema["properties"])


_BUILT_IN = _built_in()
"""Settings that the SDK gives every tap."""

_SHEET = frozenset({"mode", "base_url", "token_url", "client_id", "client_secret", "csv_path"})
"""What is on a credential sheet: the form shows it unasked, and the rest on request."""

_KEPT = ("title", "description", "default", "enum", "minimum", "maximum", "exclusiveMinimum", "format")


def specification() -> dict[str, Any]:
    """The protocol's specification: every setting that means something there, in a form that it can show."""
    schema = SETTINGS.to_dict()
    offered = {name: its for name, its in schema["properties"].items() if name not in _SINGER_ONLY}
    return {
        "connectionSpecification": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "OneRoster",
            "type": "object",
            "required": [name for name in schema.get("required", ()) if name in offered],
            "additionalProperties": True,
            "properties": {name: _field(name, its, order) for order, (name, its) in enumerate(offered.items())},
        },
        "supportsIncremental": True,
        "supported_destination_sync_modes": ["overwrite", "append", "append_dedup"],
        "protocol_version": "0.5.2",
    }


def _field(name: str, its: Mapping[str, Any], order: int) -> dict[str, Any]:
    """One field of the form. What a form has no field for is text there."""
    field: dict[str, Any] = {"type": _type(its), "order": order}
    field |= {key: its[key] for key in _KEPT if key in its}
    if "items" in its and field["type"] == "array":
        field["items"] = {"type": _type(its["items"])}
    if its.get("secret"):
        field["airbyte_secret"] = True
    if name in _SHEET:
        field["always_show"] = True
    if _is_json(its):
        field["description"] += " As JSON."
    return field


def _type(its: Mapping[str, Any]) -> str:
    """The one type of a setting; of several the first, which is text where text will do."""
    types: Any = its["type"]
    first = types if isinstance(types, str) else next(one for one in types if one != "null")
    return "string" if first == "object" else str(first)


def _is_json(its: Mapping[str, Any]) -> bool:
    return "object" in its.get("type", ())


def tap_settings(told: Mapping[str, Any]) -> dict[str, Any]:
    """Settings for the tap: fields that were left empty are left open, and JSON text is what it says.

    ConfigValidationError where that cannot be done, and where a setting is given that would change what
    Singer messages hold (stream maps, flattening, batches): who sets it relies on it.
    """
    settings = {}
    own = SETTINGS.to_dict()["properties"]
    unknown = sorted(
        name for name in _BUILT_IN - (own.keys() - _SINGER_ONLY) if told.get(name) not in (None, False, {}, "")
    )
    if unknown:
        problems = [f"{name}: not available to Airbyte; remove it" for name in unknown]
        raise ConfigValidationError("; ".join(problems), errors=problems)
    for name, its in own.items():
        value = told.get(name)
        if value is None or name in _SINGER_ONLY:
            continue
        if _is_json(its) and isinstance(value, str):
            try:
                value = msgspec.json.decode(value, type=dict)
            except ValueError:
                problem = f"{name}: must be a JSON object, as text"
                raise ConfigValidationError(problem, errors=[problem]) from None
        settings[name] = value
    return settings
